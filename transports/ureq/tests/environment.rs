//! The proxies and the certificate authorities that the environment names.

mod support;

#[path = "../../../cli/tests/common/environment.rs"]
mod environment;
#[path = "../../../cli/tests/common/proxy.rs"]
mod proxy;
#[path = "../../../cli/tests/common/socks.rs"]
mod socks;

use environment::{image, is_again, reference, shown};
use longshore_core::driver::NoAnswer;
use longshore_core::{Digest, FailureKind, Options, Scheme};
use longshore_ureq::{Http, HttpBuilder, Session};
use proxy::Proxy;
use socks::Socks;
use support::tls::Ca;
use support::{attempts, json, registry};

fn session(http: HttpBuilder, options: Options) -> Session<Digest> {
    Session::builder(http.build().unwrap()).options(options).build()
}

/// Pushes to the name, and prints the result.
fn push(http: HttpBuilder, scheme: Scheme) -> Result<u64, FailureKind> {
    shown(session(http, attempts(2)).push_image(&image(), &reference(scheme)))
}

#[test]
fn i29_plain_http_goes_through_the_proxy_that_is_named_for_it() {
    let proxy = Proxy::before(&registry().0.to_string());
    let url = proxy.url("CANARY-PROXY");
    if is_again("i29_plain_http_goes_through_the_proxy_that_is_named_for_it", &[("HTTP_PROXY", &url)]) {
        assert_eq!(push(Http::builder(), Scheme::Http), Ok(2));
        return;
    }
    let passed = proxy.passed();
    // ureq has a tunnel for everything.
    assert_eq!(passed[0], "CONNECT registry.invalid:80 HTTP/1.1");
}

#[test]
fn i29_https_goes_through_a_tunnel() {
    let ca = Ca::new();
    let server = ca.server(json("404 Not Found", "", "{}"));
    let proxy = Proxy::before(&server.address.to_string());
    let (url, pem) = (proxy.url("CANARY-PROXY"), ca.pem());
    if is_again("i29_https_goes_through_a_tunnel", &[("HTTPS_PROXY", &url), ("TEST_CA", &pem)]) {
        let http = Http::builder().ca_pem(std::env::var("TEST_CA").unwrap());
        // It reaches a registry that knows nothing, over TLS that is trusted.
        assert!(matches!(push(http, Scheme::Https), Err(FailureKind::Answer(_))));
        return;
    }
    let passed = proxy.passed();
    assert!(passed.iter().all(|line| line == "CONNECT registry.invalid:443 HTTP/1.1") && !passed.is_empty());
    assert!(!server.seen.lock().unwrap().is_empty());
}

#[test]
fn i29_a_socks_proxy_resolves_the_name() {
    let socks = Socks::before(&registry().0.to_string());
    let url = socks.url("CANARY-PROXY");
    if is_again("i29_a_socks_proxy_resolves_the_name", &[("ALL_PROXY", &url), ("NO_PROXY", "a.example, *.b.example")]) {
        assert_eq!(push(Http::builder(), Scheme::Http), Ok(2));
        return;
    }
    assert_eq!(socks.asked()[0], "registry.invalid:80");
}

#[test]
fn no_proxy_is_honoured() {
    let proxy = Proxy::before(&registry().0.to_string());
    let url = proxy.url("CANARY-PROXY");
    if is_again("no_proxy_is_honoured", &[("HTTP_PROXY", &url), ("NO_PROXY", "registry.invalid")]) {
        let failed = push(Http::builder(), Scheme::Http);
        assert!(
            matches!(failed, Err(FailureKind::NoAnswer(NoAnswer::NotSent(why))) if why.contains("no address is known"))
        );
        return;
    }
    assert!(proxy.passed().is_empty());
}

#[test]
fn no_proxy_of_the_builder_leaves_the_environment_alone() {
    let proxy = Proxy::before(&registry().0.to_string());
    let url = proxy.url("CANARY-PROXY");
    let variables = [("HTTP_PROXY", url.as_str()), ("HTTPS_PROXY", &url), ("ALL_PROXY", &url)];
    if is_again("no_proxy_of_the_builder_leaves_the_environment_alone", &variables) {
        for scheme in [Scheme::Http, Scheme::Https] {
            let failed = push(Http::builder().no_proxy(), scheme);
            assert!(
                matches!(failed, Err(FailureKind::NoAnswer(NoAnswer::NotSent(why))) if why.contains("no address is known"))
            );
        }
        return;
    }
    assert!(proxy.passed().is_empty());
}

#[test]
fn i29_a_proxy_that_refuses_is_told_without_its_password() {
    let proxy = Proxy::before(&registry().0.to_string());
    let url = proxy.url("CANARY-OTHER");
    if is_again("i29_a_proxy_that_refuses_is_told_without_its_password", &[("HTTPS_PROXY", &url)]) {
        let failed = push(Http::builder(), Scheme::Https);
        assert!(matches!(failed, Err(FailureKind::NoAnswer(NoAnswer::NotSent(_)))), "{failed:?}");
        return;
    }
    assert!(proxy.passed().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_any_ca_trusts_nobody_and_those_who_are_named() {
    let ca = Ca::new();
    let server = ca.server(json("404 Not Found", "", "{}"));
    let proxy = Proxy::before(&server.address.to_string());
    let (url, pem) = (proxy.url("CANARY-PROXY"), ca.pem());
    let nowhere = [("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")];
    let variables = [&nowhere[..], &[("HTTPS_PROXY", &url), ("TEST_CA", &pem)]].concat();
    if is_again("a_machine_without_any_ca_trusts_nobody_and_those_who_are_named", &variables) {
        let failed = push(Http::builder(), Scheme::Https);
        assert!(
            matches!(failed, Err(FailureKind::NoAnswer(NoAnswer::Untrusted(why))) if why.starts_with("no CA is trusted"))
        );
        let http = Http::builder().ca_pem(std::env::var("TEST_CA").unwrap());
        assert!(matches!(push(http, Scheme::Https), Err(FailureKind::Answer(_))));
    }
}
