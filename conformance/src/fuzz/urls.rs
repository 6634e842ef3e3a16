//! URLs from the network: whatever is accepted, every HTTP stack reads as it was read here.

use longshore_core::{Host, Target};

use super::assert_harmless;

/// What answers in these tests, after redirects.
pub(super) fn base() -> Target {
    Target::parse("https://reg.example/v2/a/blobs/uploads/?_state=x").unwrap()
}

/// A URL reference, as in `Location`; with a second line, the first is what it is relative to.
///
/// # Panics
/// Where another reader would go somewhere else with what was accepted (security invariants I20 and I21).
pub fn location_resolve(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (base, reference) = match text.split_once('\n') {
        Some((first, reference)) => (Target::parse(first).unwrap_or_else(|_| base()), reference),
        None => (base(), text),
    };
    match base.resolve(reference) {
        Ok(target) => judge_resolved(&base, &target, reference),
        Err(error) => assert_harmless(&error.to_string()),
    }
}

/// Holds what was made of a reference against `url`, against `http::Uri`, and against its own bytes.
pub(super) fn judge_resolved(base: &Target, target: &Target, reference: &str) {
    let origin = target.origin();
    let whole = format!("{origin}{}", target.path_and_query());

    let uri: http::Uri = whole.parse().unwrap_or_else(|error| panic!("http refuses {whole}: {error}"));
    assert_eq!(uri.scheme_str(), Some(origin.scheme().as_str()), "{reference:?}");
    assert_eq!(uri.host(), Some(&*origin.host().to_string()), "{reference:?}");
    assert_eq!(uri.port_u16().unwrap_or(origin.scheme().default_port()), origin.port(), "{reference:?}");
    assert_eq!(uri.path_and_query().unwrap().as_str(), target.path_and_query(), "{reference:?}");
    assert_eq!(target.uri().unwrap(), uri, "{reference:?}");

    judge_url(&whole.parse().unwrap(), target);
    // The other reader resolves the reference itself.
    let base: url::Url = format!("{}{}", base.origin(), base.path_and_query()).parse().unwrap();
    judge_url(&base.join(reference).unwrap_or_else(|error| panic!("url refuses {reference:?}: {error}")), target);

    // Path and query are the reference's last bytes, up to the fragment.
    let sent = reference.split('#').next().unwrap_or_default();
    let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
    assert!(sent.ends_with(&query), "{reference:?} became {whole}");
    assert_harmless(&target.to_string());

    let more = target.with_query("digest", "sha256:0").path_and_query().to_owned();
    assert!(more.starts_with(target.path_and_query()) && more.ends_with("digest=sha256%3A0"), "{more}");
}

fn judge_url(url: &url::Url, target: &Target) {
    let origin = target.origin();
    assert_eq!(url.scheme(), origin.scheme().as_str(), "{url}");
    judge_host(url, origin.host());
    assert_eq!(url.port_or_known_default(), Some(origin.port()), "{url}");
    assert_eq!((url.username(), url.password()), ("", None), "{url}");
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    assert_eq!(format!("{}{query}", url.path()), target.path_and_query(), "{url}");
}

/// The same host. An address of IPv6 that holds one of IPv4 is written in two ways.
pub(super) fn judge_host(url: &url::Url, host: &Host) {
    match (url.host(), host.address()) {
        (Some(url::Host::Ipv6(address)), expected) => assert_eq!(Some(address.into()), expected, "{url}"),
        (Some(seen), _) => assert_eq!(seen.to_string(), host.to_string(), "{url}"),
        (None, _) => panic!("{url} has no host"),
    }
}
