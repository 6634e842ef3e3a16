use proptest::prelude::*;

use super::*;

fn base() -> Target {
    Target::parse("https://reg.example/v2/a/blobs/uploads/").unwrap()
}

fn url(target: &Target) -> String {
    format!("{}{}", target.origin(), target.path_and_query())
}

#[test]
fn i20_references_resolve_byte_for_byte() {
    let table = [
        ("/up/1", "https://reg.example/up/1"),
        ("/up/1?_state=a%2Fb&x==&&", "https://reg.example/up/1?_state=a%2Fb&x==&&"),
        ("abc", "https://reg.example/v2/a/blobs/uploads/abc"),
        ("abc?x=/?", "https://reg.example/v2/a/blobs/uploads/abc?x=/?"),
        ("?x=1", "https://reg.example/v2/a/blobs/uploads/?x=1"),
        ("//other.example/u", "https://other.example/u"),
        ("http://REG.example:80/u#frag", "http://reg.example/u"),
        ("HTTPS://reg.example:443", "https://reg.example/"),
        ("https://reg.example:5000?x", "https://reg.example:5000/?x"),
        ("https://reg.example:65535/u", "https://reg.example:65535/u"),
        ("https://[::1]:5000/u", "https://[::1]:5000/u"),
        ("https://[0:0:0:0:0:0:0:1]/u", "https://[::1]/u"),
    ];
    for (reference, expected) in table {
        assert_eq!(base().resolve(reference).map(|t| url(&t)), Ok(expected.to_owned()), "{reference}");
    }
}

#[test]
fn i20_i21_what_stacks_read_differently_is_refused() {
    use TargetError as E;
    let table = [
        ("", E::Empty),
        ("#x", E::Empty),
        ("/\\evil/x", E::Character),
        ("//\\evil/x", E::Host(HostError::Malformed)),
        ("////evil/x", E::NoHost),
        ("https:/evil/x", E::NoHost),
        ("https:evil/x", E::NoHost),
        ("https:///x", E::NoHost),
        ("https://ev\til/x", E::Host(HostError::Malformed)),
        ("\t/x", E::Character),
        (" /x", E::Character),
        ("/x y", E::Character),
        ("/é", E::Character),
        ("/x'", E::Character),
        ("/x?a=<b>", E::Character),
        ("/%zz", E::Character),
        ("/%2", E::Character),
        ("https://reg.example%2eevil/x", E::Host(HostError::Malformed)),
        ("https://reg.example:99999/", E::Port),
        ("https://reg.example:000443/", E::Port),
        ("https://reg.example:0/", E::Port),
        ("https://reg.example:+80/", E::Port),
        ("https://reg.example:/", E::Port),
        ("https://reg.example./", E::Host(HostError::TrailingDot)),
        ("https://./", E::Host(HostError::Malformed)),
        ("https://-a.example/", E::Host(HostError::Malformed)),
        ("https://a-.example/", E::Host(HostError::Malformed)),
        ("https://user:pw@reg.example/", E::UserInfo),
        ("https://reg.example@evil/", E::UserInfo),
        ("https://0x7f.1/", E::Host(HostError::Number)),
        ("https://2130706433/", E::Host(HostError::Number)),
        ("https://127.1/", E::Host(HostError::Number)),
        ("https://0/", E::Host(HostError::Number)),
        ("https://0177.0.0.1/", E::Host(HostError::Number)),
        ("https://①②⑦.0.0.1/", E::Host(HostError::Malformed)),
        ("https://xn--e1afmkfd.example/", E::Host(HostError::Internationalised)),
        ("https://[::1%25eth0]/", E::Host(HostError::Malformed)),
        ("https://::1/", E::Host(HostError::Malformed)),
        ("ftp://reg.example/", E::Scheme),
        ("javascript:alert(1)", E::Scheme),
        ("file:///etc/passwd", E::Scheme),
        ("ws://reg.example/", E::Scheme),
        ("/a/../b", E::DotSegment),
        ("/a/%2e%2E/b", E::DotSegment),
        ("../b", E::DotSegment),
        ("./b", E::DotSegment),
        ("https://reg.example//evil", E::DoubleSlash),
    ];
    for (reference, expected) in table {
        assert_eq!(base().resolve(reference), Err(expected), "{reference}");
    }
    let long = format!("/{}", "a".repeat(MAX_REFERENCE_LEN));
    assert_eq!(base().resolve(&long), Err(E::TooLong));
    assert!(base().resolve(&long[1..]).is_ok());
}

#[test]
fn i20_only_the_parameter_is_appended() {
    let digest = "sha256:aa";
    let table = [
        ("/u", "/u?digest=sha256%3Aaa"),
        ("/u?", "/u?digest=sha256%3Aaa"),
        ("/u?_state=a%2Fb%3d", "/u?_state=a%2Fb%3d&digest=sha256%3Aaa"),
        ("/u?a&", "/u?a&digest=sha256%3Aaa"),
    ];
    for (location, expected) in table {
        let target = base().resolve(location).unwrap().with_query("digest", digest);
        assert_eq!(target.path_and_query(), expected);
        assert_eq!(target.uri().unwrap().path_and_query().unwrap().as_str(), expected);
    }
}

#[test]
fn i29_secret_query_values_are_not_shown() {
    let target = base().resolve("/u?_state=SECRET&digest=sha256:aa&X-Amz-Signature=SECRET&SECRET&from=a/b").unwrap();
    assert_eq!(target.to_string(), "https://reg.example/u?_state=…&digest=sha256:aa&X-Amz-Signature=…&…&from=a/b");
    assert_eq!(format!("{target:?}"), target.to_string());
    // Nor where another server would end the value, or the key.
    let odd = [
        "digest=a;sig=SECRET",
        "digest=a?sig=SECRET",
        "n=1=SECRET",
        "Digest=SECRET",
        "%64igest=SECRET",
        "digest=(SECRET",
        "SECRET=",
        "SECRET==",
    ];
    for query in odd {
        let target = base().resolve(&format!("/u?{query}")).unwrap();
        assert!(!format!("{target} {target:?}").contains("SECRET"), "{target}");
    }
    let all =
        "scope=repository:a/b:pull,push&service=r&mount=x&from=a%2Fb&digest=d&n=1&last=z&artifactType=a/b+c&ns=d.io";
    assert_eq!(base().resolve(&format!("/u?{all}")).unwrap().to_string(), format!("https://reg.example/u?{all}"));
    for key in ["account", "token", "access_token", "sig", "_state", "X-Amz-Credential", "refresh_token", "code"] {
        let shown = base().resolve(&format!("/u?{key}=SECRET")).unwrap().to_string();
        assert_eq!(shown, format!("https://reg.example/u?{key}=…"));
    }
}

#[test]
fn a_host_has_at_most_253_characters() {
    let longest = "a.".repeat(126) + "a";
    assert_eq!(longest.parse::<Host>().map(|host| format!("{host:?}")), Ok(longest.clone()));
    assert_eq!((longest + "a").parse::<Host>(), Err(HostError::Malformed));
}

#[test]
fn the_local_machine_is_loopback() {
    for (host, expected) in [
        ("localhost", true),
        ("a.localhost", true),
        ("127.9.9.9", true),
        ("[::1]", true),
        ("[::ffff:127.0.0.1]", true),
        ("localhost.example", false),
        ("notlocalhost", false),
        ("10.0.0.1", false),
    ] {
        assert_eq!(host.parse::<Host>().unwrap().is_loopback(), expected, "{host}");
    }
}

#[test]
fn a_query_without_parameters_is_shown_as_it_is() {
    for url in ["https://reg.example/u?", "https://reg.example/u?n=1&&last=z&"] {
        assert_eq!(Target::parse(url).unwrap().to_string(), url);
    }
    assert_eq!(format!("{:?}", base().origin()), "https://reg.example");
}

#[test]
fn i30_a_long_url_is_cut_where_it_is_shown() {
    let target = base().resolve(&format!("/{}", "a".repeat(4000))).unwrap();
    assert_eq!(target.to_string().len(), crate::text::MAX_SHOWN_LEN);
}

/// What the two stacks that transports are built on make of a URL must be what we made of it.
fn assert_agreement(target: &Target, text: &str) {
    let origin = target.origin();
    let whole = format!("{}{}", origin, target.path_and_query());

    let uri: http::Uri = whole.parse().unwrap_or_else(|e| panic!("http::Uri refuses {whole} from {text:?}: {e}"));
    assert_eq!(uri.scheme_str(), Some(origin.scheme().as_str()), "{text:?}");
    assert_eq!(uri.host(), Some(&*origin.host().to_string()), "{text:?}");
    assert_eq!(uri.port_u16().unwrap_or(origin.scheme().default_port()), origin.port(), "{text:?}");
    assert_eq!(uri.path_and_query().map(http::uri::PathAndQuery::as_str), Some(target.path_and_query()), "{text:?}");
    assert_eq!(target.uri().unwrap(), uri, "{text:?}");

    let url: url::Url = whole.parse().unwrap_or_else(|e| panic!("url refuses {whole} from {text:?}: {e}"));
    assert_eq!(url.scheme(), origin.scheme().as_str(), "{text:?}");
    match (url.host().unwrap(), origin.host().address()) {
        (url::Host::Domain(name), None) => assert_eq!(Some(name), origin.host().name(), "{text:?}"),
        (url::Host::Ipv4(address), Some(ours)) => assert_eq!(std::net::IpAddr::V4(address), ours, "{text:?}"),
        (url::Host::Ipv6(address), Some(ours)) => assert_eq!(std::net::IpAddr::V6(address), ours, "{text:?}"),
        (theirs, _) => panic!("url reads the host of {whole} as {theirs}, from {text:?}"),
    }
    assert_eq!(url.port_or_known_default(), Some(origin.port()), "{text:?}");
    let path_and_query = url.as_str().split_at(url.as_str().len() - target.path_and_query().len()).1;
    assert_eq!(path_and_query, target.path_and_query(), "{text:?}");
    assert_eq!(url.path(), target.path(), "{text:?}");
    assert_eq!(url.query(), target.query(), "{text:?}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{text:?}");
}

/// Where ours accepts a reference, `url` resolves it to the same place: byte for byte, but for a fragment.
fn assert_same_resolution(base: &Target, text: &str) {
    let Ok(target) = base.resolve(text) else { return };
    assert_agreement(&target, text);
    let base: url::Url = format!("{}{}", base.origin(), base.path_and_query()).parse().unwrap();
    let mut theirs = base.join(text).unwrap_or_else(|e| panic!("url cannot resolve {text:?}: {e}"));
    theirs.set_fragment(None);
    let ours: url::Url = format!("{}{}", target.origin(), target.path_and_query()).parse().unwrap();
    assert_eq!(ours, theirs, "{text:?}");
}

/// Strings that look like URLs, with what goes wrong in them.
fn any_reference() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(vec![
            "https://", "http://", "HTTPS:", "https:", "//", "/", "\\", "?", "#", "@", ":", ".", "..", "%2e", "%2F", "%", "%00",
            "reg.example", "a", "0x7f", "127.0.0.1", "1", "[::1]", "[::ffff:1.2.3.4]", "[", "]", "xn--e1afmkfd", "ab--cd", "_",
            "-", ":443", ":80", ":5000", ":0", ":65536", " ", "\t", "\n", "é", "①", "\u{200b}", "\u{ad}", "&", "=", "'", "\"",
            "<", "|", "^", "`", "{", ";", ",", "+", "!", "*", "(", "~", "localhost",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-zA-Z0-9._~-]{1,12}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// URLs that are mostly right: the host and the rest are odd one at a time.
fn near_url() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        4 => "[a-zA-Z0-9_-]{1,9}(\\.[a-zA-Z0-9_-]{1,9}){0,3}",
        2 => "[0-9a-fA-FxX.]{1,16}",
        2 => any::<[u8; 4]>().prop_map(|a| std::net::Ipv4Addr::from(a).to_string()),
        1 => any::<[u16; 8]>().prop_map(|a| format!("[{}]", std::net::Ipv6Addr::from(a))),
        1 => any::<[u8; 4]>().prop_map(|a| format!("[{}]", std::net::Ipv4Addr::from(a).to_ipv6_mapped())),
        1 => "\\[[0-9a-f:.]{2,20}\\]",
        1 => any_reference(),
    ];
    let rest = prop_oneof![
        1 => any_reference(),
        1 => "(/[!-~]{0,8}){0,4}(\\?[!-~]{0,20})?",
        4 => "(/([a-zA-Z0-9._~!$&()*+,;=:@-]|%[0-9a-fA-F]{2}){0,6}){0,4}(\\?[a-zA-Z0-9._~!$&()*+,;=:@/?-]{0,20})?",
    ];
    (
        "(https?|HTTPS|Http)://",
        host,
        prop_oneof![2 => Just(String::new()), 1 => ":[0-9]{1,5}", 1 => ":[0-9]{0,6}"],
        rest,
    )
        .prop_map(|(scheme, host, port, rest)| format!("{scheme}{host}{port}{rest}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn i21_what_is_accepted_is_read_alike_by_others(text in prop_oneof![any_reference(), near_url()]) {
        if let Ok(target) = Target::parse(&text) {
            assert_agreement(&target, &text);
        }
    }

    #[test]
    fn i21_what_is_resolved_is_resolved_alike_by_others(text in prop_oneof![any_reference(), near_url()], base in 0..3_usize) {
        let bases = ["https://reg.example/v2/a/blobs/uploads/", "http://[::1]:5000/u?x=/y", "https://1.1.1.1:444/"];
        assert_same_resolution(&Target::parse(bases[base]).unwrap(), &text);
    }
}
