//! Hosts that are not on the public internet: those of this machine and of private networks, and reserved addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Host;

/// Names of this machine, in addition to those under `localhost`: those that `/etc/hosts` has on common systems.
const LOCAL_NAMES: [&str; 6] =
    ["localhost", "localhost.localdomain", "localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback"];

/// Whether a host is on the public internet, as far as its text shows.
///
/// Names are not resolved here. A transport that resolves a name can check the result with [`is_public_address`];
/// otherwise a name that resolves to a private address is treated as public.
#[must_use]
pub fn is_public(host: &Host) -> bool {
    match (host.address(), host.name()) {
        (Some(address), _) => is_public_address(address),
        (None, Some(name)) => !LOCAL_NAMES.contains(&name) && !name.ends_with(".localhost"),
        (None, None) => false,
    }
}

/// Whether an address is for use on the public internet (IANA's special-purpose registries, RFC 6890).
///
/// An IPv6 address that contains an IPv4 address (mapped, NAT64, 6to4) is checked as that IPv4 address.
#[must_use]
pub fn is_public_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => inner_v4(address).map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127, ..]          // this network, private, loopback
            | [100, 64..=127, ..]   // shared by carriers
            | [169, 254, ..]        // link-local, and the metadata services of clouds
            | [172, 16..=31, ..]    // private
            | [192, 0, 0 | 2, _]    // protocol assignments, documentation
            | [192, 88, 99, _]      // relays of 6to4
            | [192, 168, ..]        // private
            | [198, 18 | 19, ..]    // benchmarks
            | [198, 51, 100, _]     // documentation
            | [203, 0, 113, _]      // documentation
            | [224..=255, ..] // multicast, reserved, broadcast
    )
}

/// Global unicast is `2000::/3`, except for some blocks.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..=0x1ff, ..]             // protocol assignments: Teredo, benchmarks, ORCHID
        | [0x2001, 0xdb8, ..]               // documentation
        | [0x3fff, 0..=0xfff, ..] => false, // documentation
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

/// The IPv4 address that an IPv6 address contains.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(v4(high, low))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn i6_special_use_addresses_are_refused() {
        let special = "
            localhost LOCALHOST a.localhost a.b.localhost localhost.localdomain ip6-localhost 0.0.0.0
            0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.1.2.3 169.254.169.254
            169.254.0.1 172.16.0.0 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
            192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.255
            240.0.0.1 255.255.255.255 [::] [::1] [::7f00:1] [::ffff:127.0.0.1] [::ffff:10.0.0.1]
            [::ffff:a9fe:a9fe] [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::1] [64:ff9b::1:0:0]
            [2002:7f00:1::] [2002:a00:1::1] [2002:c0a8:101::] [2001::1] [2001:0:4136:e378::] [2001:2::1]
            [2001:10::1] [2001:20::1] [2001:db8::1] [3fff::1] [3fff:fff:ffff::1] [5f00::1] [100::1]
            [100:0:0:1::1] [fc00::1] [fd00:ec2::254] [fe80::1] [febf::1] [fec0::1] [ff02::1] [4000::1]
        ";
        for host in special.split_whitespace() {
            assert!(!is_public(&host.parse().unwrap()), "{host}");
        }
        let public = "
            reg.example localhost.example notlocalhost 1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255
            100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0
            192.0.1.0 192.0.3.0 192.88.98.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0
            198.51.99.0 203.0.112.0 223.255.255.255 [2606:4700::1111] [2001:4860:4860::8888] [2001:200::1]
            [::ffff:1.1.1.1] [64:ff9b::101:101] [2002:101:101::1] [2003::1] [3ffe::1] [2000::1]
            [3fff:1000::1]
        ";
        for host in public.split_whitespace() {
            assert!(is_public(&host.parse().unwrap()), "{host}");
        }
        assert!(special.split_whitespace().count() >= 60 && public.split_whitespace().count() >= 30);
    }

    /// The blocks in the other notation: an address and how many leading bits count.
    const SPECIAL_V4: [(u32, u32); 15] = [
        (0x0000_0000, 8),
        (0x0a00_0000, 8),
        (0x6440_0000, 10),
        (0x7f00_0000, 8),
        (0xa9fe_0000, 16),
        (0xac10_0000, 12),
        (0xc000_0000, 24),
        (0xc000_0200, 24),
        (0xc058_6300, 24),
        (0xc0a8_0000, 16),
        (0xc612_0000, 15),
        (0xc633_6400, 24),
        (0xcb00_7100, 24),
        (0xe000_0000, 4),
        (0xf000_0000, 4),
    ];

    fn in_special_v4(address: u32) -> bool {
        SPECIAL_V4.iter().any(|(block, bits)| (address ^ block) >> (32 - bits) == 0)
    }

    proptest! {
        #[test]
        fn i6_all_of_every_special_block_is_refused(block in proptest::sample::select(SPECIAL_V4.to_vec()), host: u32) {
            let (address, bits) = block;
            let inside = address | (host & (u32::MAX >> bits));
            prop_assert!(!is_public_address(Ipv4Addr::from(inside).into()));
        }

        #[test]
        fn i6_an_ipv4_address_is_judged_alike_in_every_notation(any: u32, rest: u128, near in 0..15_usize, one: bool) {
            // Half of them next to a border, where mistakes are made.
            let (block, bits) = SPECIAL_V4[near];
            let address = if one { any } else { block.wrapping_add(1 << (32 - bits)).wrapping_sub(any & 1) };
            let expected = !in_special_v4(address);
            let v4 = u128::from(address);
            let six_to_four = (0x2002 << 112) | (v4 << 80) | (rest & ((1 << 80) - 1));
            prop_assert_eq!(is_public_address(Ipv4Addr::from(address).into()), expected);
            for v6 in [(0xffff << 32) | v4, (0x64_ff9b << 96) | v4, six_to_four] {
                prop_assert_eq!(is_public_address(Ipv6Addr::from(v6).into()), expected, "{}", Ipv6Addr::from(v6));
            }
        }

        #[test]
        fn i6_only_global_unicast_is_public(any: u128) {
            let address = Ipv6Addr::from(any);
            if is_public_address(address.into()) {
                let mapped = inner_v4(address).is_some();
                prop_assert!(mapped || address.segments()[0] >> 13 == 1);
                prop_assert!(!address.is_loopback() && !address.is_unspecified() && !address.is_multicast());
                prop_assert!(!address.is_unique_local() && !address.is_unicast_link_local());
            }
        }
    }
}
