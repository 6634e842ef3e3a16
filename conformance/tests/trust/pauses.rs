use std::time::Duration;

use longshore_core::Options;

use crate::world::{World, push, push_with};

#[test]
fn i26_a_pause_is_for_all_requests_and_never_cut_short() {
    // One request at a time: while the largest blob's is refused, the other blob's is ready to go.
    let mut options = Options::default();
    options.in_flight = 1;
    for (asked, seconds) in [("7", 7), ("300", 300)] {
        let world = World { throttle: Some(("_state=canary-state&digest=sha256%3A00300f", asked)), ..World::default() };
        let outcome = push_with(world, options.clone(), |_, _| Ok(None));
        assert!(outcome.result.is_ok(), "{:?}\n{}", outcome.result, outcome.transcript);
        let refused = outcome.seen.iter().position(|seen| seen.status == 429).expect("one request is refused");
        let told = outcome.seen[refused].at + Duration::from_millis(20);
        let early = outcome.seen[refused..]
            .iter()
            .filter(|seen| seen.at > told && seen.at < told + Duration::from_secs(seconds));
        assert_eq!(early.count(), 0, "{}", outcome.transcript);
    }
}

#[test]
fn i26_a_pause_above_the_limit_is_an_error_at_once() {
    for asked in ["301", "1000000000", "18446744073709551616", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let outcome = push(World { throttle: Some(("/blobs/uploads/", asked)), ..World::default() });
        assert!(outcome.failure().contains("asks to wait"), "{}", outcome.failure());
        assert!(outcome.seen.iter().all(|seen| seen.at.as_micros() < 1_000_000), "{}", outcome.transcript);
    }
}

#[test]
fn i26_what_is_no_wait_is_ordinary_back_off() {
    for asked in ["soon", "-1", "", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let outcome = push(World { throttle: Some(("/blobs/uploads/", asked)), ..World::default() });
        assert!(outcome.result.is_ok(), "{asked} {:?}", outcome.result);
        assert!(outcome.seen.iter().all(|seen| seen.at.as_micros() < 30_000_000), "{}", outcome.transcript);
    }
}
