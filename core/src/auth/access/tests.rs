use http::HeaderValue;
use http::header::{SET_COOKIE, WWW_AUTHENTICATE};
use proptest::prelude::*;

use super::*;
use crate::auth::Scope;

const BEARER: &str = r#"Bearer realm="https://reg.example/token",service="reg",scope="repository:a:pull,push""#;

fn target(url: &str) -> Target {
    Target::parse(url).unwrap()
}

fn registry() -> Target {
    target("https://reg.example/v2/a/blobs/uploads/")
}

fn push() -> Scopes {
    Scopes::one(Scope::push("a".parse().unwrap()))
}

fn response(status: u16, challenges: &[&str], body: &str) -> Response<Bytes> {
    let mut response = Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
    for challenge in challenges {
        response.headers_mut().append(WWW_AUTHENTICATE, HeaderValue::from_str(challenge).unwrap());
    }
    response
}

/// One registry, and what it makes us do.
struct Talk(Access);

impl Talk {
    fn new() -> Self {
        Self(Access::new(registry().origin().clone()))
    }

    /// In one word: the scopes of the challenge, or what else to do.
    fn after(&mut self, sent: Sent<'_>, tries: u32, response: &Response<Bytes>) -> String {
        let answered = Answered { from: &registry(), response, scopes: &push(), sent, tries, limit: MAX_TRIES };
        match self.0.after(&Policy::default(), &answered) {
            Ok(None) => "none".to_owned(),
            Ok(Some(Next::Token { service, challenged })) => {
                assert_eq!(service.registry(), registry().origin());
                format!("token[{}]", challenged.join(" "))
            }
            Ok(Some(Next::Basic)) => "basic".to_owned(),
            Ok(Some(Next::Renew(_))) => "renew".to_owned(),
            Ok(Some(Next::Ping)) => "ping".to_owned(),
            Ok(Some(Next::Denied(denied))) => denied.to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    fn refused(&mut self, sent: Sent<'_>, tries: u32, challenges: &[&str]) -> String {
        self.after(sent, tries, &response(401, challenges, ""))
    }
}

const TOKEN: Sent<'_> = Sent::Token { challenged: &[] };
const DENIED: &str = "the registry answered 401; log in with an account that has the right to do this";

#[test]
fn a_caller_without_credentials_is_told_to_log_in() {
    let mut talk = Talk::new();
    assert_eq!(talk.refused(Sent::Nothing, 0, &["Basic realm=x"]), "basic");
    assert_eq!(talk.refused(Sent::Nothing, 1, &["Basic realm=x"]), "the registry answered 401; log in to it first");
}

#[test]
fn that_a_password_has_expired_is_looked_for_in_the_first_64_kib() {
    let said = |before: usize| " ".repeat(before) + "Your Authorization Token has expired.";
    for (before, expected) in [(2000, "renew"), (64 * 1024, "none")] {
        let answer = response(403, &[], &said(before));
        assert_eq!(Talk::new().after(Sent::Basic, 0, &answer), expected, "{before}");
    }
}

#[test]
fn challenge_scheme_flips_to_basic() {
    let mut talk = Talk::new();
    assert_eq!(talk.refused(Sent::Nothing, 0, &[BEARER]), "token[repository:a:pull,push]");
    // The token has expired, and the registry now talks of Basic: the token service is still the way.
    assert_eq!(talk.refused(TOKEN, 0, &[r#"Basic realm="harbor""#]), "token[]");
    assert!(!talk.0.wants_basic());
    // Without any Authorization it means what it says.
    assert_eq!(talk.refused(Sent::Nothing, 0, &[r#"Basic realm="harbor""#]), "basic");
    assert!(talk.0.wants_basic());
}

#[test]
fn challenge_missing_www_authenticate() {
    let mut talk = Talk::new();
    assert_eq!(talk.refused(Sent::Nothing, 0, &[]), "ping");
    assert_eq!(talk.refused(Sent::Nothing, 1, &[]), "the registry answered 401; log in to it first");
    // Once /v2/ has answered, that counts for all of the registry.
    let ping = response(401, &[BEARER], "");
    talk.0.learn(&Policy::default(), &registry(), ping.headers(), Sent::Nothing).unwrap();
    assert_eq!(talk.refused(Sent::Nothing, 0, &[]), "token[]");
    assert_eq!(talk.refused(TOKEN, 0, &[]), "token[]");
}

#[test]
fn anonymous_token_then_401_on_push() {
    let mut talk = Talk::new();
    let insufficient = &format!("{BEARER},error=\"insufficient_scope\"");
    assert_eq!(talk.refused(Sent::Nothing, 0, &[BEARER]), "token[repository:a:pull,push]");
    assert_eq!(talk.refused(TOKEN, 1, &[insufficient]), DENIED);
    let refused =
        response(401, &[insufficient], r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#);
    let answered =
        Answered { from: &registry(), response: &refused, scopes: &push(), sent: TOKEN, tries: 1, limit: MAX_TRIES };
    let Ok(Some(Next::Denied(denied))) = talk.0.after(&Policy::default(), &answered) else { panic!() };
    assert!(denied.insufficient_scope);
    assert_eq!((denied.status, &*denied.reason), (401, "UNAUTHORIZED: authentication required"));
}

#[test]
fn anonymous_ghost_token() {
    let mut talk = Talk::new();
    let star = r#"Bearer realm="https://reg.example/v2/token",service="container_registry",scope="*""#;
    assert_eq!(talk.refused(Sent::Nothing, 0, &[star, "Basic"]), "token[*]");
    let asked = ["*".to_owned()];
    assert_eq!(talk.refused(Sent::Token { challenged: &asked }, 1, &[star, "Basic"]), DENIED);
}

#[test]
fn a_token_service_that_names_more_is_asked_once_more() {
    let mut talk = Talk::new();
    let more = r#"Bearer realm="/token",scope="repository:a:pull repository:other:pull""#;
    assert_eq!(talk.refused(TOKEN, 1, &[more]), "token[repository:a:pull repository:other:pull]");
    let asked = ["repository:other:pull".to_owned()];
    assert_eq!(talk.refused(Sent::Token { challenged: &asked }, 1, &[more]), DENIED);
}

#[test]
fn i25_two_tries_a_request() {
    let mut talk = Talk::new();
    for (i, sent) in [Sent::Nothing, TOKEN, TOKEN, TOKEN].into_iter().enumerate() {
        let names_more = format!("Bearer realm=\"/token\",scope=\"repository:r{i}:pull\"");
        let next = talk.refused(sent, u32::try_from(i).unwrap(), &[&names_more]);
        assert_eq!(next == DENIED, i >= 2, "{i}: {next}");
    }
}

#[test]
fn insufficient_scope_as_403() {
    let challenge = &format!("{BEARER},error=\"insufficient_scope\"");
    let mut talk = Talk::new();
    assert_eq!(talk.after(TOKEN, 0, &response(403, &[challenge], "")), "token[repository:a:pull,push]");
    let denied = "the registry answered 403; log in with an account that has the right to do this";
    assert_eq!(talk.after(TOKEN, 1, &response(403, &[challenge], "")), denied);
    // A plain 403 is an answer, and so is one that asks for something else.
    for other in [&[][..], &["Negotiate"]] {
        assert_eq!(talk.after(TOKEN, 0, &response(403, other, "")), "none");
    }
}

#[test]
fn expired_basic_403_plain_text() {
    let text = "Your Authorization Token has expired. Please run 'aws ecr get-login' to fetch a new one.";
    let json = r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#;
    for body in [text, json] {
        let mut talk = Talk::new();
        assert_eq!(talk.refused(Sent::Nothing, 0, &["Basic realm=ecr"]), "basic");
        assert_eq!(talk.after(Sent::Basic, 0, &response(403, &[], body)), "renew");
        assert_eq!(talk.after(Sent::Basic, 0, &response(401, &["Basic"], body)), "renew");
        // The first request to a registry has no password, and is the first try.
        assert_eq!(talk.after(Sent::Basic, 1, &response(403, &[], body)), "renew");
        let denied = talk.after(Sent::Basic, 2, &response(403, &[], body));
        assert!(denied.starts_with("the registry answered 403: ") && denied.ends_with("check user name and password"));
    }
}

#[test]
fn basic_only_registry() {
    let mut talk = Talk::new();
    assert_eq!(
        talk.refused(Sent::Nothing, 0, &[r#"Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/""#]),
        "basic"
    );
    assert!(talk.0.wants_basic() && talk.0.token_service().is_none());
    let denied = "the registry answered 401; check user name and password";
    assert_eq!(talk.refused(Sent::Basic, 1, &["Basic"]), denied);
}

#[test]
fn ping_200_with_challenge() {
    let mut talk = Talk::new();
    let ping = response(200, &["bearer realm=https://reg.example/token"], "");
    assert_eq!(talk.after(Sent::Nothing, 0, &ping), "none");
    assert!(talk.0.token_service().is_some());
    // What a refusal says later counts for more.
    assert_eq!(talk.refused(Sent::Nothing, 0, &["basic realm=zot"]), "basic");
}

#[test]
fn ping_body_not_object() {
    for body in ["true", "", "{}", "null", "<html>"] {
        assert_eq!(Talk::new().after(Sent::Nothing, 0, &response(200, &[], body)), "none");
        assert_eq!(
            Talk::new().after(Sent::Nothing, 0, &response(401, &[BEARER], body)),
            "token[repository:a:pull,push]"
        );
    }
}

#[test]
fn challenge_multiple_schemes() {
    let mut talk = Talk::new();
    assert_eq!(talk.refused(Sent::Nothing, 0, &["Negotiate, Basic realm=x", BEARER]), "token[repository:a:pull,push]");
    assert_eq!(Talk::new().refused(Sent::Nothing, 0, &["Negotiate, Basic realm=x"]), "basic");
    let denied = "the registry answered 401; log in to it first";
    assert_eq!(Talk::new().refused(Sent::Nothing, 0, &["Negotiate"]), denied);
}

#[test]
fn challenge_two_headers_bare_basic() {
    let both = [r#"Bearer realm="https://reg.example/v2/token""#, "Basic"];
    assert_eq!(Talk::new().refused(Sent::Nothing, 0, &both), "token[]");
}

#[test]
fn challenge_realm_not_a_uri() {
    let text = r#"Bearer realm="Registry Realm""#;
    let error = "error: the registry wants a token from \"Registry Realm\", which is not a URL; tell its operator";
    assert_eq!(Talk::new().refused(Sent::Nothing, 0, &[text]), error);
    // Where there is another way in, it is taken.
    assert_eq!(Talk::new().refused(Sent::Nothing, 0, &[text, "Basic realm=\"Registry Realm\""]), "basic");
}

#[test]
fn a_token_that_was_given_is_never_exchanged() {
    let denied = "the registry answered 401; the token that was given has expired or lacks the right to do this";
    assert_eq!(Talk::new().refused(Sent::Given, 0, &[BEARER]), denied);
}

#[test]
fn i4_a_foreign_401_starts_nothing() {
    let store = target("https://cdn.example/blob");
    for challenges in [&[][..], &[BEARER], &["Basic"], &["Negotiate"]] {
        // Also where the registry's own token service is known: a 401 from elsewhere does not make us ask it for more.
        let mut talk = Talk::new();
        talk.refused(Sent::Nothing, 0, &[BEARER]);
        for access in [&mut Access::new(registry().origin().clone()), &mut talk.0] {
            let before = access.token_service().cloned();
            for sent in [Sent::Nothing, TOKEN, Sent::Basic, Sent::Given] {
                for status in [200, 401, 403, 404] {
                    let body = "authorization token has expired";
                    let response = response(status, challenges, body);
                    let answered = Answered {
                        from: &store,
                        response: &response,
                        scopes: &push(),
                        sent,
                        tries: 0,
                        limit: MAX_TRIES,
                    };
                    match access.after(&Policy::default(), &answered) {
                        Err(AccessError::Foreign(_)) => assert_eq!(status, 401),
                        next => assert!(next == Ok(None) && status != 401),
                    }
                }
            }
            assert!(access.token_service() == before.as_ref() && !access.wants_basic());
        }
    }
}

#[test]
fn redirect_target_needs_own_auth() {
    // The other registry is one of its own: it gets an access of its own, and nobody's credentials.
    let other = target("https://other.example/v2/a/blobs/x");
    let refused = response(401, &[r#"Bearer realm="https://other.example/token",scope="repository:a:pull""#], "");
    let mut access = Access::new(other.origin().clone());
    let answered = Answered {
        from: &other,
        response: &refused,
        scopes: &Scopes::none(),
        sent: Sent::Nothing,
        tries: 0,
        limit: MAX_TRIES,
    };
    let Ok(Some(Next::Token { service, challenged })) = access.after(&Policy::default(), &answered) else { panic!() };
    assert_eq!(service.registry(), other.origin());
    assert_eq!(challenged, ["repository:a:pull"]);
}

#[test]
fn cookies_trigger_csrf() {
    // Nothing is read from cookies, and nothing that is built here ever holds one.
    let mut refused = response(401, &[BEARER], "");
    refused.headers_mut().insert(SET_COOKIE, HeaderValue::from_static("sid=x; _gorilla_csrf=y"));
    let mut talk = Talk::new();
    assert_eq!(talk.after(Sent::Nothing, 0, &refused), "token[repository:a:pull,push]");
    let scopes = push();
    let request = crate::auth::TokenRequest::new(talk.0.token_service().unwrap(), &scopes, None);
    let call = request.call(request.first()).unwrap();
    assert!(!call.request.headers().contains_key(http::header::COOKIE));
}

#[test]
fn i30_what_a_registry_says_is_escaped() {
    let denied = Talk::new().after(Sent::Given, 0, &response(401, &[], "no\x1b[2J\u{202e} way"));
    assert!(denied.contains(r"no\u{1b}[2J\u{202e} way"), "{denied}");
}

proptest! {
    #[test]
    fn i27_no_registry_keeps_us_trying(
        answers in proptest::collection::vec((prop_oneof![Just(401_u16), Just(403)], 0..8_usize, "[a-z]{1,3}"), 12),
    ) {
        // A client that does what it is told, until it is told nothing: how often does it repeat a request?
        let mut talk = Talk::new();
        let (mut sent, mut tries, mut repeated) = (Sent::Nothing, 0, 0);
        for (status, kind, scope) in &answers {
            let scoped = format!("Bearer realm=\"/token\",scope=\"repository:{scope}:pull\"");
            let insufficient = format!("{scoped},error=\"insufficient_scope\"");
            let all = [&[][..], &["Basic"], &["Negotiate"], &[BEARER], &[&scoped], &[&insufficient], &["Basic", &scoped]];
            let body = if *kind == 7 { "authorization token has expired" } else { "" };
            let next = talk.after(sent, tries, &response(*status, all.get(*kind).unwrap_or(&&[][..]), body));
            sent = match &*next {
                "basic" => Sent::Basic,
                "renew" | "ping" => sent,
                next if next.starts_with("token") => TOKEN,
                _ => break,
            };
            tries += 1;
            repeated += 1;
        }
        prop_assert!(repeated <= MAX_TRIES);
    }
}
