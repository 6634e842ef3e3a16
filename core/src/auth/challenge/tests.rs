use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn registry() -> Target {
    Target::parse("https://reg.example/v2/").unwrap()
}

fn read<V: AsRef<[u8]>>(values: &[V]) -> Challenges {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(value.as_ref()).unwrap());
    }
    Challenges::of(registry().origin(), &registry(), &headers).unwrap()
}

/// The parts of the bearer challenge in one string: realm, service, scopes.
fn bearer(value: &str) -> String {
    let challenges = read(&[value]);
    let Some(bearer) = challenges.bearer() else { return "none".to_owned() };
    let part = |part: Option<&str>| part.unwrap_or("-").to_owned();
    format!("{} {} [{}]", part(bearer.realm()), part(bearer.service()), bearer.scopes().join("|"))
}

fn names(values: &[&str]) -> Vec<String> {
    let name = |challenge: &Challenge| match challenge {
        Challenge::Bearer(_) => "BEARER".to_owned(),
        Challenge::Basic => "BASIC".to_owned(),
        Challenge::Other(name) => name.clone(),
    };
    read(values).iter().map(name).collect()
}

#[test]
fn odd_quoting_is_read() {
    let table = [
        (r#"Bearer realm="https://a/t",service="s",scope="x:y:z""#, "https://a/t s [x:y:z]"),
        (r#"bearer realm=https://a/t,service=s"#, "https://a/t s []"),
        ("Bearer realm='https://a/t,service=s", "'https://a/t s []"),
        (r#"BEARER   REALM = "https://a/t" ,  Service= s"#, "https://a/t s []"),
        (r#"Bearer realm="https://a/t" service="s""#, "https://a/t s []"),
        (r#"Bearer realm="https://a/t";service="s""#, "https://a/t s []"),
        (r#"Bearer realm='https://a/t',scope='r:a:pull,push'"#, "https://a/t - [r:a:pull,push]"),
        (r#"Bearer realm="a\"b\\c",service="""#, r#"a"b\c - []"#),
        (r#"Bearer realm="https://a/t"",service="s""#, "https://a/t s []"),
        (r#"Bearer realm="https://a/t,service="#, "https://a/t,service= - []"),
        (r#"Bearer realm="https://a/t"#, "https://a/t - []"),
        (r#"Bearer realm=,service="s""#, "- s []"),
        (r#"Bearer service="s\"#, "- s []"),
        (r#"Bearer ,,, realm="https://a/t",,"#, "https://a/t - []"),
        (r#"Bearer realm="first",realm="second""#, "first - []"),
        (r#"Bearer x="a, Basic realm=b",realm="r""#, "r - []"),
        (r#"realm="https://a/t""#, "none"),
        ("Bearer", "- - []"),
        ("", "none"),
        (",=\"\\", "none"),
    ];
    for (value, expected) in table {
        assert_eq!(bearer(value), expected, "{value}");
    }
}

#[test]
fn token68_is_passed_over() {
    assert_eq!(names(&["Negotiate abc/+==, Bearer realm=\"x\""]), ["negotiate", "BEARER"]);
    assert_eq!(names(&["Negotiate YII=, Basic"]), ["negotiate", "BASIC"]);
    assert_eq!(names(&["NTLM TlRMTVNTUAAC , Basic realm=x"]), ["ntlm", "BASIC"]);
    assert_eq!(names(&["Negotiate abc"]), ["negotiate"]);
}

#[test]
fn challenge_multiple_schemes() {
    let one = r#"Negotiate, Basic realm="a, b", Bearer realm="https://a/t",service="s""#;
    assert_eq!(names(&[one]), ["negotiate", "BASIC", "BEARER"]);
    assert_eq!(bearer(one), "https://a/t s []");
    let many = ["Digest realm=\"x\", nonce=\"y==\"", "Bearer realm=\"https://a/t\"", "Basic realm=x"];
    assert_eq!(names(&many), ["digest", "BEARER", "BASIC"]);
    // A token service that cannot be asked does not stand before one that can.
    let two = r#"Bearer error="x", Bearer realm="https://a/t""#;
    assert_eq!(bearer(two), "https://a/t - []");
}

#[test]
fn challenge_two_headers_bare_basic() {
    let challenges = read(&[r#"Bearer realm="https://git.example/v2/token""#, "Basic"]);
    assert!(challenges.basic());
    assert_eq!(challenges.bearer().unwrap().realm(), Some("https://git.example/v2/token"));
    assert_eq!(challenges.bearer().unwrap().service(), None);
}

#[test]
fn ping_200_with_challenge() {
    // The status is not even asked for; scheme in lower case, values bare.
    assert_eq!(bearer("bearer realm=https://zot.example/token"), "https://zot.example/token - []");
    assert!(read(&["basic realm=zot"]).basic());
}

#[test]
fn challenge_multi_scope_one_param() {
    let value = r#"Bearer realm="r",scope="repository:b:pull,push repository:a:pull""#;
    assert_eq!(bearer(value), "r - [repository:b:pull,push|repository:a:pull]");
    assert_eq!(bearer(r#"Bearer realm="r",scope="a:b:c",scope="a:b:c d:e:f""#), "r - [a:b:c|d:e:f]");
}

#[test]
fn challenge_scope_star() {
    let value = r#"Bearer realm="https://git.example/v2/token",service="container_registry",scope="*""#;
    assert_eq!(bearer(value), "https://git.example/v2/token container_registry [*]");
}

#[test]
fn challenge_without_scope() {
    assert_eq!(bearer(r#"Bearer realm="https://o/t",service="o""#), "https://o/t o []");
}

#[test]
fn challenge_scope_parameter_empty_or_invalid() {
    assert_eq!(bearer(r#"Bearer realm="r",scope="""#), "r - []");
    assert_eq!(bearer(r#"Bearer realm="r",scope="   ""#), "r - []");
    assert_eq!(bearer(r#"Bearer realm="r",scope="::,,""#), "r - [::,,]");
}

#[test]
fn challenge_no_service() {
    assert_eq!(bearer(r#"Bearer realm="https://o/t""#), "https://o/t - []");
    assert_eq!(bearer(r#"Bearer realm="https://o/t",service="""#), "https://o/t - []");
}

#[test]
fn challenge_realm_not_a_uri() {
    assert!(read(&["Basic realm=\"Registry Realm\""]).basic());
    assert_eq!(bearer(r#"Bearer realm="Registry Realm""#), "Registry Realm - []");
}

#[test]
fn challenge_missing_www_authenticate() {
    let none = read::<&str>(&[]);
    assert!(none.is_empty() && none.bearer().is_none() && !none.basic());
}

#[test]
fn insufficient_scope_is_told_apart() {
    assert!(read(&[r#"Bearer realm="r",error="insufficient_scope""#]).bearer().unwrap().insufficient_scope());
    assert!(!read(&[r#"Bearer realm="r",error="invalid_token""#]).bearer().unwrap().insufficient_scope());
}

#[test]
fn i4_only_the_registry_may_ask() {
    let mut headers = HeaderMap::new();
    let store = Target::parse("https://reg.example:8443/blob").unwrap();
    assert!(Challenges::of(registry().origin(), &store, &headers).unwrap().is_empty());
    for value in ["Basic", "Bearer realm=\"https://reg.example/token\"", "Negotiate", ""] {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(value));
        let refused = Challenges::of(registry().origin(), &store, &headers).unwrap_err();
        assert_eq!(refused.from, *store.origin());
    }
}

#[test]
fn i25_sixteen_challenges_are_read() {
    let exactly = vec!["Basic"; MAX_CHALLENGES - 1].join(", ") + ", Bearer realm=x";
    assert_eq!(read(&[&exactly]).bearer().unwrap().realm(), Some("x"));
    let one_more = vec!["Basic"; MAX_CHALLENGES].join(", ") + ", Bearer realm=x";
    assert_eq!(read(&[&one_more]).iter().count(), MAX_CHALLENGES);
    assert!(read(&[&one_more]).bearer().is_none());
    let spread = vec!["Basic".to_owned(); MAX_CHALLENGES + 1];
    assert_eq!(read(&spread).iter().count(), MAX_CHALLENGES);
}

#[test]
fn i25_thirty_two_parameters_are_read() {
    let with = |others: usize| format!("Bearer {}realm=x", "a=b,".repeat(others));
    assert_eq!(bearer(&with(MAX_PARAMETERS - 1)), "x - []");
    assert_eq!(bearer(&with(MAX_PARAMETERS)), "- - []");
}

#[test]
fn i25_sixteen_scopes_are_kept() {
    let scopes: Vec<String> = (0..=MAX_SCOPES).map(|i| format!("a:{i}:pull")).collect();
    let value = format!("Bearer realm=r,scope=\"{}\"", scopes.join(" "));
    assert_eq!(read(&[&value]).bearer().unwrap().scopes(), &scopes[..MAX_SCOPES]);
    let long = format!("Bearer realm=r,scope=\"{} {}\"", "a".repeat(MAX_SCOPE_LEN + 1), "b".repeat(MAX_SCOPE_LEN));
    assert_eq!(read(&[&long]).bearer().unwrap().scopes(), ["b".repeat(MAX_SCOPE_LEN)]);
}

#[test]
fn i23_sixty_four_kibibytes_are_read() {
    let filler = |len: usize| "x".repeat(len);
    let value = "Bearer realm=x";
    assert!(read(&[filler(MAX_CHALLENGE_LEN - value.len()), value.to_owned()]).bearer().is_some());
    assert!(read(&[filler(MAX_CHALLENGE_LEN - value.len() + 1), value.to_owned()]).bearer().is_none());
    let long = format!("Bearer realm=\"{}\"", filler(MAX_PARAMETER_LEN + 1));
    assert_eq!(bearer(&long), "- - []");
}

/// Bytes of the kind that challenges are made of.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words =
        ["Bearer", "basic", " ", ",", "=", "\"", "\\", "'", "realm", "scope", "https://a/t", "==", ";", "\t", "é"];
    let piece = prop_oneof![
        8 => proptest::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn i27_any_challenge_is_read_within_limits(values in proptest::collection::vec(pieces(), 0..20)) {
        let mut headers = HeaderMap::new();
        for value in values {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(WWW_AUTHENTICATE, value);
            }
        }
        let challenges = Challenges::of(registry().origin(), &registry(), &headers).unwrap();
        prop_assert!(challenges.iter().count() <= MAX_CHALLENGES);
        if let Some(bearer) = challenges.bearer() {
            prop_assert!(bearer.scopes().iter().all(|scope| !scope.is_empty() && !scope.contains(' ')));
            prop_assert_ne!(bearer.realm(), Some(""));
        }
    }

    #[test]
    fn a_well_formed_challenge_is_read_as_it_was_written(
        realm in "[ -~]{1,60}",
        service in "[ -~]{1,60}",
        scopes in proptest::collection::vec("[a-z:,*]{1,20}", 0..5),
    ) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let value =
            format!("Bearer realm={}, service={},scope={}", quoted(&realm), quoted(&service), quoted(&scopes.join(" ")));
        let challenges = read(&[&value]);
        let bearer = challenges.bearer().unwrap();
        prop_assert_eq!(bearer.realm(), Some(&*realm));
        prop_assert_eq!(bearer.service(), Some(&*service));
        let mut expected: Vec<String> = Vec::new();
        for scope in scopes {
            if !expected.contains(&scope) {
                expected.push(scope);
            }
        }
        prop_assert_eq!(bearer.scopes(), &*expected);
    }
}
