//! How registries ask who one is: each quirk that begins with `challenge` or `ping`, in a whole push.

use std::time::Duration;

use longshore_core::target::Policy;
use longshore_core::{Deletion, Operation, Options, Origin, Scheme};
use longshore_mock_registry::auth::{Auth, Password};
use longshore_mock_registry::behaviour::{Authentication, ChallengeForm, ChallengeScope, Realm};

use crate::drive::{Outcome, PASSWORD, Setup, image, image_into, in_chunks};
use crate::mock::{living, push, rights, run, run_prepared, with, with_base, with_passwords};
use crate::world::{World, respond};

/// A push to a registry of this habit succeeds with one look-up, and the password is shown to the token service alone.
fn pushed(change: impl FnOnce(&mut Authentication)) -> Outcome {
    let outcome = push(with(change));
    outcome.succeeded();
    assert_eq!(outcome.asked, [false]);
    let with_password = |seen: &&crate::drive::Seen| seen.authorization.starts_with("Basic");
    assert!(outcome.seen.iter().filter(with_password).all(crate::drive::Seen::is_for_token), "{}", outcome.transcript);
    outcome
}

#[test]
fn challenge_scheme_flips_to_basic() {
    // Messages are slow, and tokens are shorter than they seem, so that they are refused on the way.
    let flips = with(|auth| {
        auth.flips_to_basic = true;
        auth.expires_in = false;
    });
    let slow = Setup { latency: Duration::from_secs(3), options: in_chunks(10_000), ..Setup::default() };
    // For another repository no challenge has named the token service.
    let then = vec![image_into("library/other", |_, blob| blob).into()];
    let outcome = run(living(flips, Duration::from_secs(20)), Setup { then, ..slow });
    outcome.succeeded();
    let flipped = |seen: &&crate::drive::Seen| seen.status == 401 && seen.authorization.starts_with("Bearer");
    assert!(outcome.seen.iter().filter(flipped).count() > 0, "{}", outcome.transcript);
    let with_password = outcome.seen.iter().filter(|seen| seen.authorization.starts_with("Basic"));
    assert!(with_password.clone().all(crate::drive::Seen::is_for_token) && with_password.count() > 1);
}

#[test]
fn challenge_missing_www_authenticate() {
    let outcome = pushed(|auth| auth.only_base_is_challenged = true);
    let pings: Vec<_> = outcome.seen.iter().filter(|seen| seen.path_and_query == "/v2/").collect();
    assert_eq!(pings.len(), 1, "{}", outcome.transcript);
    assert_eq!((pings[0].authorization.as_str(), pings[0].status), ("", 401));
}

#[test]
fn challenge_multi_scope_one_param() {
    // The source is named in the challenge, and the token is had for both.
    let outcome = run_prepared(
        with_base(with(|auth| auth.mount_source_challenged = true)),
        Setup { operations: vec![mounting().into()], ..Setup::default() },
    );
    outcome.succeeded();
    let mounted = outcome.seen.iter().filter(|seen| seen.path_and_query.contains("from=") && seen.status == 201);
    assert_eq!(mounted.count(), 1, "{}", outcome.transcript);
    let both = ["repository:library/app:pull,push", "repository:library/base:pull"];
    assert!(outcome.tokens().any(|token| token.scopes() == both), "{}", outcome.transcript);
}

fn mounting() -> longshore_core::Push<&'static str> {
    crate::drive::image_with(
        |key, blob| if key == "base" { blob.mount_from("library/base".parse().unwrap()) } else { blob },
    )
}

#[test]
fn challenge_multiple_schemes() {
    pushed(|auth| auth.challenge = ChallengeForm::Several);
}

#[test]
fn challenge_two_headers_bare_basic() {
    pushed(|auth| auth.challenge = ChallengeForm::BareBasic);
}

#[test]
fn challenge_no_service() {
    let outcome = pushed(|auth| auth.service = false);
    assert!(outcome.tokens().all(|token| !token.path_and_query.contains("service")));
}

#[test]
fn challenge_realm_relative() {
    pushed(|auth| auth.realm = Realm::Path);
}

#[test]
fn challenge_realm_not_a_uri() {
    // As the realm of Basic it does not matter; a token service must be a URL.
    push(with_passwords(|auth| auth.realm = Realm::Words)).succeeded();
    let outcome = push(with(|auth| auth.realm = Realm::Words));
    assert!(outcome.failure().contains("\"Registry Realm\", which is not a URL"), "{}", outcome.failure());
    assert_eq!(outcome.asked.len(), 0);
}

#[test]
fn token_realm_plain_http() {
    let downgraded = || with(|auth| auth.realm = Realm::Downgraded);
    let outcome = push(downgraded());
    assert!(outcome.failure().contains("plain HTTP") && outcome.failure().contains("`allow_origin`"));
    assert_eq!((outcome.asked.len(), outcome.tokens().count()), (0, 0));
    // Whoever names it, gets it.
    let named = Origin::new(Scheme::Http, "registry.example".parse().unwrap(), Some(443));
    let mut options = Options::default();
    options.policy = Policy::default().allow_origin(named);
    let trusted = &["https://registry.example", "http://registry.example:443"];
    let outcome = run(downgraded(), Setup { options, trusted, ..Setup::default() });
    outcome.succeeded();
    assert!(outcome.tokens().all(|token| token.origin == "http://registry.example:443"), "{}", outcome.transcript);
    assert!(outcome.tokens().count() > 0);
}

#[test]
fn challenge_without_scope() {
    let outcome = pushed(|auth| auth.scope = ChallengeScope::Absent);
    assert!(outcome.tokens().all(|token| token.scopes() == ["repository:library/app:pull,push"]));
}

#[test]
fn challenge_scope_parameter_empty_or_invalid() {
    let outcome = pushed(|auth| auth.scope = ChallengeScope::Empty);
    assert!(outcome.tokens().all(|token| token.scopes() == ["repository:library/app:pull,push"]));
}

#[test]
fn challenge_scope_star() {
    let outcome = pushed(|auth| auth.scope = ChallengeScope::Star);
    assert!(outcome.tokens().all(|token| token.scopes() == ["repository:library/app:pull,push", "*"]));
}

#[test]
fn challenge_scope_name_differs() {
    let outcome = pushed(|auth| auth.scope = ChallengeScope::ShortName);
    let asked = ["repository:library/app:pull,push", "repository:app:pull"];
    assert!(outcome.tokens().any(|token| token.scopes() == asked), "{}", outcome.transcript);
    // A registry whose tokens hold what it named itself, and nothing else.
    let challenge = r#"Bearer realm="https://registry.example/token",scope="repository:app:pull,push""#;
    let world = World {
        challenge,
        rule: |seen, _| {
            let is_named = seen.scopes().iter().any(|scope| scope == "repository:app:pull,push");
            (seen.is_for_token() && !is_named).then(|| respond(403, &[], "no such repository"))
        },
        ..World::default()
    };
    crate::world::push(world).succeeded();
}

#[test]
fn challenge_delete_no_scope() {
    let mut options = with(|auth| auth.scope = ChallengeScope::Absent);
    options.auth = Some(Auth::bearer().user("user", Password::plain(PASSWORD), rights("library/*=*")));
    let base = Operation::Delete {
        registry: "registry.example".parse().unwrap(),
        repository: "library/base".parse().unwrap(),
        what: Deletion::Blob(crate::drive::blob("base").0),
    };
    let outcome = run_prepared(with_base(options), Setup { operations: vec![base], ..Setup::default() });
    outcome.succeeded();
    assert!(outcome.tokens().all(|token| token.scopes() == ["repository:library/base:pull,push,delete"]));
}

#[test]
fn ping_200_with_challenge() {
    let outcome = pushed(|auth| {
        auth.open_base = true;
        auth.only_base_is_challenged = true;
        auth.challenge = ChallengeForm::Lower;
    });
    assert!(outcome.seen.iter().any(|seen| seen.path_and_query == "/v2/" && seen.status == 200));
    // The same for a registry without tokens.
    let outcome = push(with_passwords(|auth| {
        auth.open_base = true;
        auth.only_base_is_challenged = true;
        auth.challenge = ChallengeForm::Lower;
    }));
    outcome.succeeded();
}

#[test]
fn a_challenge_that_cannot_be_used_hurts_nobody_on_a_success() {
    let world = World {
        rule: |_, _| {
            let challenge = r#"Bearer realm="http://evil.example.net/token""#;
            Some(respond(200, &[("www-authenticate", challenge)], r#"{"tags":["v1"]}"#))
        },
        ..World::default()
    };
    let (registry, repository) = ("registry.example".parse().unwrap(), "library/app".parse().unwrap());
    let operations = vec![Operation::ListTags { registry, repository }];
    let outcome = crate::world::run(world, Setup { operations, ..Setup::default() });
    outcome.succeeded();
    assert_eq!((outcome.seen.len(), outcome.asked.len()), (1, 0));
}

#[test]
fn ping_body_not_object() {
    let world = World {
        challenge: "Basic",
        rule: |seen, _| match seen.path_and_query.as_str() {
            "/v2/" => Some(respond(200, &[("www-authenticate", "Basic")], "true")),
            _ => seen.authorization.is_empty().then(|| respond(401, &[], "true")),
        },
        ..World::default()
    };
    crate::world::push(world).succeeded();
}

#[test]
fn a_registry_of_all_quirks_at_once() {
    let outcome = run(
        living(
            with(|auth| {
                auth.challenge = ChallengeForm::Several;
                auth.scope = ChallengeScope::Star;
                auth.realm = Realm::Path;
                auth.service = false;
                auth.insufficient_scope = 403;
                auth.absent_needs_push = true;
                auth.cookies = true;
                auth.cancel_needs_delete = true;
                auth.flips_to_basic = true;
                auth.expires_in = false;
            }),
            Duration::from_secs(60),
        ),
        Setup { operations: vec![image().into(), mounting().into()], ..Setup::default() },
    );
    outcome.succeeded();
}
