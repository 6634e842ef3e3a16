//! The proxies and the certificate authorities that the environment names.

mod support;

#[path = "../../../cli/tests/common/environment.rs"]
mod environment;
#[path = "../../../cli/tests/common/proxy.rs"]
mod proxy;

use environment::{image, is_again, reference, shown};
use longshore_core::driver::NoAnswer;
use longshore_core::{Digest, FailureKind, Options, Scheme};
use longshore_mock_registry::{Registry, RegistryOptions, server::Server};
use longshore_reqwest::{Http, HttpBuilder, Session};
use proxy::Proxy;
use support::tls::Ca;
use support::{attempts, json};

fn session(http: HttpBuilder, options: Options) -> Session<Digest> {
    Session::builder(http.build().unwrap()).options(options).start()
}

/// Pushes to the name, and prints the result.
async fn push(http: HttpBuilder, scheme: Scheme) -> Result<u64, FailureKind> {
    shown(session(http, attempts(2)).push_image(&image(), &reference(scheme)).await)
}

async fn registry() -> String {
    let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await.unwrap();
    let server = server.with_host("registry.invalid");
    let address = server.address();
    tokio::spawn(server.serve(std::future::pending()));
    address.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn i29_plain_http_goes_through_the_proxy_that_is_named_for_it() {
    let proxy = Proxy::before(&registry().await);
    let url = proxy.url("CANARY-PROXY");
    if is_again("i29_plain_http_goes_through_the_proxy_that_is_named_for_it", &[("HTTP_PROXY", &url)]) {
        assert_eq!(push(Http::builder(), Scheme::Http).await, Ok(2));
        return;
    }
    let passed = proxy.passed();
    assert!(passed[0].contains(" http://registry.invalid/v2/a/"), "{passed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn i29_https_goes_through_a_tunnel() {
    let ca = Ca::new();
    let server = ca.server(json("404 Not Found", "", "{}")).await;
    let proxy = Proxy::before(&server.address.to_string());
    let (url, pem) = (proxy.url("CANARY-PROXY"), ca.pem());
    if is_again("i29_https_goes_through_a_tunnel", &[("HTTPS_PROXY", &url), ("TEST_CA", &pem)]) {
        let http = Http::builder().ca_pem(std::env::var("TEST_CA").unwrap());
        // It reaches a registry that knows nothing, over TLS that is trusted.
        assert!(matches!(push(http, Scheme::Https).await, Err(FailureKind::Answer(_))));
        return;
    }
    let passed = proxy.passed();
    assert!(passed.iter().all(|line| line == "CONNECT registry.invalid:443 HTTP/1.1") && !passed.is_empty());
    assert!(!server.seen.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_proxy_is_honoured() {
    let proxy = Proxy::before(&registry().await);
    let url = proxy.url("CANARY-PROXY");
    if is_again("no_proxy_is_honoured", &[("HTTP_PROXY", &url), ("NO_PROXY", "registry.invalid")]) {
        let failed = push(Http::builder(), Scheme::Http).await;
        assert!(
            matches!(failed, Err(FailureKind::NoAnswer(NoAnswer::NotSent(why))) if why.contains("no address is known"))
        );
        return;
    }
    assert!(proxy.passed().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_proxy_of_the_builder_leaves_the_environment_alone() {
    let proxy = Proxy::before(&registry().await);
    let url = proxy.url("CANARY-PROXY");
    let variables = [("HTTP_PROXY", url.as_str()), ("HTTPS_PROXY", &url), ("ALL_PROXY", &url)];
    if is_again("no_proxy_of_the_builder_leaves_the_environment_alone", &variables) {
        for scheme in [Scheme::Http, Scheme::Https] {
            let failed = push(Http::builder().no_proxy(), scheme).await;
            assert!(
                matches!(failed, Err(FailureKind::NoAnswer(NoAnswer::NotSent(why))) if why.contains("no address is known"))
            );
        }
        return;
    }
    assert!(proxy.passed().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn i29_a_proxy_that_refuses_is_told_without_its_password() {
    let proxy = Proxy::before(&registry().await);
    let url = proxy.url("CANARY-OTHER");
    if is_again("i29_a_proxy_that_refuses_is_told_without_its_password", &[("HTTPS_PROXY", &url)]) {
        let failed = push(Http::builder(), Scheme::Https).await;
        assert!(matches!(failed, Err(FailureKind::NoAnswer(NoAnswer::NotSent(_)))), "{failed:?}");
        return;
    }
    assert!(proxy.passed().is_empty());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_machine_without_any_ca_trusts_nobody_and_those_who_are_named() {
    let ca = Ca::new();
    let server = ca.server(json("404 Not Found", "", "{}")).await;
    let proxy = Proxy::before(&server.address.to_string());
    let (url, pem) = (proxy.url("CANARY-PROXY"), ca.pem());
    let nowhere = [("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")];
    let variables = [&nowhere[..], &[("HTTPS_PROXY", &url), ("TEST_CA", &pem)]].concat();
    if is_again("a_machine_without_any_ca_trusts_nobody_and_those_who_are_named", &variables) {
        let failed = push(Http::builder(), Scheme::Https).await;
        assert!(
            matches!(failed, Err(FailureKind::NoAnswer(NoAnswer::Untrusted(why))) if why.starts_with("no CA is trusted"))
        );
        let http = Http::builder().ca_pem(std::env::var("TEST_CA").unwrap());
        assert!(matches!(push(http, Scheme::Https).await, Err(FailureKind::Answer(_))));
    }
}
