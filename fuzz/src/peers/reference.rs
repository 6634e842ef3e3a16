//! `oci-spec`: references by one regular expression, as Docker's.

use longshore_core::{Reference, ReferenceError};
use oci_spec::distribution::Reference as TheirReference;

/// A reference.
///
/// # Panics
/// Where both read it, and it means something else; and where one alone reads it, without a reason of these lists.
pub fn peers_reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match (text.parse::<Reference>(), text.parse::<TheirReference>()) {
        (Ok(ours), Ok(theirs)) => {
            let tag = ours.tag.as_ref().map(ToString::to_string);
            // Where neither tag nor digest is written, oci-spec adds `latest`; ours leaves that to whoever pulls.
            let is_latest = tag.is_none() && ours.digest.is_none() && theirs.tag() == Some("latest");
            assert!(is_latest || tag.as_deref() == theirs.tag(), "{text}");
            assert_eq!(ours.digest.map(|digest| digest.to_string()).as_deref(), theirs.digest(), "{text}");
            let registry = same_for_us(theirs.registry());
            // Where a name of Docker Hub has capitals, oci-spec takes it for another host.
            let library = if registry == "docker.io" && !theirs.repository().contains('/') { "library/" } else { "" };
            assert_eq!(ours.repository.as_str(), format!("{library}{}", theirs.repository()), "{text}");
            assert_eq!(ours.registry.to_string().trim_end_matches(":443"), registry, "{text}");
        }
        (Ok(ours), Err(error)) => {
            assert!(why_they_refuse(text, &ours).is_some(), "oci-spec alone refuses {text}: {error}");
        }
        (Err(error), Ok(theirs)) => {
            assert!(why_we_refuse(&error, &theirs).is_some(), "ours alone refuses {text}: {error}");
        }
        (Err(_), Err(_)) => {}
    }
}

/// Their registry as ours writes it: in lower case, Docker Hub by one name, and a port as a number that is left out where it is
/// that of HTTPS.
fn same_for_us(registry: &str) -> String {
    let registry = registry.to_ascii_lowercase();
    let (host, port) = registry.split_once(':').map_or((&registry[..], None), |(host, port)| (host, Some(port)));
    let is_hub = matches!(host, "index.docker.io" | "registry-1.docker.io");
    let host = if is_hub { "docker.io" } else { host };
    match port.map(|port| port.trim_start_matches('0')) {
        None | Some("443") => host.to_owned(),
        Some(port) => format!("{host}:{port}"),
    }
}

/// What ours reads and `oci-spec` does not.
fn why_they_refuse(text: &str, ours: &Reference) -> Option<&'static str> {
    if text.contains('[') {
        return Some("an address of IPv6 is a host");
    }
    if ours.registry.to_string().contains('_') || ours.registry.to_string().contains("..") {
        return Some("a name in DNS may have an underscore");
    }
    None
}

/// What `oci-spec` reads and ours does not.
fn why_we_refuse(error: &ReferenceError, theirs: &TheirReference) -> Option<&'static str> {
    match error {
        ReferenceError::Tag(_) if theirs.tag().is_some_and(|tag| !tag.is_ascii()) => Some("a tag is ASCII"),
        ReferenceError::NoRepository => Some("this machine and an address are registries, and no images"),
        ReferenceError::Digest(_) => Some("a digest is lower case, and of an algorithm that can be checked"),
        ReferenceError::Registry(_) => {
            Some("a host is what a URL can hold: no port above 65535, no number that is no address")
        }
        // Where such a host has neither dot nor port, oci-spec makes a part of the repository of it after all.
        ReferenceError::Repository(_) if has_capitals(theirs.registry()) || has_capitals(theirs.repository()) => {
            Some("a first part with capitals and without a dot is a host for Docker; here it is a mistake")
        }
        _ => None,
    }
}

fn has_capitals(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_uppercase())
}
