//! Tokens end: before a request, during it, during a pause. A push goes on.

use std::time::Duration;

use longshore_core::{Learned, Operation, Options};

use crate::drive::{Seen, Setup, in_chunks};
use crate::mock::{living, run, with};
use crate::world::{self, BEARER, World, respond};

fn bearer() -> World {
    World { challenge: BEARER, token_life: 60, ..World::default() }
}

fn slowly(seconds: u64, options: Options) -> Setup {
    Setup { latency: Duration::from_secs(seconds), options, ..Setup::default() }
}

#[test]
fn a_push_outlives_hundreds_of_tokens() {
    // 300 chunks of two blobs, at 24 seconds each, with tokens that are good for a minute.
    let outcome = world::run(bearer(), slowly(12, in_chunks(1000)));
    outcome.succeeded();
    assert!(outcome.tokens().count() > 100, "{}", outcome.tokens().count());
    assert_eq!(outcome.asked.len(), 1);
    // The same where the client does not know when they end.
    let silent = with(|auth| auth.expires_in = false);
    let outcome = run(living(silent, Duration::from_secs(20)), slowly(3, in_chunks(1000)));
    outcome.succeeded();
    assert!(outcome.seen.iter().filter(|seen| seen.status == 401).count() > 20, "{}", outcome.transcript);
}

#[test]
fn failures_that_pass_use_up_no_tokens() {
    // Each pause outlives the token that was in hand.
    let rule = |seen: &Seen, before: &[Seen]| {
        let refused = before.iter().filter(|seen| seen.status == 503).count();
        let is_write = seen.method == http::Method::POST;
        (is_write && refused < 10).then(|| respond(503, &[("retry-after", "70")], ""))
    };
    let mut options = in_chunks(1 << 20);
    options.attempts = 12;
    let outcome = world::run(World { rule, ..bearer() }, Setup { options, ..Setup::default() });
    outcome.succeeded();
    assert!(outcome.tokens().count() > 10, "{}", outcome.transcript);
}

#[test]
fn a_token_that_ends_in_a_pause_is_no_refusal() {
    // A refusal, a failure that passes, a refusal, and so on: each attempt may be let in afresh.
    let rule = |seen: &Seen, before: &[Seen]| {
        let writes = before.iter().filter(|seen| seen.method == http::Method::POST).count();
        match (seen.method == http::Method::POST, writes) {
            (true, 0 | 2 | 4) => Some(respond(401, &[("www-authenticate", BEARER)], "")),
            (true, 1 | 3 | 5) => Some(respond(503, &[], "")),
            _ => None,
        }
    };
    let options = in_chunks(1 << 20);
    world::run(World { rule, ..bearer() }, Setup { options, ..Setup::default() }).succeeded();
}

#[test]
fn a_token_service_whose_tokens_come_too_late_is_an_error() {
    let outcome = world::run(bearer(), slowly(31, Options::default()));
    assert!(outcome.failure().contains("expire before they can be used"), "{}", outcome.failure());
    assert!(outcome.tokens().count() < 10, "{}", outcome.transcript);
}

#[test]
fn a_body_that_outlives_any_token_is_sent_in_chunks() {
    // The registry looks at the token when the body has ended, and no token lives for as long as a large body takes.
    let rule = |seen: &Seen, _: &[Seen]| {
        let is_long = seen.body.len() > 50_000;
        is_long.then(|| respond(401, &[("www-authenticate", BEARER)], ""))
    };
    let mut options = Options::default();
    options.chunk = 40_000;
    // Blobs of some size go in one POST where that was seen to work.
    for single_post in [None, Some(true)] {
        let world = World { rule, byte_takes: Duration::from_millis(1), ..bearer() };
        let learned = learned(single_post);
        let outcome = world::run(world, Setup { options: options.clone(), learned, ..Setup::default() });
        outcome.succeeded();
        assert!(outcome.seen.len() < 100, "{}", outcome.transcript);
    }
}

#[test]
fn a_token_is_renewed_before_a_long_body_would_outlive_it() {
    // At three quarters of their lives tokens do for questions and small chunks, and not for large bodies.
    let oldest = |chunk| {
        let world = World { token_life: 600, ..bearer() };
        let outcome = world::run(world, slowly(50, in_chunks(chunk)));
        outcome.succeeded();
        let mut asked = outcome.seen[0].at;
        let mut oldest = Duration::ZERO;
        for seen in &outcome.seen {
            if seen.is_for_token() {
                asked = seen.at;
            } else if !seen.body.is_empty() {
                oldest = oldest.max(seen.at.since(asked));
            }
        }
        oldest.as_secs()
    };
    // A body takes 150 seconds to be there, and the request for its token took 50.
    let (large, small) = (oldest(66_000), oldest(10_000));
    assert!(large <= 300 + 150 && small > 550, "{large} {small}");
}

#[test]
fn a_token_is_renewed_before_a_question_would_outlive_it() {
    // A page every 6 seconds: the token that was asked for at 3 does for those that are there 50 seconds later.
    let rule = |seen: &Seen, _: &[Seen]| {
        let page = seen.path_and_query.split_once("page=").map_or(0, |(_, page)| page.parse::<u32>().unwrap());
        let link = format!("<?page={}>; rel=next", page + 1);
        let is_let_in = seen.path_and_query.contains("/tags/") && !seen.authorization.is_empty();
        is_let_in.then(|| respond(200, &[("link", &link)], &format!(r#"{{"tags":["v{page}"]}}"#)))
    };
    let (registry, repository) = ("registry.example".parse().unwrap(), "library/app".parse().unwrap());
    let mut options = Options::default();
    options.pages = 40;
    let operations = vec![Operation::ListTags { registry, repository }];
    let outcome = world::run(World { rule, ..bearer() }, Setup { operations, ..slowly(3, options) });
    assert!(outcome.failure().contains("more than 40 pages"), "{}", outcome.failure());
    let mut asked = None;
    for seen in &outcome.seen {
        if seen.is_for_token() {
            asked = Some(seen.at);
        } else if let Some(asked) = asked {
            assert!(seen.at.since(asked) <= Duration::from_secs(50), "{}", outcome.transcript);
        }
    }
}

#[test]
fn what_became_of_a_body_that_was_turned_away_is_asked_first() {
    // Each chunk is turned away once: the registry looks at the token when it has all of it.
    let rule = |seen: &Seen, before: &[Seen]| {
        let is_status = seen.method == http::Method::GET && seen.path_and_query.contains("/uploads/");
        let same = |other: &&Seen| other.body == seen.body && other.method == seen.method;
        let is_new = !seen.body.is_empty() && before.iter().filter(same).count() == 0;
        if is_status {
            // It kept what it read.
            let kept = before.iter().rfind(|seen| !seen.body.is_empty()).map_or(0, |seen| seen.body.len());
            return Some(respond(
                204,
                &[("range", &format!("0-{}", kept.saturating_sub(1))), ("location", &seen.path_and_query)],
                "",
            ));
        }
        is_new.then(|| respond(401, &[("www-authenticate", BEARER)], ""))
    };
    let mut options = in_chunks(1 << 20);
    options.in_flight = 1;
    let outcome = world::run(World { rule, ..bearer() }, Setup { options, ..Setup::default() });
    let bodies = |seen: &Seen| !seen.body.is_empty() && !seen.path_and_query.contains("/manifests/");
    let turned_away: Vec<usize> =
        (0..outcome.seen.len()).filter(|at| outcome.seen[*at].status == 401 && bodies(&outcome.seen[*at])).collect();
    assert!(turned_away.len() > 2, "{}", outcome.transcript);
    for at in turned_away {
        let next = outcome.seen[at + 1..].iter().find(|seen| !seen.is_for_token()).unwrap();
        assert!(matches!(next.method, http::Method::GET | http::Method::HEAD), "{next:?}\n{}", outcome.transcript);
    }
}

fn learned(single_post: Option<bool>) -> Learned {
    let mut learned = Learned::default();
    learned.single_post = single_post;
    learned
}
