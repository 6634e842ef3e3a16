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
        ("https://reg.example:0/", E::Port),
        ("https://reg.example:+80/", E::Port),
        ("https://reg.example:/", E::Port),
        ("https://reg.example./", E::Host(HostError::TrailingDot)),
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
    assert!(!format!("{target:?}").contains("SECRET"));
}
