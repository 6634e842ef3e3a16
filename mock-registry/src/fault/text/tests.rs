use std::time::Duration;

use longshore_core::Row;

use super::*;
use crate::fault::{Fault, RetryAfter};

const DIGEST: &str = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[test]
fn a_fault_prints_as_it_is_read() {
    for text in [
        "#3: answer-lost",
        "PATCH#2: answer-lost",
        "every: latency 200000us",
        "end-6#2..5 in team/app: status 503 retry-after 7",
        "GET#4.. p=0.25: status 429 retry-after date+9",
        "HEAD for 10000000us: status 503 retry-after Tue, 1 Jan",
        "PATCH end-5#1: body-cut 1024",
        "token: redirect 307 http://127.0.0.1:9/x",
        "end-4a: location http://127.0.0.1:9/x; #1..3: twice",
    ] {
        assert_eq!(text.parse::<Faults>().unwrap().to_string(), text);
    }
    for (form, _) in EFFECTS {
        let values = form.replace("BYTES", "7").replace("TIME", "7us").replace("CODE", "503").replace("URL", "/x");
        let short = values.split(" [").next().unwrap();
        assert_eq!(format!("#1: {short}").parse::<Faults>().unwrap().to_string(), format!("#1: {short}"));
    }
}

#[test]
fn units_comments_lines_and_colons() {
    let text = format!("# a comment\n#2: oversize 3MiB\n\n GET of {DIGEST}:latency 2s ; every:drip-answer 1KiB\n");
    let faults: Faults = text.parse().unwrap();
    let effects: Vec<&Fault> = faults.rules.iter().map(|rule| &rule.fault).collect();
    assert_eq!(effects, [&Fault::Oversize(3 << 20), &Fault::Latency(2_000_000), &Fault::DripAnswer(1024)]);
    assert_eq!(faults.rules[1].when, When::every().method(Method::GET).digest(DIGEST.parse().unwrap()));
}

#[test]
fn rust_and_text_say_the_same() {
    let rust = Faults::nth(2)
        .method(Method::PATCH)
        .answer_lost()
        .and(Faults::from_nth(3).until(5).row(Row::CloseUpload).status_retry_after(429, RetryAfter::Seconds(7)))
        .and(Faults::every().probability(0.5).for_first(Duration::from_secs(10)).request_reset());
    let text = "PATCH#2: answer-lost; end-6#3..5: status 429 retry-after 7; every p=0.5 for 10s: request-reset";
    assert_eq!(text.parse(), Ok(rust));
}

#[test]
fn what_is_no_fault_is_refused_with_what_would_be() {
    let error = |text: &str| text.parse::<Faults>().unwrap_err().to_string();
    assert!(error("PATCH#2").contains("write REQUESTS: FAULT"));
    assert!(error("PATCH#2: answer-last").contains("did you mean \"answer-lost\""));
    assert!(error("#1: latency 5").contains("latency TIME"));
    assert!(error("#1: body-cut").contains("body-cut BYTES"));
    assert!(error("#1: drip-answer 0").contains("drip-answer BYTES"));
    assert!(error("#1: status 99").contains("status CODE"));
    for bad in ["#0", "#5..2", "patch#1", "end-99", "in", "in A", "p=2", "for 10", "of sha256:1", "", "#"] {
        assert!(error(&format!("{bad}: twice")).contains("says nothing about requests"), "{bad}");
    }
}

#[test]
fn seeded_faults_replay_and_differ() {
    assert_eq!(Faults::seeded(7, 20, 50), Faults::seeded(7, 20, 50));
    assert_ne!(Faults::seeded(7, 20, 50), Faults::seeded(8, 20, 50));
    let faults = Faults::seeded(9, 200, 10);
    assert!(faults.rules.iter().all(|rule| rule.when.last.is_some_and(|last| (1..=10).contains(&last))));
    assert_eq!(faults.to_string().parse(), Ok(faults));
}
