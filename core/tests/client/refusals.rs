//! Refusals of a registry that wants credentials: what is asked, of whom, and how often.

use std::cell::RefCell;

use bytes::Bytes;
use http::{Method, Request, Response};
use longshore_core::auth::Credentials;
use longshore_core::driver::Body;
use longshore_core::target::Policy;
use longshore_core::{FailureKind, Options, Secret};

use crate::world::*;

const BEARER: &str = r#"Bearer realm="https://registry.example/token",service="r""#;
const BASIC: &str = r#"Basic realm="r""#;

fn password(text: &str) -> Option<Credentials> {
    Some(Credentials::Basic { user: "robot".to_owned(), password: Secret::new(text.to_owned()) })
}

/// The header of a request with this password.
fn basic(password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("robot:{password}")))
}

fn authorization(request: &Request<Body<String>>) -> &str {
    request.headers().get("authorization").map_or("", |header| header.to_str().unwrap())
}

fn refused(challenge: &str) -> Response<Bytes> {
    respond(401, &[("www-authenticate", challenge)], "")
}

fn token() -> Response<Bytes> {
    respond(200, &[], r#"{"token":"t","expires_in":60}"#)
}

#[test]
fn a_registry_whose_answers_come_after_its_tokens_have_ended_is_left_after_five_more_tokens() {
    let mut world = World::new(Options::default(), |_, request| match request.uri().path() {
        "/token" => Fate::Answered(millis(10), token()),
        _ => Fate::Answered(seconds(61), refused(BEARER)),
    });
    world.credentials = Box::new(|| password("right"));
    let pull = world.client.start(pull("v1"));
    world.run();
    assert!(matches!(world.failure(pull).kind, FailureKind::Denied(_)), "{}", world.failure(pull));
    assert_eq!((world.count("/manifests/"), world.count("/token")), (7, 6), "{}", world.transcript());
}

#[test]
fn tokens_that_have_always_ended_when_they_come_are_told_after_the_fourth() {
    let mut world = World::new(Options::default(), |_, request| match request.uri().path() {
        "/token" => Fate::Answered(seconds(61), token()),
        _ => Fate::Answered(millis(10), refused(BEARER)),
    });
    let pull = world.client.start(pull("v1"));
    world.run();
    assert!(world.failure(pull).to_string().contains("expire before they can be used"), "{}", world.failure(pull));
    assert_eq!(world.count("/token"), 4, "{}", world.transcript());
}

#[test]
fn a_password_that_only_the_token_service_refuses_is_looked_up_again_before_anything_fails() {
    let mut world = World::new(Options::default(), |_, request| match (request.uri().path(), authorization(request)) {
        ("/token", header) if header == basic("new") => Fate::Answered(millis(10), token()),
        ("/token", _) => Fate::Answered(millis(10), respond(401, &[], "")),
        (_, "Bearer t") => Fate::Answered(millis(10), found()),
        _ => Fate::Answered(millis(10), refused(BEARER)),
    });
    let mut passwords = vec!["new", "old"];
    world.credentials = Box::new(move || password(passwords.pop().expect("asked a third time")));
    let pulls = ["v1", "v2"].map(|tag| world.client.start(pull(tag)));
    world.run();
    for pull in pulls {
        world.succeeded(pull);
    }
}

/// A registry's repositories may have different token services. The one that gave the last token is tried first.
#[test]
fn where_the_last_token_service_gives_nothing_for_a_repository_the_registry_names_the_one_that_does() {
    for status in [403, 404, 500] {
        let mut options = Options::default();
        options.attempts = 1;
        let mut world = World::new(options, |_, request| {
            let (path, query) = (request.uri().path(), request.uri().query().unwrap_or(""));
            let team = path.strip_prefix("/v2/").and_then(|path| path.split('/').next());
            let answer = match (path, team, authorization(request)) {
                ("/token/a", ..) if query.contains("repository%3Aa%2Fb") => respond(200, &[], r#"{"token":"a"}"#),
                ("/token/c", ..) => respond(200, &[], r#"{"token":"c"}"#),
                ("/token/a", ..) => respond(status, &[], ""),
                (_, Some("a"), "Bearer a") | (_, Some("c"), "Bearer c") => found(),
                (_, team, _) => {
                    refused(&format!(r#"Bearer realm="https://registry.example/token/{}""#, team.unwrap_or_default()))
                }
            };
            Fate::Answered(millis(10), answer)
        });
        for repository in ["a/b", "c/d"] {
            let pull = world.client.start(pull_from(repository, "v1"));
            world.run();
            world.succeeded(pull);
        }
        assert_eq!(world.count("/token/a"), 2, "it is tried for the other repository\n{}", world.transcript());
    }
}

#[test]
fn a_challenge_that_cannot_be_used_is_an_error_only_where_the_registry_refuses() {
    let challenge = r#"Bearer realm="Registry Realm""#;
    for is_refused in [false, true] {
        let mut world = World::new(Options::default(), |_, _| {
            let mut answer = if is_refused { refused(challenge) } else { found() };
            answer.headers_mut().insert("www-authenticate", challenge.parse().unwrap());
            Fate::Answered(millis(10), answer)
        });
        let pull = world.client.start(pull("v1"));
        world.run();
        if is_refused {
            assert!(world.failure(pull).to_string().contains("which is not a URL"), "{}", world.failure(pull));
        } else {
            world.succeeded(pull);
        }
    }
}

/// Quirk `challenge-missing-www-authenticate`.
#[test]
fn the_challenge_that_answers_lack_is_looked_for_once_for_all_who_need_it() {
    let mut world = World::new(Options::default(), |_, request| match request.uri().path() {
        "/v2/" => Fate::Answered(millis(500), refused(BASIC)),
        _ if authorization(request) == basic("right") => Fate::Answered(millis(10), found()),
        _ => Fate::Answered(millis(10), respond(401, &[], "")),
    });
    world.credentials = Box::new(|| password("right"));
    let pulls = ["v1", "v2", "v3"].map(|tag| world.client.start(pull(tag)));
    world.run();
    for pull in pulls {
        world.succeeded(pull);
    }
    assert_eq!((world.count("GET /v2/ "), world.asked.len()), (1, 1), "{}", world.transcript());
}

#[test]
fn a_ping_for_a_challenge_is_never_signed() {
    let pings = RefCell::new(Vec::new());
    let mut options = Options::default();
    options.in_flight = 2;
    let mut world = World::new(options, |_, request| match request.uri().path() {
        "/v2/" => {
            pings.borrow_mut().push(authorization(request).to_owned());
            Fate::Answered(millis(10), refused(BASIC))
        }
        "/v2/a/b/manifests/open" => Fate::Answered(millis(10), found()),
        _ if authorization(request) == basic("right") => Fate::Answered(millis(10), found()),
        "/v2/a/b/manifests/bare" => Fate::Answered(millis(10), respond(401, &[], "")),
        _ => Fate::Answered(millis(10), refused(BASIC)),
    });
    world.credentials = Box::new(|| password("right"));
    let open = world.client.start(pull("open"));
    world.run();
    world.succeeded(open);
    // Both answers come at the same moment: one asks for a password, the other has no challenge.
    let pulls = ["bare", "named"].map(|tag| world.client.start(pull(tag)));
    world.run();
    for pull in pulls {
        world.succeeded(pull);
    }
    assert_eq!(*pings.borrow(), [""], "{}", world.transcript());
}

/// Quirk `expired-basic-403-plain-text`.
#[test]
fn a_password_that_has_expired_is_looked_up_again() {
    for (second, is_enough) in [("new", true), ("old", false)] {
        let mut world = World::new(Options::default(), |_, request| match authorization(request) {
            "" => Fate::Answered(millis(10), refused(BASIC)),
            header if header == basic("new") => Fate::Answered(millis(10), found()),
            _ => Fate::Answered(millis(10), respond(403, &[], "Your authorization token has expired.")),
        });
        let mut passwords = vec![second, "old"];
        world.credentials = Box::new(move || password(passwords.pop().expect("asked a third time")));
        let pull = world.client.start(pull("v1"));
        world.run();
        assert_eq!(world.asked.iter().map(|(_, stale)| *stale).collect::<Vec<_>>(), [false, true]);
        if is_enough {
            world.succeeded(pull);
        } else {
            assert!(world.failure(pull).to_string().contains("has expired"), "{}", world.failure(pull));
        }
    }
}

#[test]
fn one_request_has_the_driver_asked_for_other_credentials_once() {
    let mut world = World::new(Options::default(), |_, _| Fate::Answered(seconds(20), refused(BASIC)));
    let mut number = 0;
    world.credentials = Box::new(move || {
        number += 1;
        password(&format!("guess {number}"))
    });
    let pull = world.client.start(pull("v1"));
    world.run();
    assert!(matches!(world.failure(pull).kind, FailureKind::Denied(_)), "{}", world.failure(pull));
    assert_eq!(world.asked.iter().map(|(_, stale)| *stale).collect::<Vec<_>>(), [false, true]);
    assert_eq!(world.count("/manifests/"), 3, "{}", world.transcript());
}

/// Quirk `head-needs-push-scope`: what does not exist is refused too.
#[test]
fn a_question_of_a_push_that_is_refused_is_no_refusal_of_the_password() {
    let (registry, patches) = (RefCell::new(Registry::default()), RefCell::new(0));
    let mut world = World::new(in_chunks(), |_, request| {
        if authorization(request) != basic("right") || request.method() == Method::GET {
            return Fate::Answered(millis(10), refused(BASIC));
        }
        if request.method() == Method::PATCH {
            *patches.borrow_mut() += 1;
            if *patches.borrow() == 2 {
                return Fate::Lost(millis(10));
            }
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    world.credentials = Box::new(|| password("right"));
    world.client.start(push("registry.example", "a/b", &[("x", 5000)]));
    world.run();
    assert!(world.count("GET /v2/a/b/blobs/uploads/") > 0, "{}", world.transcript());
    assert_eq!(world.asked.len(), 1, "{}", world.transcript());
}

#[test]
fn cleanup_that_is_refused_is_neither_repeated_nor_a_refusal_of_the_password() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(in_chunks(), |_, request| {
        if authorization(request) != basic("right") || request.method() == Method::DELETE {
            return Fate::Answered(millis(10), refused(BASIC));
        }
        Fate::Answered(millis(100), registry.borrow_mut().answer(request))
    });
    world.credentials = Box::new(|| password("right"));
    let push = world.client.start(push("registry.example", "a/b", &[("x", 50_000)]));
    world.run_until(seconds(1));
    world.client.cancel(push);
    world.run();
    assert_eq!(registry.borrow().open.len(), 1, "{}", world.transcript());
    assert_eq!((world.count("DELETE"), world.asked.len()), (1, 1), "{}", world.transcript());
}

/// The lines that were sent to the registry, without those to its token service.
fn lines<'a>(world: &'a World<'_>) -> Vec<&'a str> {
    world.sent.iter().map(|sent| sent.line.as_str()).filter(|line| !line.contains("/token")).collect()
}

/// A registry refuses the first request of this method to such a path after it has had its body, and any without a token.
fn after_one_refusal_of(method: &Method, part: &str, options: Options) -> (Vec<String>, usize) {
    let (registry, is_refused) = (RefCell::new(Registry::default()), RefCell::new(false));
    let mut world = World::new(options, |_, request| {
        let path = request.uri().path();
        if path == "/token" {
            return Fate::Answered(millis(10), token());
        }
        let is_it = request.method() == method && path.contains(part) && !authorization(request).is_empty();
        if authorization(request).is_empty() || is_it && !is_refused.replace(true) {
            return Fate::Answered(millis(10), refused(BEARER));
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    let push = world.client.start(push("registry.example", "a/b", &[("x", 5000)]));
    world.run();
    world.succeeded(push);
    let lines: Vec<String> = lines(&world).into_iter().map(str::to_owned).collect();
    // Its first request was not signed, and refused for that.
    let at = lines.iter().skip(1).position(|line| line.starts_with(method.as_str()) && line.contains(part));
    (lines, at.unwrap() + 1)
}

#[test]
fn what_is_stored_of_a_chunk_that_was_refused_is_asked_first() {
    let (lines, at) = after_one_refusal_of(&Method::PATCH, "/uploads/", in_chunks());
    assert!(lines[at + 1].starts_with("GET /v2/a/b/blobs/uploads/"), "{lines:#?}");
}

#[test]
fn a_request_that_opens_an_upload_or_stores_a_whole_manifest_or_blob_is_repeated_at_once_when_it_was_refused() {
    for (method, part, options) in [
        (Method::POST, "/uploads/", in_chunks()),
        (Method::POST, "/uploads/", Options::default()),
        (Method::PUT, "/manifests/", Options::default()),
    ] {
        let (lines, at) = after_one_refusal_of(&method, part, options);
        assert_eq!(lines[at + 1], lines[at], "{lines:#?}");
    }
}

/// The answer may be late and not the request refused: the blob may be stored.
#[test]
fn a_post_of_a_whole_blob_whose_token_ended_meanwhile_is_not_repeated_blindly() {
    let (registry, posts) = (RefCell::new(Registry::default()), RefCell::new(0));
    let mut world = World::new(Options::default(), |_, request| {
        if request.uri().path() == "/token" {
            return Fate::Answered(millis(10), token());
        }
        let is_post = request.method() == Method::POST;
        if authorization(request).is_empty() {
            return Fate::Answered(millis(10), refused(BEARER));
        }
        *posts.borrow_mut() += u32::from(is_post);
        if is_post && *posts.borrow() == 1 {
            return Fate::Answered(seconds(61), refused(BEARER));
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    let push = world.client.start(push("registry.example", "a/b", &[("x", 5000)]));
    world.run();
    world.succeeded(push);
    let posts: Vec<Sent> = world.sent.iter().filter(|sent| sent.line.starts_with("POST")).cloned().collect();
    let refused = posts.iter().find(|sent| posts.iter().any(|other| other.at >= sent.at + seconds(61))).unwrap();
    let next = world.sent.iter().find(|sent| sent.at >= refused.at + seconds(61) && !sent.line.contains("/token"));
    assert_ne!(next.map(|next| &next.line), Some(&refused.line), "{}", world.transcript());
}

/// What was sent, how often credentials were asked for, and the end of a pull that the registry redirects to a storage which
/// may get anonymous tokens.
fn redirected(storage: impl Fn(&Request<Body<String>>) -> Response<Bytes>) -> (Vec<Sent>, usize, Result<(), String>) {
    let mut options = Options::default();
    options.policy = Policy::default().with_guest_tokens(true);
    let mut world = World::new(options, |_, request| {
        let answer = match request.uri().host() {
            Some("registry.example") if request.uri().path() == "/v2/a/b/manifests/v1" => {
                respond(307, &[("location", "https://storage.example/v2/real/manifests/v1")], "")
            }
            Some("registry.example") => refused(BASIC),
            _ => storage(request),
        };
        Fate::Answered(millis(10), answer)
    });
    let operation = world.client.start(pull("v1"));
    world.run();
    let result = world.done[&operation].1.as_ref().map(|_| ()).map_err(ToString::to_string);
    (world.sent.clone(), world.asked.len(), result)
}

#[test]
fn the_target_of_a_redirect_gets_an_anonymous_token_and_nothing_else() {
    const STORAGE: &str = r#"Bearer realm="https://storage.example/token",service="s""#;
    for is_enough in [true, false] {
        let (sent, asked, result) = redirected(|request| match (request.uri().path(), authorization(request)) {
            ("/token", "") => token(),
            (_, "Bearer t") if is_enough => found(),
            _ => refused(STORAGE),
        });
        assert_eq!((result.is_ok(), asked), (is_enough, 0), "{result:?}\n{sent:#?}");
        assert_eq!(sent.len(), 4, "{sent:#?}");
    }
}

#[test]
fn no_challenge_is_looked_for_at_the_target_of_a_redirect_or_for_it() {
    let (sent, asked, result) = redirected(|_| respond(401, &[], ""));
    let error = result.unwrap_err();
    assert!(error.contains("https://storage.example asks for credentials"), "{error}");
    assert_eq!((sent.len(), asked), (2, 0), "{sent:#?}");
}

#[test]
fn who_is_redirected_back_to_the_registry_gets_in_there_without_credentials_or_not_at_all() {
    let (sent, asked, result) =
        redirected(|_| respond(307, &[("location", "https://registry.example/v2/a/b/manifests/secret")], ""));
    assert!(result.is_err());
    assert_eq!((sent.len(), asked), (3, 0), "{sent:#?}");
}
