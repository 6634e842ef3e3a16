//! Tokens and credentials over a long time.

use std::cell::RefCell;
use std::time::Duration;

use http::Request;
use longshore_core::auth::Credentials;
use longshore_core::driver::Body;
use longshore_core::{Options, Secret};

use crate::world::*;

const CHALLENGE: &str = r#"Bearer realm="https://registry.example/token",service="r""#;

fn password(text: &str) -> Option<Credentials> {
    Some(Credentials::Basic { user: "robot".to_owned(), password: Secret::new(text.to_owned()) })
}

fn is_signed(request: &Request<Body<String>>) -> bool {
    request.headers().contains_key("authorization")
}

#[test]
fn a_push_that_waits_its_turn_is_not_refused_though_many_tokens_end_meanwhile() {
    let (registry, tokens) = (RefCell::new(Registry::default()), RefCell::new(0));
    let mut world = World::new(Options::default(), |_, request| {
        if request.uri().path() == "/token" {
            *tokens.borrow_mut() += 1;
            let token = format!(r#"{{"token":"t{}","expires_in":300}}"#, tokens.borrow());
            return Fate::Answered(millis(50), respond(200, &[], &token));
        }
        if !is_signed(request) {
            return Fate::Answered(millis(50), respond(401, &[("www-authenticate", CHALLENGE)], ""));
        }
        let takes = Duration::from_micros(request.body().len().unwrap_or(0));
        Fate::Answered(millis(50) + takes, registry.borrow_mut().answer(request))
    });
    let pushes: Vec<_> = (0..200)
        .map(|number| world.client.start(push("registry.example", &format!("team/app{number}"), &[("l", 100_000_000)])))
        .collect();
    world.run();
    for push in pushes.iter() {
        world.succeeded(*push);
    }
    assert!(*tokens.borrow() <= 3 * pushes.len(), "{} tokens", tokens.borrow());
}

/// 300 pushes, one each 100 ms; the password is changed at the hundredth. How many of the last 150 went well.
fn good_after_the_change(world: &mut World<'_>, current: &RefCell<&str>) -> usize {
    let mut pushes = Vec::new();
    for number in 0..300 {
        if number == 100 {
            *current.borrow_mut() = "second";
        }
        pushes.push(world.client.start(push("registry.example", &format!("a/b{number}"), &[("l", 100)])));
        world.run_until(millis((number + 1) * 100));
    }
    world.run();
    pushes[150..].iter().filter(|push| world.done[push].1.is_ok()).count()
}

/// A registry that wants this password on every request; what was asked for, and how many pushes after the change went well.
fn after_a_change_of_password(lookup: impl FnMut() -> Option<Credentials>, current: &RefCell<&str>) -> (usize, usize) {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(Options::default(), |_, request| {
        use base64::Engine as _;
        let expected = base64::engine::general_purpose::STANDARD.encode(format!("robot:{}", current.borrow()));
        let header = request.headers().get("authorization").map(|header| header.to_str().unwrap());
        if header != Some(&format!("Basic {expected}")) {
            return Fate::Answered(millis(200), respond(401, &[("www-authenticate", "Basic realm=\"r\"")], ""));
        }
        Fate::Answered(millis(200), registry.borrow_mut().answer(request))
    });
    world.credentials = Box::new(lookup);
    let good = good_after_the_change(&mut world, current);
    (good, world.asked.len())
}

#[test]
fn a_changed_password_is_asked_for_though_something_is_always_under_way() {
    let current = RefCell::new("first");
    assert_eq!(after_a_change_of_password(|| password(&current.borrow()), &current), (150, 2));
}

#[test]
fn credentials_that_stay_wrong_are_asked_for_at_most_once_in_ten_seconds() {
    let current = RefCell::new("first");
    let (good, asked) = after_a_change_of_password(|| password("first"), &current);
    assert_eq!(good, 0);
    assert!((2..=5).contains(&asked), "asked {asked} times in 20 seconds");
}

#[test]
fn a_mount_that_is_not_allowed_is_no_refusal_of_who_we_are() {
    let (registry, tokens) = (RefCell::new(Registry::default()), RefCell::new(0));
    let mut world = World::new(Options::default(), |_, request| {
        if request.uri().path() == "/token" {
            *tokens.borrow_mut() += 1;
            let token = format!(r#"{{"token":"t{}","expires_in":3600}}"#, tokens.borrow());
            return Fate::Answered(millis(50), respond(200, &[], &token));
        }
        let is_mount = request.uri().query().is_some_and(|query| query.contains("from=team%2Fsecret"));
        if !is_signed(request) || is_mount {
            return Fate::Answered(millis(50), respond(401, &[("www-authenticate", CHALLENGE)], ""));
        }
        Fate::Answered(millis(50), registry.borrow_mut().answer(request))
    });
    world.credentials = Box::new(|| password("right"));
    for number in 0..10 {
        let layer = format!("layer {number}");
        let push = push_mounting("registry.example", "a/b", &[(&layer, 1000)], Some("team/secret"));
        let push = world.client.start(push);
        world.run();
        world.succeeded(push);
    }
    assert_eq!(world.asked.len(), 1, "{} tokens", tokens.borrow());
}

#[test]
fn each_repository_is_let_in_by_the_token_service_that_its_challenge_names() {
    let registry = RefCell::new(Registry::default());
    let mut world = World::new(Options::default(), |_, request| {
        let path = request.uri().path();
        if let Some(service) = path.strip_prefix("/token/") {
            return Fate::Answered(millis(10), respond(200, &[], &format!(r#"{{"token":"{service}"}}"#)));
        }
        let team = path.split('/').nth(2).unwrap();
        let is_right = request.headers().get("authorization").is_some_and(|header| *header == format!("Bearer {team}"));
        if !is_right {
            let challenge = format!(r#"Bearer realm="https://registry.example/token/{team}",service="{team}""#);
            return Fate::Answered(millis(10), respond(401, &[("www-authenticate", &challenge)], ""));
        }
        Fate::Answered(millis(10), registry.borrow_mut().answer(request))
    });
    let names: Vec<String> = (0..10).map(|number| format!("layer {number}")).collect();
    let layers: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 20_000)).collect();
    let pushes: Vec<_> = (0..6)
        .map(|number| {
            let repository = format!("team{}/app{number}", number % 2);
            world.client.start(push("registry.example", &repository, &layers))
        })
        .collect();
    world.run();
    for push in pushes.iter() {
        world.succeeded(*push);
    }
}

#[test]
fn a_token_that_ends_while_several_requests_carry_it_is_no_refusal() {
    let (registry, tokens) = (RefCell::new(Registry::default()), RefCell::new(Vec::new()));
    let mut world = World::new(Options::default(), |at, request| {
        if request.uri().path() == "/token" {
            tokens.borrow_mut().push(at);
            let token = format!(r#"{{"token":"t{}","expires_in":60}}"#, tokens.borrow().len());
            return Fate::Answered(seconds(1), respond(200, &[], &token));
        }
        // The registry looks at the token when the request has ended.
        let takes = seconds(45);
        let newest = tokens.borrow().last().copied().unwrap_or_default();
        let is_newest = request.headers().get("authorization").is_some_and(|header| {
            *header == format!("Bearer t{}", tokens.borrow().len()) && at + takes < newest + seconds(60)
        });
        if !is_newest {
            return Fate::Answered(takes, respond(401, &[("www-authenticate", CHALLENGE)], ""));
        }
        Fate::Answered(takes, registry.borrow_mut().answer(request))
    });
    let names: Vec<String> = (0..12).map(|number| format!("layer {number}")).collect();
    let layers: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 1000)).collect();
    let push = world.client.start(push("registry.example", "a/b", &layers));
    world.run();
    world.succeeded(push);
}

/// The token service, and not the registry, refuses a password that was changed.
#[test]
fn a_changed_password_is_asked_for_though_only_the_token_service_refuses_the_old_one() {
    use base64::Engine as _;
    let (registry, current, tokens) = (RefCell::new(Registry::default()), RefCell::new("first"), RefCell::new(0));
    let mut world = World::new(Options::default(), |_, request| {
        let header = request.headers().get("authorization").map(|header| header.to_str().unwrap().to_owned());
        if request.uri().path() == "/token" {
            let expected = base64::engine::general_purpose::STANDARD.encode(format!("robot:{}", current.borrow()));
            if header != Some(format!("Basic {expected}")) {
                return Fate::Answered(millis(200), respond(401, &[], ""));
            }
            *tokens.borrow_mut() += 1;
            let token = format!(r#"{{"token":"t{}","expires_in":60}}"#, tokens.borrow());
            return Fate::Answered(millis(200), respond(200, &[], &token));
        }
        if header.is_none() {
            return Fate::Answered(millis(200), respond(401, &[("www-authenticate", CHALLENGE)], ""));
        }
        Fate::Answered(millis(200), registry.borrow_mut().answer(request))
    });
    world.credentials = Box::new(|| password(&current.borrow()));
    let good = good_after_the_change(&mut world, &current);
    assert_eq!((good, world.asked.len()), (150, 2), "{:?}", world.asked);
}

/// That one repository's token service does not answer, or gives no token, is nothing to a repository that names another.
#[test]
fn a_token_service_that_fails_costs_no_repository_that_names_another() {
    for failing in ["hangs", "fails", "is no token service"] {
        let registry = RefCell::new(Registry::default());
        let mut world = World::new(Options::default(), |_, request| {
            let path = request.uri().path();
            match path.strip_prefix("/token/") {
                Some("good") => return Fate::Answered(millis(10), respond(200, &[], r#"{"token":"good"}"#)),
                Some(_) if failing == "hangs" => return Fate::Lost(seconds(300)),
                Some(_) if failing == "fails" => return Fate::Answered(millis(10), respond(500, &[], "")),
                Some(_) => return Fate::Answered(millis(10), respond(200, &[], "<html>")),
                None => {}
            }
            if request.headers().contains_key("authorization") {
                return Fate::Answered(millis(10), registry.borrow_mut().answer(request));
            }
            let team = path.split('/').nth(2).unwrap();
            let challenge = format!(r#"Bearer realm="https://registry.example/token/{team}",service="{team}""#);
            Fate::Answered(millis(10), respond(401, &[("www-authenticate", &challenge)], ""))
        });
        let bad = world.client.start(push("registry.example", "bad/app", &[("x", 10)]));
        // They are begun one after the other, or at once.
        if failing != "hangs" {
            world.run_until(millis(15));
        }
        let good = world.client.start(push("registry.example", "good/app", &[("x", 10)]));
        world.run_until(seconds(30));
        world.succeeded(good);
        world.run();
        assert!(world.done[&bad].1.is_err());
        // The last that was named may have failed; another repository is asked about all the same.
        let later = world.client.start(push("registry.example", "good/other", &[("x", 10)]));
        world.run();
        world.succeeded(later);
    }
}
