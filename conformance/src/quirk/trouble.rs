//! Temporary faults of some registries.

use longshore_mock_registry::Behaviour;
use longshore_mock_registry::behaviour as is;

use super::{Outcome, Quirk};
use crate::case::{CHUNK, let_in};
use crate::case::{Case, Given};

/// A quirk with faults that do not prevent the success of a push.
const fn passes(id: &'static str, faults: &'static str) -> Quirk {
    let mut quirk = Quirk::new(id, Outcome::Succeeds, |_| {});
    quirk.faults = faults;
    quirk
}

pub(super) fn passing() -> Vec<Quirk> {
    vec![
        passes("put-retry-after-commit-404", "end-6#1: answer-lost; end-6#3: answer-lost"),
        passes("put-retry-after-commit-404:lost", "end-6#1: body-cut 0; end-6#3: body-cut 1").with(|b| {
            b.chunks.cut = is::CutBody::Gone;
        }),
        passes(
            "http2-reset-mid-upload",
            "end-5#1: body-cut 1; end-5#3: body-cut 20; end-6#1: body-cut 5; end-6#3: body-cut 0",
        ),
        passes("http2-reset-mid-upload:chunks", "end-5#1: body-cut 1; end-5#3: body-cut 20; end-6#1: body-cut 5")
            .in_case(goes_in_chunks),
        passes("intermittent-404-session", "end-5#1: upload-missed; end-6#2: upload-missed; end-13#1: upload-missed"),
        passes(
            "intermittent-404-session:chunks",
            "end-5#2: upload-missed; end-5#5: upload-missed; end-6#1: upload-missed",
        )
        .in_case(goes_in_chunks),
        passes("patch-replay-doubles-body", "end-5#1: answer-lost; end-5#2: answer-lost; end-5#4: answer-lost")
            .with(|b| b.chunks.content_range = is::ContentRange::Ignored)
            .in_case(goes_in_chunks),
        passes("post-200-healthcheck", "end-4a#1: health-check; end-4a#3: health-check; end-4b#1: health-check"),
        passes("post-200-healthcheck:writes", "end-5#1: health-check; end-6#1: health-check; end-7a#1: health-check"),
        passes("proxy-499-408-on-large-body", "end-6#1: status 499; end-6#2: status 408; end-5#1: status 499"),
        passes("client-must-replay-body", "end-6#1: token-expired").in_case(reads_once_behind_a_door),
        passes("429-retry-after-forms:absent", "end-4a#1: status 429; end-6#1: status 429; end-7a#1: status 429"),
        passes(
            "429-retry-after-forms:seconds",
            "end-4a#1: status 429 retry-after 7; end-6#1: status 429 retry-after 60; end-7a#1: status 429 retry-after 1",
        ),
        passes(
            "429-retry-after-forms:date",
            "end-4a#1: status 429 retry-after date+7; end-6#1: status 503 retry-after date+60",
        ),
        passes(
            "429-retry-after-forms:token",
            "token#1: status 429 retry-after 7; token#2: status 429 retry-after date+9",
        )
        .in_case(behind_a_door),
        passes("429-non-json-body", "end-4a#1: status 429; end-6#1: status 429 retry-after 60; end-7a#1: status 429")
            .with(|b| b.errors.body = is::ErrorBody::Text),
        passes(
            "retryable-status-set",
            "end-4a#1: status 408; end-6#1: status 499; end-6#2: status 522; end-7a#1: status 502",
        )
        .with(|b| b.errors.body = is::ErrorBody::Html),
    ]
}

impl Quirk {
    /// Adds a change of the behaviour.
    const fn with(mut self, change: fn(&mut Behaviour)) -> Self {
        self.change = change;
        self
    }
}

fn goes_in_chunks(case: &mut Case) {
    case.client.chunk_above = CHUNK;
}

fn behind_a_door(case: &mut Case) {
    let_in(case, "*=*");
}

fn reads_once_behind_a_door(case: &mut Case) {
    behind_a_door(case);
    case.given.push(Given::Once);
}
