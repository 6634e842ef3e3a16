use super::*;
use crate::auth::{Credentials, Identity, Scope, Scopes, TokenKey, TokenRequest, TokenService};
use crate::driver::{AskId, RequestId};
use crate::outcome::FailureKind;
use crate::target::Policy;
use crate::{Secret, Target};

fn target() -> Target {
    Target::parse("https://registry.example/v2/a/manifests/v1").unwrap()
}

const fn at(seconds: u64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

fn scopes(repositories: &[&str]) -> Scopes {
    let scope = |name: &&str| Scope::push(name.parse().unwrap());
    repositories.iter().map(scope).fold(Scopes::none(), Scopes::and)
}

/// A request that was sent with this, to which the registry answers.
fn flight(method: Method, row: Row, scopes: Scopes, sent_credential: SentCredential) -> Flight {
    Flight {
        id: RequestId(1),
        row,
        method,
        attempt: 1,
        len: Some(0),
        sent_at: at(0),
        target: target(),
        if_lost: IfLost::Repeat,
        is_poured: false,
        has_body: false,
        has_blob: false,
        is_large: false,
        scopes,
        may_sign: true,
        sent_credential,
    }
}

/// The state after the driver was asked and has given these.
fn answered(credentials: Option<Credentials>) -> RegistryAuth {
    let mut auth = RegistryAuth::new(target().origin().clone());
    auth.ask(AskId(1), at(0));
    auth.answered(credentials).unwrap();
    auth
}

fn password() -> Credentials {
    Credentials::Basic { user: "robot".to_owned(), password: Secret::new("canary".to_owned()) }
}

/// A token of a minute, and the key that it is kept with.
fn token() -> (TokenKey, crate::auth::Token) {
    let response = |body: &'static str, challenge| {
        Response::builder().header("WWW-Authenticate", challenge).body(Bytes::from(body)).unwrap()
    };
    let challenge = response("", r#"Bearer realm="/token",service="r""#);
    let challenges = crate::auth::Challenges::of(target().origin(), &target(), challenge.headers()).unwrap();
    let bearer = challenges.bearer().unwrap();
    let service = TokenService::of(&Policy::default(), target().origin(), &target(), bearer).unwrap();
    let token = TokenRequest::new(&service, &Scopes::none(), None).answer(&response(r#"{"token":"t"}"#, ""));
    (TokenKey::new(service, scopes(&["a"]), Identity::Anonymous), token.unwrap())
}

#[test]
fn a_refusal_shows_nothing_about_credentials_that_came_after_it_was_sent() {
    let mut auth = answered(Some(password()));
    auth.refused(1, &Failure::new(FailureKind::Denied(String::new())), at(0));
    auth.ask(AskId(2), at(0));
    auth.answered(None).unwrap();
    assert_eq!(auth.generation(), 2);
    assert!(!auth.is_outdated(&SentCredential::Nothing, at(1000)));
    for (generation, is_outdated) in [(0, true), (1, true), (2, false), (3, false)] {
        assert_eq!(auth.is_outdated(&SentCredential::Basic(generation), at(0)), is_outdated, "{generation}");
        assert_eq!(auth.is_outdated(&SentCredential::Given(generation), at(0)), is_outdated, "{generation}");
    }
}

#[test]
fn a_refusal_shows_nothing_about_a_token_that_has_ended_or_has_a_successor() {
    let (mut auth, (key, token)) = (answered(None), token());
    auth.keep(key.clone(), token, at(0));
    let sent = |asked| SentCredential::Token(key.clone(), at(asked), at(asked + 60));
    assert!(auth.is_outdated(&sent(0), at(60)), "it ended while it was on its way");
    let (_, token) = self::token();
    auth.keep(key.clone(), token, at(50));
    assert!(auth.is_outdated(&sent(0), at(59)), "another one was requested since");
    assert!(!auth.is_outdated(&sent(50), at(59)));
    assert!(!auth.has_token(&key, at(59)), "a token that was refused is not used again");
}

#[test]
fn a_refusal_is_about_the_credentials_that_were_sent_or_their_absence() {
    let (auth, anonymous) = (answered(Some(password())), answered(None));
    let of = |auth: &RegistryAuth, sent, is_guest| {
        refused_generation(auth, &flight(Method::PUT, Row::PutManifest, scopes(&["a"]), sent), is_guest)
    };
    let key = || token().0;
    for sent in [SentCredential::Basic(7), SentCredential::Given(7)] {
        assert_eq!(of(&auth, sent.clone(), false), Some(7));
        assert_eq!(of(&auth, sent, true), None, "where only anonymous tokens are used, nobody is asked for others");
    }
    for sent in [SentCredential::Nothing, SentCredential::Token(key(), at(0), at(60))] {
        assert_eq!(of(&auth, sent.clone(), false), None, "a token may lack a right, whoever it is for");
        assert_eq!(of(&anonymous, sent.clone(), false), Some(1), "somebody may be allowed more than nobody");
        assert_eq!(of(&anonymous, sent, true), None);
    }
}

/// Quirks `blob-head-401-means-missing` and `mount-unauthorised-401`.
#[test]
fn only_a_401_to_a_request_for_one_repository_with_a_body_to_read_says_who_we_are_not() {
    let says = |method, row, repositories: &[&str], status| {
        says_who_we_are_not(&flight(method, row, scopes(repositories), SentCredential::Basic(1)), status)
    };
    assert!(says(Method::PUT, Row::PutManifest, &["a"], 401));
    assert!(!says(Method::PUT, Row::PutManifest, &["a"], 403));
    assert!(says(Method::GET, Row::PullManifest, &["a"], 401));
    assert!(!says(Method::HEAD, Row::PullManifest, &["a"], 401));
    assert!(!says(Method::HEAD, Row::PullManifest, &["a"], 403));
    assert!(says(Method::POST, Row::MountBlob, &["a"], 401));
    assert!(!says(Method::POST, Row::MountBlob, &["a", "b"], 401));
    assert!(!says(Method::POST, Row::MountBlob, &["a", "b"], 403));
    assert!(says(Method::POST, Row::StartUpload, &["a", "b"], 401));
}
