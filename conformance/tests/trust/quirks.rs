//! What becomes of tokens and passwords at real registries: the other quirks of authentication, in whole pushes.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use longshore_conformance::Mock;
use longshore_core::auth::Credentials;
use longshore_core::{Deletion, ManifestReference, Operation, Options, Secret};
use longshore_mock_registry as mock;
use longshore_mock_registry::auth::{Auth, Password};
use longshore_mock_registry::behaviour::TokenField;

use crate::drive::{PASSWORD, Seen, Setup, basic, blob, image, image_with, in_chunks, password};
use crate::mock::{living, push, push_as_nobody, rights, run, run_prepared, with, with_base, with_passwords};
use crate::world::{BEARER, Rule, World, respond};

const PUSH: &str = "repository:library/app:pull,push";

/// Mounts a layer from a repository, if that will do.
fn mounting_from(repository: &str) -> Setup {
    let mount = |key: &str, blob: longshore_core::Blob<_>| {
        if key == "base" { blob.mount_from(repository.parse().unwrap()) } else { blob }
    };
    Setup { operations: vec![image_with(mount).into()], ..Setup::default() }
}

fn in_app(
    operation: impl FnOnce(longshore_core::Registry, longshore_core::Repository) -> Operation<&'static str>,
) -> Setup {
    let operation = operation("registry.example".parse().unwrap(), "library/app".parse().unwrap());
    Setup { operations: vec![operation], ..Setup::default() }
}

#[test]
fn token_scope_order_first_wins() {
    // A token for the first scope alone must do for a mount too, or else the blob is sent.
    let outcome = run_prepared(with_base(with(|auth| auth.first_scope_only = true)), mounting_from("library/base"));
    outcome.succeeded();
    assert!(outcome.tokens().all(|token| token.scopes()[0] == PUSH), "{}", outcome.transcript);
}

#[test]
fn token_scope_delete_action() {
    // A push that is tried out is cancelled, which needs the right to delete at some; that right is never asked for.
    let check = || in_app(|registry, repository| Operation::CheckPush { registry, repository });
    let outcome = run(with(|auth| auth.cancel_needs_delete = true), check());
    outcome.succeeded();
    let refused = |seen: &&Seen| seen.method == http::Method::DELETE && seen.status == 401;
    assert_eq!(outcome.seen.iter().filter(refused).count(), 1, "{}", outcome.transcript);
    assert!(outcome.tokens().all(|token| !token.path_and_query.contains("delete")), "{}", outcome.transcript);
    // A deletion asks for it, and asks again without it where nobody is given it.
    let delete =
        |registry, repository| Operation::Delete { registry, repository, what: Deletion::Blob(blob("base").0) };
    let world = World {
        challenge: BEARER,
        rule: |seen, _| {
            let deletes = seen.is_for_token() && seen.path_and_query.contains("delete");
            deletes.then(|| respond(400, &[], r#"{"error":"INVALID_REQUEST"}"#))
        },
        ..World::default()
    };
    let outcome = crate::world::run(world, in_app(delete));
    outcome.succeeded();
    let scopes: Vec<_> = outcome.tokens().map(Seen::scopes).collect();
    assert_eq!(scopes, [["repository:library/app:pull,push,delete"], [PUSH]]);
}

/// A registry that has given out this refresh token.
fn refresh_token(options: mock::RegistryOptions) -> (Mock, String) {
    let mut mock = Mock::new(options);
    let scope = "/token?service=x&offline_token=true&scope=repository:library/app:pull,push";
    let asked = Request::get(scope).header("authorization", basic(PASSWORD)).body(Bytes::new()).unwrap();
    let answer = mock.registry.answer(mock::Instant::default(), asked).unwrap();
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    (mock, body["refresh_token"].as_str().unwrap().to_owned())
}

#[test]
fn acr_refresh_token_is_not_access_token() {
    const ZEROES: &str = "00000000-0000-0000-0000-000000000000";
    let forms: [fn(String) -> Credentials; 2] = [
        |token| Credentials::IdentityToken(Secret::new(token)),
        |token| Credentials::Basic { user: ZEROES.to_owned(), password: Secret::new(token) },
    ];
    for form in forms {
        let (mock, token) = refresh_token(with(|auth| auth.token_field = TokenField::AccessToken));
        let lookup = Box::new(move |_: &_, _| Ok(Some(form(token.clone()))));
        let outcome = run_prepared(mock, Setup { lookup, ..Setup::default() });
        outcome.succeeded();
        assert!(outcome.tokens().all(|token| token.method == http::Method::POST));
        assert!(outcome.seen.iter().all(|seen| !seen.authorization.starts_with("Basic")), "{}", outcome.transcript);
    }
}

#[test]
fn token_post_oauth_unsupported() {
    for status in [400, 401, 404, 405] {
        let mut options = with(|auth| auth.post_refused = Some(status));
        let identity = Password::plain("canary-identity");
        options.auth = options.auth.map(|auth| auth.user("<token>", identity, rights("library/*=pull,push")));
        let identity = || Credentials::IdentityToken(Secret::new("canary-identity".to_owned()));
        let outcome = run(options, Setup { lookup: Box::new(move |_, _| Ok(Some(identity()))), ..Setup::default() });
        outcome.succeeded();
        let methods: Vec<_> = outcome.tokens().map(|token| token.method.clone()).collect();
        assert_eq!(methods, [http::Method::POST, http::Method::GET], "{status}");
    }
}

#[test]
fn anonymous_ghost_token() {
    let outcome = push_as_nobody(with(|_| {}));
    assert!(outcome.failure().contains("401"), "{}", outcome.failure());
    assert!(outcome.failure().contains("log in with an account"), "{}", outcome.failure());
    assert!(outcome.seen.len() < 12, "{}", outcome.transcript);
    let wrote = |seen: &&Seen| seen.method != http::Method::GET && seen.status < 400;
    assert_eq!(outcome.seen.iter().filter(wrote).count(), 0, "{}", outcome.transcript);
}

#[test]
fn insufficient_scope_as_403() {
    // Denied is denied, and no loop.
    let outcome = push_as_nobody(with(|auth| auth.insufficient_scope = 403));
    assert!(outcome.failure().contains("403"), "{}", outcome.failure());
    assert!(outcome.seen.len() < 12, "{}", outcome.transcript);
    // A right that is named is asked for, once.
    let world = World {
        challenge: BEARER,
        rule: |seen, before| {
            let wants = concat!(
                r#"Bearer realm="https://registry.example/token",service="registry","#,
                r#"scope="repository:extra:pull",error="insufficient_scope""#
            );
            let had = before.iter().any(|seen| seen.scopes().iter().any(|scope| scope == "repository:extra:pull"));
            let may = seen.is_for_token() || seen.authorization.is_empty() || had;
            (!may).then(|| respond(403, &[("www-authenticate", wants)], ""))
        },
        ..World::default()
    };
    let outcome = crate::world::push(world);
    outcome.succeeded();
    let scopes: Vec<_> = outcome.tokens().map(Seen::scopes).collect();
    assert_eq!(scopes, [vec![PUSH], vec![PUSH, "repository:extra:pull"]], "{}", outcome.transcript);
}

#[test]
fn head_needs_push_scope() {
    // The very first request asks for the right to push.
    let outcome = push(with(|auth| auth.absent_needs_push = true));
    outcome.succeeded();
    assert_eq!(outcome.tokens().map(Seen::scopes).collect::<Vec<_>>(), [[PUSH]]);
    // A question that is refused after that is no answer, and no reason to stop.
    let mut options = Options::default();
    options.ask_above = 0;
    for challenge in [BEARER, "Basic"] {
        let rule: Rule = match challenge {
            BEARER => |seen, _| refuse_questions(seen, BEARER),
            _ => |seen, _| refuse_questions(seen, "Basic"),
        };
        let world = World { challenge, rule, ..World::default() };
        let outcome = crate::world::run(world, Setup { options: options.clone(), ..Setup::default() });
        outcome.succeeded();
        assert!(outcome.seen.len() < 30, "{}", outcome.transcript);
    }
}

fn refuse_questions(seen: &Seen, challenge: &str) -> Option<http::Response<Bytes>> {
    let asks = matches!(seen.method, http::Method::HEAD | http::Method::GET) && !seen.is_for_token();
    asks.then(|| respond(401, &[("www-authenticate", challenge)], ""))
}

#[test]
fn push_scope_alone_insufficient() {
    let outcome = push(with(|_| {}));
    outcome.succeeded();
    assert!(outcome.tokens().all(|token| token.scopes()[0] == PUSH));
}

#[test]
fn token_scope_push_rejected_for_pull() {
    let mut options = with(|auth| auth.foreign_scope_refused = Some(403));
    options.auth = Some(Auth::bearer().user("user", Password::plain(PASSWORD), rights("*=pull")));
    let pull = |registry, repository| {
        let name = ManifestReference::Tag("v1".parse().unwrap());
        Operation::PullManifest { registry, repository, reference: name }
    };
    let outcome = run(options.clone(), in_app(pull));
    assert!(outcome.failure().contains("404"), "{}", outcome.failure());
    assert!(outcome.tokens().all(|token| token.status == 200));
    // Who may only read a mount's source is not asked to write there.
    options.auth =
        Some(Auth::bearer().user("user", Password::plain(PASSWORD), rights("library/base=pull;library/app=pull,push")));
    run_prepared(with_base(options), mounting_from("library/base")).succeeded();
}

#[test]
fn mount_token_fetch_fails() {
    // No token is given for the source: then the blob is sent, with a token for the target alone.
    for status in [400, 401, 403] {
        let outcome = run(with(|auth| auth.foreign_scope_refused = Some(status)), mounting_from("somebody/elses"));
        outcome.succeeded();
        let refused = outcome.tokens().filter(|token| token.status == status);
        assert_eq!(refused.count(), 1, "{}", outcome.transcript);
    }
}

#[test]
fn redirect_strip_authorization() {
    let mut options = with(|_| {});
    options.behaviour.read.blob_redirect = true;
    options.behaviour.read.storage_refuses_authorization = true;
    let (digest, bytes) = blob("config");
    let mut client = Options::default();
    client.ask_above = 0;
    let push = Setup { options: client, ..Setup::default() };
    let pull =
        in_app(|registry, repository| Operation::PullBlob { registry, repository, digest, size: None, sink: "x" });
    for setup in [push, pull] {
        let mut mock = Mock::new(options.clone());
        mock.put_blob(&"library/app".parse().unwrap(), &digest, &bytes);
        let outcome = run_prepared(mock, setup);
        outcome.succeeded();
        let stored: Vec<_> = outcome.at("https://storage.example").collect();
        assert_eq!(stored.len(), 1, "{}", outcome.transcript);
        assert_eq!((stored[0].authorization.as_str(), stored[0].status), ("", 200));
    }
}

#[test]
fn cookies_trigger_csrf() {
    for outcome in [push(with(|auth| auth.cookies = true)), push(with_passwords(|auth| auth.cookies = true))] {
        outcome.succeeded();
        assert!(outcome.seen.iter().all(|seen| !seen.headers.iter().any(|name| name == "cookie")));
    }
}

/// A password of yesterday.
const OLD: &str = "0ld-canary";

/// Looks up an old password first, and the right one when that was refused.
fn renewing() -> Setup {
    let lookup = |_: &_, stale| Ok(Some(password(if stale { PASSWORD } else { OLD })));
    Setup { lookup: Box::new(lookup), ..Setup::default() }
}

#[test]
fn expired_basic_403_plain_text() {
    let outcome = run(with_passwords(|auth| auth.expired_as_text = true), renewing());
    outcome.succeeded();
    assert_eq!(outcome.asked, [false, true]);
    // It may end in the midst of a push, with several requests on their way.
    let world = World {
        challenge: r#"Basic realm="registry""#,
        rule: |seen, before| {
            let text =
                "Your Authorization Token has expired. Please run 'aws ecr get-login-password' to fetch a new one.";
            match before.len() {
                4.. if seen.authorization == basic(OLD) => Some(respond(403, &[], text)),
                _ => None,
            }
        },
        passwords: &[OLD, PASSWORD],
        ..World::default()
    };
    let outcome = crate::world::run(world, renewing());
    outcome.succeeded();
    assert_eq!(outcome.asked, [false, true], "{}", outcome.transcript);
    assert!(outcome.seen.iter().filter(|seen| seen.status == 403).count() > 1, "{}", outcome.transcript);
    // Where the new one is no better, that is the end.
    let lookup = Box::new(|_: &_, _| Ok(Some(password(OLD))));
    let outcome = run(with_passwords(|auth| auth.expired_as_text = true), Setup { lookup, ..Setup::default() });
    assert!(outcome.failure().contains("Authorization Token has expired"), "{}", outcome.failure());
    assert_eq!(outcome.asked, [false, true]);
}

#[test]
fn token_clock_skew() {
    for issued in ["1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999999999Z", "soon", ""] {
        let more = format!(r#","issued_at":"{issued}""#).leak();
        let outcome = crate::world::push(World { challenge: BEARER, token_more: more, ..World::default() });
        outcome.succeeded();
        assert_eq!(outcome.tokens().count(), 1, "{issued}");
    }
}

#[test]
fn token_expires_in_absent() {
    let silent = || with(|auth| auth.expires_in = false);
    assert_eq!(push(silent()).tokens().count(), 1);
    // It is taken to be good for a minute, and not believed to be.
    for life in [20, 60, 3600] {
        let slow = Setup { latency: Duration::from_secs(3), options: in_chunks(10_000), ..Setup::default() };
        let outcome = run(living(silent(), Duration::from_secs(life)), slow);
        outcome.succeeded();
        assert!(outcome.tokens().count() > 2, "{}", outcome.transcript);
    }
}

#[test]
fn token_field_access_token() {
    for field in [TokenField::AccessToken, TokenField::Token, TokenField::Both] {
        push(with(|auth| auth.token_field = field)).succeeded();
    }
}

#[test]
fn a_token_that_must_outlive_the_body() {
    let checked = with(|auth| auth.checked_at_end = true);
    let slow = Setup { latency: Duration::from_secs(12), operations: vec![image().into()], ..Setup::default() };
    run(living(checked, Duration::from_secs(60)), slow).succeeded();
}

/// A registry that sends every question on to another, which wants a token of its own.
fn redirector(seen: &Seen, before: &[Seen]) -> Option<http::Response<Bytes>> {
    let bearer = r#"Bearer realm="https://storage.example.net/token",service="s",scope="repository:real/app:pull""#;
    let asks = matches!(seen.method, http::Method::GET | http::Method::HEAD) && !seen.is_for_token();
    match seen.origin.as_str() {
        "https://registry.example" if asks && !seen.authorization.is_empty() => {
            Some(respond(307, &[("location", "https://storage.example.net/v2/real/app/manifests/v1")], ""))
        }
        "https://registry.example" => None,
        _ if seen.is_for_token() => Some(respond(200, &[], r#"{"token":"guest"}"#)),
        _ if seen.authorization == "Bearer guest" => {
            let media_type = "application/vnd.oci.image.manifest.v1+json";
            let body = String::from_utf8(crate::drive::manifest("").bytes().to_vec()).unwrap();
            Some(respond(200, &[("content-type", media_type)], &body))
        }
        _ if before.len() > 40 => panic!("it goes round in circles"),
        _ => Some(respond(401, &[("www-authenticate", bearer)], "")),
    }
}

#[test]
fn redirect_target_needs_own_auth() {
    let pull = || {
        let name = ManifestReference::Tag("v1".parse().unwrap());
        in_app(|registry, repository| Operation::PullManifest { registry, repository, reference: name })
    };
    let world = || World { challenge: BEARER, rule: redirector, ..World::default() };
    // Not unless the caller says so.
    let outcome = crate::world::run(world(), pull());
    assert!(outcome.failure().contains("https://storage.example.net asks for credentials"), "{}", outcome.failure());
    assert_eq!(outcome.at("https://storage.example.net").filter(|seen| seen.is_for_token()).count(), 0);
    // Then as nobody, for what that registry calls it, and for that registry alone.
    let mut options = Options::default();
    options.policy = options.policy.with_guest_tokens(true);
    let outcome = crate::world::run(world(), Setup { options: options.clone(), ..pull() });
    outcome.succeeded();
    let there: Vec<_> = outcome.at("https://storage.example.net").collect();
    let (refused, token, given) = (there[0], there[1], there[2]);
    assert_eq!((refused.authorization.as_str(), refused.status), ("", 401));
    assert_eq!((token.authorization.as_str(), token.scopes()), ("", vec!["repository:real/app:pull".to_owned()]));
    assert_eq!((given.authorization.as_str(), there.len()), ("Bearer guest", 3));
    assert_eq!(outcome.asked.len(), 1);
    assert!(outcome.at("https://registry.example").all(|seen| seen.authorization != "Bearer guest"));
    // Whatever else it wants, it does not get.
    for challenge in [
        "Basic",
        "Negotiate",
        "",
        r#"Bearer realm="https://evil.example.org/token""#,
        r#"Bearer realm="http://storage.example.net/""#,
    ] {
        let challenge: &'static str = challenge;
        let redirect = Some(("/manifests/", 307, "https://storage.example.net/elsewhere"));
        let world = World { redirect, storage: Some((401, challenge)), ..World::default() };
        let outcome = crate::world::run(world, Setup { options: options.clone(), ..pull() });
        assert!(outcome.result.is_err(), "{challenge}");
        assert!(outcome.seen.len() < 8 && outcome.asked.is_empty(), "{challenge}\n{}", outcome.transcript);
        assert!(outcome.seen.iter().all(|seen| seen.path_and_query != "/v2/"), "{challenge}\n{}", outcome.transcript);
        assert!(outcome.seen.iter().all(|seen| seen.authorization.is_empty() && !seen.origin.contains("evil")));
    }
}

#[test]
fn nobody_is_told_once_that_a_password_is_wanted() {
    let outcome = push_as_nobody(with_passwords(|_| {}));
    assert!(outcome.failure().contains("log in to it first"), "{}", outcome.failure());
    assert!(outcome.seen.len() <= 4, "{}", outcome.transcript);
}
