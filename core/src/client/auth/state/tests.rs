use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Response};

use super::*;
use crate::auth::{Scope, TokenRequest};
use crate::outcome::FailureKind;
use crate::target::Policy;
use crate::{Secret, Target};

const BEARER: &str = r#"Bearer realm="/token",service="r""#;
const BASIC: &str = r#"Basic realm="r""#;

fn origin() -> Origin {
    Target::parse("https://registry.example/v2/").unwrap().origin().clone()
}

fn learn(auth: &mut RegistryAuth, challenge: &'static str) {
    let from = Target::new(origin(), "/v2/").unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    auth.access.learn(&Policy::default(), &from, &headers, Sent::Nothing).unwrap();
}

/// A registry that answered a first request with this challenge.
fn registry(challenge: &'static str) -> RegistryAuth {
    let mut auth = RegistryAuth::new(origin());
    learn(&mut auth, challenge);
    auth
}

fn service() -> TokenService {
    registry(BEARER).access.token_service().unwrap().clone()
}

fn scopes(number: usize) -> Scopes {
    Scopes::one(Scope::push(format!("a/b{number}").parse().unwrap()))
}

fn password(text: &str) -> Credentials {
    Credentials::Basic { user: "robot".to_owned(), password: Secret::new(text.to_owned()) }
}

fn token(seconds: u64) -> Token {
    let body = format!(r#"{{"token":"t","expires_in":{seconds}}}"#);
    TokenRequest::new(&service(), &Scopes::none(), None).answer(&Response::new(Bytes::from(body))).unwrap()
}

fn denial(why: &str) -> Failure {
    Failure::new(FailureKind::Denied(why.to_owned()))
}

const fn at(seconds: u64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

/// What is decided about a question with the first scopes.
fn decided(auth: &RegistryAuth, now: Instant) -> String {
    shown(&auth.decide(&scopes(0), RequiredLifetime::Question, now))
}

fn shown(decision: &AuthDecision) -> String {
    match decision {
        AuthDecision::Send(SentCredential::Nothing) => "send nothing".to_owned(),
        AuthDecision::Send(SentCredential::Basic(generation)) => format!("send the password of {generation}"),
        AuthDecision::Send(SentCredential::Token(..)) => "send the token".to_owned(),
        AuthDecision::Send(SentCredential::Given(generation)) => format!("send the given token of {generation}"),
        AuthDecision::Ask { stale } => if *stale { "ask for others" } else { "ask" }.to_owned(),
        AuthDecision::Wait(AskId(id)) => format!("wait for {id}"),
        AuthDecision::Fetch(_) => "fetch".to_owned(),
        AuthDecision::Denied(failure) => failure.to_string(),
    }
}

/// A registry that refused this at the first second. The driver is asked for others at the second second.
fn refused_and_asked(credentials: Option<Credentials>) -> RegistryAuth {
    let mut auth = registry(BASIC);
    auth.ask(AskId(1), at(0));
    auth.answered(credentials).unwrap();
    assert_eq!(auth.refused(1, &denial("no"), at(1)), Renewal::Other);
    assert_eq!(decided(&auth, at(2)), "ask for others");
    auth.ask(AskId(2), at(2));
    assert_eq!(decided(&auth, at(2)), "wait for 2");
    auth
}

#[test]
fn a_token_must_outlast_the_request_that_carries_it() {
    const KIB_64: u64 = 64 * 1024;
    let mut auth = RegistryAuth::guest(origin());
    learn(&mut auth, BEARER);
    let AuthDecision::Fetch(key) = auth.decide(&scopes(0), RequiredLifetime::Now, at(0)) else { panic!() };
    // By the length of the body in bytes: how many seconds a token of an hour, and one of a minute, must have left.
    for (len, hour, minute) in
        [(Some(0), 10, 10), (Some(1), 30, 30), (Some(KIB_64), 30, 30), (Some(KIB_64 + 1), 1800, 30), (None, 1800, 30)]
    {
        for (life, left) in [(3600, hour), (60, minute)] {
            auth.keep(key.clone(), token(life), at(0));
            let decide = |now| shown(&auth.decide(&scopes(0), RequiredLifetime::for_body(len), now));
            assert_eq!(decide(at(life - left - 1)), "send the token", "{len:?} {life}");
            assert_eq!(decide(at(life - left)), "fetch", "{len:?} {life}");
        }
    }
    let decide = |now| shown(&auth.decide(&scopes(0), RequiredLifetime::Now, now));
    assert_eq!(decide(at(59)), "send the token", "it was fetched for this request, and another one is no better");
    assert_eq!(decide(at(60)), "fetch");
}

#[test]
fn only_a_token_ends_by_itself() {
    let key = TokenKey::new(service(), scopes(0), Identity::Anonymous);
    let sent = SentCredential::Token(key, at(0), at(60));
    assert!(!sent.has_ended(at(59)));
    assert!(sent.has_ended(at(60)));
    for sent in [SentCredential::Nothing, SentCredential::Basic(1), SentCredential::Given(1)] {
        assert!(!sent.has_ended(at(1000)));
    }
}

#[test]
fn each_answer_with_credentials_begins_a_generation() {
    let mut auth = registry(BASIC);
    assert_eq!((auth.generation(), auth.is_anonymous()), (0, false));
    assert_eq!(decided(&auth, at(0)), "ask");
    auth.ask(AskId(7), at(0));
    assert!(auth.is_asking(AskId(7)) && !auth.is_asking(AskId(6)));
    assert_eq!(decided(&auth, at(0)), "wait for 7");
    auth.answered(None).unwrap();
    assert!(!auth.is_asking(AskId(7)));
    assert_eq!((auth.generation(), auth.is_anonymous()), (1, true));
    assert_eq!(decided(&auth, at(0)), "send nothing");
    auth.refused(1, &denial("no"), at(1));
    auth.ask(AskId(8), at(1));
    auth.answered(Some(password("new"))).unwrap();
    assert_eq!((auth.generation(), auth.is_anonymous()), (2, false));
    assert_eq!(decided(&auth, at(1)), "send the password of 2");
}

#[test]
fn who_answers_with_what_was_refused_is_told_the_refusal() {
    for refused in [None, Some("old")] {
        let mut auth = refused_and_asked(refused.map(password));
        assert_eq!(*auth.answered(refused.map(password)).unwrap_err(), denial("no"), "{refused:?}");
        assert_eq!(auth.generation(), 1);
        assert_eq!(decided(&auth, at(11)), denial("no").to_string(), "it was asked nine seconds ago");
        assert_eq!(decided(&auth, at(12)), "ask for others");
    }
    for (refused, other) in [(None, Some("new")), (Some("old"), None), (Some("old"), Some("new"))] {
        let mut auth = refused_and_asked(refused.map(password));
        assert!(auth.answered(other.map(password)).is_ok(), "{refused:?} {other:?}");
        assert_eq!(auth.generation(), 2);
    }
}

#[test]
fn credentials_that_cannot_be_looked_up_are_looked_up_by_the_next_request() {
    let mut auth = registry(BASIC);
    auth.ask(AskId(1), at(0));
    auth.not_found_out();
    assert_eq!(decided(&auth, at(0)), "ask");
    let mut auth = refused_and_asked(Some(password("old")));
    auth.not_found_out();
    assert_eq!(decided(&auth, at(2)), "ask for others", "nobody has said yet that there are no others");
    auth.ask(AskId(3), at(2));
    assert!(auth.answered(Some(password("old"))).is_err(), "what was refused is remembered");
}

#[test]
fn a_refusal_counts_for_the_credentials_that_were_sent() {
    let mut auth = registry(BASIC);
    auth.ask(AskId(1), at(0));
    auth.answered(Some(password("old"))).unwrap();
    assert_eq!(auth.refused(0, &denial("older"), at(1)), Renewal::Other);
    assert_eq!(decided(&auth, at(1)), "send the password of 1", "others were refused");
    assert_eq!(auth.refused(1, &denial("no"), at(1)), Renewal::Other);
    assert_eq!(auth.refused(1, &denial("no"), at(1)), Renewal::Other, "nobody was asked for others yet");
    auth.ask(AskId(2), at(2));
    assert_eq!(auth.refused(1, &denial("no"), at(2)), Renewal::Other, "others may come");
    auth.answered(Some(password("old"))).unwrap_err();
    assert_eq!(auth.refused(1, &denial("no"), at(11)), Renewal::None, "there are no others");
    assert_eq!(auth.refused(1, &denial("no"), at(12)), Renewal::Other, "there may be others by now");
    auth.ask(AskId(3), at(12));
    auth.answered(Some(password("new"))).unwrap();
    assert_eq!(auth.refused(2, &denial("no"), at(13)), Renewal::None, "the driver was asked a second ago");
}

#[test]
fn tokens_of_refused_credentials_are_not_used_again() {
    let mut auth = registry(BEARER);
    auth.ask(AskId(1), at(0));
    auth.answered(Some(password("old"))).unwrap();
    let AuthDecision::Fetch(key) = auth.decide(&scopes(0), RequiredLifetime::Question, at(0)) else { panic!() };
    auth.keep(key.clone(), token(60), at(0));
    assert_eq!(decided(&auth, at(1)), "send the token");
    auth.refused(1, &denial("no"), at(1));
    assert!(!auth.has_token(&key, at(1)));
}

#[test]
fn a_token_is_forgotten_when_it_is_refused_unless_a_later_one_came() {
    let mut auth = RegistryAuth::guest(origin());
    let key = TokenKey::new(service(), scopes(0), Identity::Anonymous);
    assert!(!auth.has_token(&key, at(0)));
    assert!(!auth.forget_token(&key, at(0)));
    auth.keep(key.clone(), token(60), at(10));
    assert!(auth.has_token(&key, at(69)) && !auth.has_token(&key, at(70)));
    assert!(!auth.has_token(&TokenKey::new(service(), scopes(1), Identity::Anonymous), at(10)));
    assert!(auth.forget_token(&key, at(9)), "the one that was refused was requested earlier");
    assert!(!auth.forget_token(&key, at(10)));
    assert!(!auth.has_token(&key, at(10)));
}

#[test]
fn the_challenges_to_a_bounded_number_of_scopes_are_kept() {
    let mut auth = RegistryAuth::guest(origin());
    let known = |auth: &RegistryAuth, number: usize| {
        matches!(auth.decide(&scopes(number), RequiredLifetime::Question, at(0)), AuthDecision::Fetch(_))
    };
    let how_many = |auth: &RegistryAuth| (0..=MAX_CHALLENGES).filter(|number| known(auth, *number)).count();
    (0..MAX_CHALLENGES).for_each(|number| auth.challenged(&scopes(number), service(), Vec::new()));
    assert_eq!(how_many(&auth), MAX_CHALLENGES);
    auth.challenged(&scopes(7), service(), Vec::new());
    assert_eq!(how_many(&auth), MAX_CHALLENGES, "another challenge to known scopes costs no other");
    auth.challenged(&scopes(MAX_CHALLENGES), service(), Vec::new());
    assert!(known(&auth, MAX_CHALLENGES));
    assert_eq!(how_many(&auth), MAX_CHALLENGES);
}

#[test]
fn a_token_service_is_asked_for_other_rights_only_if_it_gave_a_token_or_was_never_asked() {
    let mut auth = RegistryAuth::guest(origin());
    learn(&mut auth, BEARER);
    let other = |auth: &RegistryAuth| shown(&auth.decide(&scopes(1), RequiredLifetime::Question, at(0)));
    assert_eq!(other(&auth), "fetch");
    auth.challenged(&scopes(0), service(), Vec::new());
    assert_eq!(other(&auth), "send nothing", "it has not answered yet");
    let AuthDecision::Fetch(key) = auth.decide(&scopes(0), RequiredLifetime::Question, at(0)) else { panic!() };
    assert!(!auth.doubt(&key), "a challenge has named it for these rights");
    auth.keep(key, token(60), at(0));
    assert_eq!(other(&auth), "fetch");
    auth.challenged(&scopes(2), service(), Vec::new());
    assert_eq!(other(&auth), "fetch", "it has given a token before");
    let AuthDecision::Fetch(guess) = auth.decide(&scopes(1), RequiredLifetime::Question, at(0)) else { panic!() };
    assert!(auth.doubt(&guess));
    assert_eq!(other(&auth), "send nothing", "the registry is asked which service serves them");
}

#[test]
fn while_a_token_service_has_not_answered_for_the_first_time_it_is_asked_for_no_other_rights() {
    let mut auth = RegistryAuth::guest(origin());
    learn(&mut auth, BEARER);
    let other = |auth: &RegistryAuth| shown(&auth.decide(&scopes(1), RequiredLifetime::Question, at(0)));
    let AuthDecision::Fetch(key) = auth.decide(&scopes(0), RequiredLifetime::Question, at(0)) else { panic!() };
    auth.fetch(&key);
    assert_eq!(other(&auth), "send nothing");
    auth.keep(key.clone(), token(60), at(0));
    auth.fetch(&key);
    assert_eq!(other(&auth), "fetch", "it has answered before");
}
