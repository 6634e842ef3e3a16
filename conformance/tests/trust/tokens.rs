use longshore_core::auth::Credentials;
use longshore_core::driver::AskFailed;
use longshore_core::{Operation, Options, Secret};

use crate::drive::{PASSWORD, Seen, Setup, basic, password};
use crate::world::{BEARER, Rule, World, push, push_with, respond};

fn bearer() -> World {
    World { challenge: BEARER, ..World::default() }
}

#[test]
fn a_registry_that_wants_nothing_is_shown_nothing() {
    let outcome = push(World::default());
    assert!(outcome.result.is_ok());
    assert_eq!(outcome.asked.len(), 0);
    assert!(outcome.seen.iter().all(|seen| seen.authorization.is_empty()));
}

#[test]
fn one_token_serves_a_whole_push() {
    let outcome = push(bearer());
    assert!(outcome.result.is_ok(), "{}", outcome.transcript);
    assert_eq!((outcome.asked.len(), outcome.tokens().count()), (1, 1));
    let token = outcome.tokens().next().unwrap();
    assert_eq!(token.authorization, basic(PASSWORD));
    assert_eq!(token.path_and_query, "/token?service=registry&scope=repository%3Alibrary%2Fapp%3Apull%2Cpush");
    // Only the very first request went without.
    let bare = outcome.seen.iter().filter(|seen| seen.authorization.is_empty()).count();
    assert_eq!(bare, 1, "{}", outcome.transcript);
}

#[test]
fn one_request_flies_alone_until_the_registry_has_shown_what_it_wants() {
    let outcome = push(bearer());
    assert_eq!(outcome.seen[0].authorization, "");
    assert!(outcome.seen[1].path_and_query.starts_with("/token"), "{}", outcome.transcript);
}

#[test]
fn a_failure_that_passes_shows_nothing_of_what_a_registry_wants() {
    // Several wait for the first answer; after one that says nothing, there is again one that goes first.
    let check = || {
        let (registry, repository) = ("registry.example".parse().unwrap(), "library/app".parse().unwrap());
        Operation::CheckPush { registry, repository }
    };
    let rule = |_: &Seen, before: &[Seen]| before.is_empty().then(|| respond(503, &[], ""));
    let setup = Setup { operations: vec![check(), check(), check()], ..Setup::default() };
    let outcome = crate::world::run(World { rule, ..bearer() }, setup);
    outcome.succeeded();
    let bare = |seen: &&Seen| seen.authorization.is_empty() && seen.status != 503;
    assert_eq!(outcome.seen.iter().filter(bare).count(), 1, "{}", outcome.transcript);
}

#[test]
fn many_that_are_turned_away_at_once_wait_for_one_exchange() {
    // It lets everybody read, and wants a password or a token of those who write: several learn it at the same time.
    let place = || ("registry.example".parse().unwrap(), "library/app".parse().unwrap());
    let check = || {
        let (registry, repository) = place();
        Operation::CheckPush { registry, repository }
    };
    let (registry, repository) = place();
    let operations = vec![Operation::ListTags { registry, repository }, check(), check(), check()];
    for (challenge, rule) in [(BEARER, open_to_read as Rule), ("Basic", open_to_read), ("Basic", silent)] {
        let world = World { rule, challenge, ..World::default() };
        let outcome = crate::world::run(world, Setup { operations: operations.clone(), ..Setup::default() });
        outcome.succeeded();
        let turned_away = outcome.seen.iter().filter(|seen| seen.status == 401 && seen.method == http::Method::POST);
        assert_eq!(turned_away.count(), 3, "{}", outcome.transcript);
        assert_eq!(outcome.asked.len(), 1);
        assert!(outcome.tokens().count() <= 1, "{}", outcome.transcript);
        assert!(
            outcome.seen.iter().filter(|seen| seen.path_and_query == "/v2/").count() <= 1,
            "{}",
            outcome.transcript
        );
    }
}

fn open_to_read(seen: &Seen, _: &[Seen]) -> Option<http::Response<bytes::Bytes>> {
    seen.path_and_query.contains("/tags/").then(|| respond(200, &[], r#"{"tags":[]}"#))
}

/// Writes are turned away without a word, and `/v2/` says what is wanted.
fn silent(seen: &Seen, before: &[Seen]) -> Option<http::Response<bytes::Bytes>> {
    match seen.path_and_query.as_str() {
        "/v2/" => Some(respond(401, &[("www-authenticate", "Basic")], "")),
        _ if !seen.authorization.is_empty() => None,
        _ => open_to_read(seen, before).or_else(|| Some(respond(401, &[], ""))),
    }
}

#[test]
fn basic_only_registry() {
    let outcome = push(World { challenge: r#"Basic realm="registry""#, ..World::default() });
    assert!(outcome.result.is_ok());
    assert_eq!((outcome.asked.len(), outcome.tokens().count()), (1, 0));
    assert!(outcome.seen[1..].iter().all(|seen| seen.authorization == basic(PASSWORD)));
}

#[test]
fn a_wrong_password_is_one_clear_sentence_and_one_try() {
    for challenge in [BEARER, r#"Basic realm="registry""#] {
        let world = World { challenge, ..World::default() };
        let outcome = push_with(world, Options::default(), |_, _| Ok(Some(password("wrong"))));
        let failure = outcome.failure();
        assert!(failure.contains("401") && failure.lines().count() == 1, "{failure}");
        assert!(outcome.tokens().count() <= 1, "{}", outcome.transcript);
        // Others may be had by now; the same ones are not sent again.
        assert_eq!(outcome.asked, [false, true]);
    }
}

#[test]
fn i25_how_often_one_tries_is_an_option() {
    // The registry's first answer says what it wants in any case; what counts is how often a request is made again.
    for (logins, tokens) in [(0, 1), (1, 2)] {
        let mut options = Options::default();
        assert_eq!(options.logins, 2);
        options.logins = logins;
        let outcome =
            push_with(World { denies_pushes: true, ..bearer() }, options, |_, _| Ok(Some(password(PASSWORD))));
        assert!(outcome.failure().contains("401"), "{}", outcome.failure());
        assert_eq!(outcome.tokens().count(), tokens, "{}", outcome.transcript);
    }
}

#[test]
fn who_was_refused_is_asked_for_again_at_once() {
    let wrong: fn() -> _ = || Some(password("wrong"));
    for (challenge, first) in [(BEARER, wrong), ("Basic", wrong), ("Basic", || None)] {
        let lookup = move |_: &_, stale| Ok(if stale { Some(password(PASSWORD)) } else { first() });
        let setup = Setup { lookup: Box::new(lookup), ..Setup::default() };
        let outcome = crate::world::run(World { challenge, ..World::default() }, setup);
        outcome.succeeded();
        assert_eq!(outcome.asked, [false, true], "{}", outcome.transcript);
        assert_eq!(outcome.seen.last().unwrap().status, 201, "{}", outcome.transcript);
    }
}

#[test]
fn a_look_up_that_fails_is_an_error_and_no_reason_to_go_on_without() {
    let outcome = push_with(bearer(), Options::default(), |_, _| Err(AskFailed("the helper said no".to_owned())));
    assert!(outcome.failure().contains("the helper said no"));
    assert_eq!(outcome.tokens().count(), 0);
}

#[test]
fn nobody_gets_an_anonymous_token() {
    let outcome = push_with(bearer(), Options::default(), |_, _| Ok(None));
    assert!(outcome.result.is_ok());
    assert!(outcome.tokens().all(|token| token.authorization.is_empty()));
}

#[test]
fn anonymous_token_then_401_on_push() {
    let outcome = push_with(World { denies_pushes: true, ..bearer() }, Options::default(), |_, _| Ok(None));
    assert!(outcome.failure().contains("401"), "{}", outcome.failure());
    assert!(outcome.seen.len() < 12, "it goes round in circles:\n{}", outcome.transcript);
}

#[test]
fn token_expires_mid_upload() {
    // A token lives for a minute here, and an answer takes almost half of one.
    let world = World { token_life: 60, ..bearer() };
    let outcome = crate::world::push_slowly(world, 12);
    assert!(outcome.result.is_ok(), "{:?}\n{}", outcome.result, outcome.transcript);
    assert!(outcome.tokens().count() > 1);
}

#[test]
fn token_endpoint_403_hides_quota() {
    let refusal =
        Some((403, r#"{"errors":[{"code":"DENIED","message":"registry contains 1 repositories, limit is 1"}]}"#));
    let outcome = push(World { token_refusal: refusal, ..bearer() });
    assert!(outcome.failure().contains("limit is 1"), "{}", outcome.failure());
    assert_eq!(outcome.tokens().count(), 1);
}

#[test]
fn a_registry_token_is_sent_as_it_is_and_no_other_is_asked_for() {
    let given = |_: &_, _| Ok(Some(Credentials::RegistryToken(Secret::new("given".to_owned()))));
    let outcome = push_with(bearer(), Options::default(), given);
    assert!(outcome.failure().contains("401"));
    assert_eq!(outcome.tokens().count(), 0);
    assert!(outcome.seen.iter().any(|seen| seen.authorization == "Bearer given"));
}

#[test]
fn i7_a_token_service_elsewhere_is_not_asked() {
    let world = World { challenge: r#"Bearer realm="https://evil.example.net/token",service="x""#, ..World::default() };
    let outcome = push(world);
    assert!(outcome.failure().contains("evil.example.net"), "{}", outcome.failure());
    assert_eq!(outcome.at("https://evil.example.net").count(), 0);
    assert_eq!(outcome.asked.len(), 0);
}

#[test]
fn i7_a_token_service_does_not_send_us_on() {
    let world = World { redirect: Some(("/token", 307, "https://evil.example.net/token")), ..bearer() };
    let outcome = push(world);
    assert!(outcome.result.is_err());
    assert_eq!(outcome.at("https://evil.example.net").count(), 0);
}

#[test]
fn two_pushes_at_once_wait_for_one_exchange() {
    let outcome = crate::world::push_twice_at_once(bearer());
    assert!(outcome.result.is_ok(), "{}", outcome.transcript);
    let bare = outcome.seen.iter().filter(|seen| seen.authorization.is_empty()).count();
    assert_eq!((bare, outcome.asked.len(), outcome.tokens().count()), (1, 1, 1), "{}", outcome.transcript);
}
