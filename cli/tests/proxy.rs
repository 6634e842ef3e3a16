//! The proxies of the environment: used for what is not on this machine, and their passwords never told.

mod common;

use std::fs;
use std::process::{Command, Output};

use common::proxy::Proxy;
use common::socks::Socks;
use common::{Layout, Mock, command, sentence};

/// A name that nobody but the proxy knows.
const NAME: &str = "registry.invalid";

/// A push to the registry of that name, with these arguments and variables.
fn push(layout: &Layout, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let reference = format!("{NAME}/a:v1");
    let mut push: Command = command(&[&["push", layout.path(), &reference], arguments].concat());
    push.envs(variables.iter().copied());
    let output = push.output().unwrap();
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        for secret in ["CANARY", "dXNlcjpDQU5BUlkt"] {
            assert!(!text.contains(secret), "I29: {text}");
        }
    }
    output
}

#[test]
fn i29_a_push_goes_through_the_proxy_whose_password_is_never_told() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let (mock, layout) = (Mock::start(&["--allow-host", NAME]), Layout::two_platforms());
    let proxy = Proxy::before(&mock.authority);
    let url = proxy.url("CANARY-PROXY");
    let plain = ["--plain-http", "--trace", trace.to_str().unwrap()];
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let output = push(&layout, &plain, &[(variable, &url)]);
        assert!(output.status.success(), "{variable}: {output:?}");
        let passed = std::mem::take(&mut *proxy.passed.lock().unwrap());
        assert!(passed[0].starts_with(&format!("GET http://{NAME}/v2/a/")), "{variable}: {passed:?}");
        assert!(!fs::read_to_string(&trace).unwrap().contains("CANARY"));
    }
    assert_eq!(mock.status("/v2/a/manifests/v1"), 200);
}

#[test]
fn i29_a_push_over_tls_goes_through_a_tunnel() {
    let (mock, layout) = (Mock::start(&["--tls", "--allow-host", NAME]), Layout::two_platforms());
    let proxy = Proxy::before(&mock.authority);
    let output = push(&layout, &["--insecure-skip-verify"], &[("HTTPS_PROXY", &proxy.url("CANARY-PROXY"))]);
    assert!(output.status.success(), "{output:?}");
    let passed = proxy.passed();
    assert!(
        !passed.is_empty() && passed.iter().all(|line| *line == format!("CONNECT {NAME}:443 HTTP/1.1")),
        "{passed:?}"
    );
}

#[test]
fn i29_a_push_goes_through_a_socks_proxy_that_resolves_the_name() {
    let (mock, layout) = (Mock::start(&["--allow-host", NAME]), Layout::two_platforms());
    let socks = Socks::before(&mock.authority);
    for (scheme, variable) in [("socks5", "ALL_PROXY"), ("SOCKS5", "http_proxy"), ("socks5h", "HTTP_PROXY")] {
        let url = socks.url("CANARY-PROXY").replacen("socks5", scheme, 1);
        let output = push(&layout, &["--plain-http"], &[(variable, &url)]);
        assert!(output.status.success(), "{scheme}: {output:?}");
    }
    let asked = socks.asked();
    assert!(!asked.is_empty() && asked.iter().all(|name| *name == format!("{NAME}:80")), "{asked:?}");
    assert_eq!(mock.status("/v2/a/manifests/v1"), 200);
    let exempt = [("ALL_PROXY", socks.url("CANARY-PROXY")), ("NO_PROXY", NAME.to_owned())];
    let exempt = exempt.each_ref().map(|(name, value)| (*name, value.as_str()));
    let said = sentence(1, &push(&layout, &["--plain-http"], &exempt));
    assert!(said.contains(&format!("no address is known for {NAME}")), "{said}");
    let refused = socks.url("CANARY-OTHER");
    let said = sentence(1, &push(&layout, &["--plain-http", "--progress", "none"], &[("ALL_PROXY", &refused)]));
    assert!(said.contains("proxy"), "{said}");
    assert_eq!(socks.asked().len(), asked.len());
}

#[test]
fn no_proxy_is_honoured_and_a_proxy_is_no_business_of_this_machines_registries() {
    let (mock, layout) = (Mock::start(&["--allow-host", NAME]), Layout::two_platforms());
    let proxy = Proxy::before(&mock.authority);
    let url = proxy.url("CANARY-PROXY");
    for exempt in [NAME, "invalid", "*"] {
        let output = push(&layout, &["--plain-http"], &[("HTTP_PROXY", &url), ("NO_PROXY", exempt)]);
        let said = sentence(1, &output);
        assert!(said.contains(&format!("no address is known for {NAME}")), "{exempt}: {said}");
    }
    let mut local = command(&["push", layout.path(), &mock.reference("a:v1")]);
    assert!(local.env("HTTP_PROXY", &url).output().unwrap().status.success());
    assert!(proxy.passed().is_empty());
}

#[test]
fn i29_a_proxy_that_refuses_is_named_without_its_password() {
    let (mock, layout) = (Mock::start(&["--allow-host", NAME]), Layout::two_platforms());
    let proxy = Proxy::before(&mock.authority);
    let url = proxy.url("CANARY-OTHER");
    let said = sentence(1, &push(&layout, &["--plain-http", "--progress", "none"], &[("HTTP_PROXY", &url)]));
    assert!(said.contains("407") && said.contains("proxy"), "{said}");
    let said = sentence(1, &push(&layout, &["--progress", "none"], &[("HTTPS_PROXY", &url)]));
    assert!(said.contains("407") || said.contains("proxy"), "{said}");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://user:CANARY@{nobody}");
    let said = sentence(1, &push(&layout, &["--progress", "none"], &[("HTTPS_PROXY", &nobody)]));
    assert!(said.contains("or at the proxy that the environment names"), "{said}");
}

/// What should go through a proxy does not go without, and the password in its URL is not told.
#[test]
fn a_proxy_that_cannot_be_used_is_an_error() {
    let layout = Layout::two_platforms();
    for url in ["nonsense://user:CANARY@proxy:1", "http://", "http://user:CANARY@:x"] {
        let none = ["--progress", "none"];
        let said = sentence(1, &push(&layout, &none, &[("HTTPS_PROXY", url)]));
        assert!(said.contains("HTTPS_PROXY names no proxy that can be used"), "{url}: {said}");
        let said = sentence(1, &push(&layout, &none, &[("all_proxy", url)]));
        assert!(said.contains("ALL_PROXY names no proxy that can be used"), "{url}: {said}");
        // It is not for this registry.
        let said = sentence(1, &push(&layout, &none, &[("HTTP_PROXY", url)]));
        assert!(said.contains("no address is known"), "{url}: {said}");
    }
}
