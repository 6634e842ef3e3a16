//! What every single fault found about waits that are longer than a client keeps: nothing is asked of the registry then.

use longshore_conformance::exhaustive::{Stage, kind};

fn check(flow: &str, request: u64) {
    for status in [429, 503] {
        let wait = kind::named(&format!("status {status} retry-after 1000000")).unwrap();
        let checked =
            Stage::of("spec", flow).unwrap().check(request, &wait).unwrap_or_else(|broken| panic!("{broken}"));
        assert!(!checked.is_success);
    }
}

/// The question whether the registry mounts from the repository itself was taken for one that need not be answered.
#[test]
fn i26_a_wait_that_answers_a_question_by_mount() {
    check("an index of two images", 4);
}

/// So was the cancellation of an upload that begins again.
#[test]
fn i26_a_wait_that_answers_a_cancellation() {
    check("let in, and tokens end midway", 8);
}
