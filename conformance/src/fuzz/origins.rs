//! Hosts and addresses: where a registry may send a client at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use longshore_core::target::{Policy, Source, admit, is_public_address};
use longshore_core::{Host, Registry, Target};

use super::assert_harmless;
use super::urls::{base, judge_host};

/// Sixteen bytes are an address of IPv6, four one of IPv4; everything is a host as it stands in a URL too.
///
/// # Panics
/// Where an address that the standard library knows to be of this machine or network is public, where an address counts for
/// more in another notation, and where a host that is no public one is admitted (security invariants I6 and I7).
pub fn origin_classify(bytes: &[u8]) {
    if let Ok(octets) = <[u8; 16]>::try_from(bytes) {
        judge_v6(Ipv6Addr::from(octets));
    }
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        judge_v4(Ipv4Addr::from(octets));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<Host>() {
        Ok(host) => judge(&host),
        Err(error) => assert_harmless(&error.to_string()),
    }
}

fn judge_v4(address: Ipv4Addr) {
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || address.is_unspecified();
    let is_public = is_public_address(IpAddr::V4(address));
    assert!(!(is_special && is_public), "{address} is no public address");
    let [a, b, c, d] = address.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    for other in [
        address.to_ipv6_mapped(),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
    ] {
        assert_eq!(is_public_address(IpAddr::V6(other)), is_public, "{other} leads to {address}");
    }
    judge(&address.to_string().parse().expect("an address is a host"));
}

fn judge_v6(address: Ipv6Addr) {
    let is_special = address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local();
    assert!(!(is_special && is_public_address(IpAddr::V6(address))), "{address} is no public address");
    if let Some(inner) = address.to_ipv4_mapped() {
        judge_v4(inner);
    }
    judge(&format!("[{address}]").parse().expect("an address is a host"));
}

/// `url` sees the same host, and a registry leads there only where it is public, or its own.
fn judge(host: &Host) {
    let whole = format!("https://{host}/u");
    let url: url::Url = whole.parse().unwrap_or_else(|error| panic!("url refuses {whole}: {error}"));
    judge_host(&url, host);
    assert_eq!(host.to_string().parse().as_ref(), Ok(host));
    let (from, to) = (base(), Target::parse(&whole).expect("a host stands in a URL"));
    for source in [Source::Location, Source::Redirect, Source::Realm, Source::RealmRedirect, Source::Link] {
        match admit(&Policy::default(), from.origin(), &from, to.clone(), source) {
            Ok(admitted) => {
                let is_own = to.origin() == from.origin();
                let is_public = longshore_core::target::is_public(host);
                assert!(is_own || is_public, "{host} is admitted as {source:?}");
                assert!(!admitted.credentials_may_follow || is_own || source == Source::Realm, "{host}: {source:?}");
            }
            Err(refusal) => assert_harmless(&refusal.to_string()),
        }
    }
    // What calls itself a registry at that host is this origin. Docker Hub has a name for people, and another for requests.
    if let Ok(registry) = host.to_string().parse::<Registry>()
        && !registry.is_docker_hub()
    {
        assert_eq!(registry.origin().host().to_string(), host.to_string());
    }
}
