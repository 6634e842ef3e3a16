//! Rules that every run must meet, whatever faults it had.

mod contents;
mod order;
mod requests;
mod secrets;
mod session;
mod traffic;
mod uploads;

use std::collections::BTreeSet;

use http::Method;
use longshore_core::{Event, Failure, FailureKind};
use longshore_memory::Said;
use longshore_mock_registry::behaviour::LocationForm;

use crate::case::{Case, Given, Interrupted};
use crate::quirk::Outcome;
use crate::run::Run;

pub use session::judge_session;
#[cfg(feature = "fuzz")]
pub(crate) use traffic::{requests_in_flight_are_capped, retry_after_is_kept};

/// The names of the oracles, and the rule of each.
pub const ORACLES: [(&str, &str); 17] = [
    ("requests", "the head of every request is what every registry takes"),
    ("commits", "where it is unknown what became of a commit, the registry is asked before anything is sent again"),
    ("secrets", "credentials and tokens go to the registry's own origin only, and are in nothing that is shown"),
    ("judge", "the registry's own judge has no complaint"),
    ("order", "what a manifest refers to was acknowledged before the manifest is sent"),
    ("acknowledged", "after a success each manifest that was sent was acknowledged, and not as other content"),
    ("waits", "a wait that was asked for is kept"),
    ("flights", "no more requests are in flight to one origin than the client may have"),
    ("bounds", "of no answer is more kept than its bound"),
    ("progress", "a push's progress does not fall and does not pass the total, which does not change once it is known"),
    ("tags", "a tag comes to name the root, once, and nothing else"),
    ("uploads", "no upload is left open that could have been cancelled"),
    ("bytes", "what is stored under a digest has that digest"),
    ("whole", "every manifest that stands is whole"),
    ("stands", "after a success all of it stands: blobs, manifests, tags, lists of referrers"),
    ("outcome", "faults that pass do not fail a push, and a failure names what the registry refused"),
    ("cancel", "after a push was cancelled no manifest is sent, and it says that it was cancelled"),
];

/// A rule that a run broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    oracle: &'static str,
    rule: String,
}

impl Violation {
    const fn new(rule: String) -> Self {
        Self { oracle: "", rule }
    }

    /// The name of the oracle that found it: one of [`ORACLES`].
    #[must_use]
    pub const fn oracle(&self) -> &'static str {
        self.oracle
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.oracle, self.rule)
    }
}

impl std::error::Error for Violation {}

/// The result of an oracle.
pub type Verdict = Result<(), Violation>;

/// Adds the name of the oracle to its result.
fn by(oracle: &'static str, verdict: Verdict) -> Verdict {
    verdict.map_err(|violation| Violation { oracle, ..violation })
}

fn ensure(holds: bool, rule: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Violation::new(rule())) }
}

/// Checks a run against every rule. `outcome` is the required result of a push to this registry.
///
/// # Errors
/// The first rule that was broken.
pub fn judge(case: &Case, outcome: Outcome, run: &mut Run) -> Verdict {
    if matches!(case.interrupted, Interrupted::CancelledAfter(_)) && run.said_before_cancel.is_some() {
        return judge_cancelled(case, run);
    }
    by("requests", requests::are_well_formed(run.simulation.transcript()))?;
    by("commits", requests::lost_commits_are_asked_about(run.simulation.transcript()))?;
    by("secrets", secrets::stay_where_they_belong(case, run))?;
    whatever_becomes_of_it(case, run)?;
    by("judge", the_registry_has_no_complaint(case, run))?;
    by("waits", traffic::retry_after_is_kept(run.simulation.transcript()))?;
    match &run.result {
        Ok(_) => {
            by("stands", contents::everything_stands(case, run))?;
            by("acknowledged", order::manifests_are_acknowledged(run))?;
            let is_unlisted = outcome == Outcome::SucceedsUnlisted;
            if is_unlisted { Ok(()) } else { by("stands", contents::all_are_listed(case, run)) }
        }
        Err(_) if outcome == Outcome::MayBeRefused => Ok(()),
        Err(failure) if names_one_of(failure, outcome) => Ok(()),
        Err(failure) => by("outcome", a_failure_is_expected(case, run, failure)),
    }
}

/// Rules for every push, including one that failed or was cancelled.
fn whatever_becomes_of_it(case: &Case, run: &Run) -> Verdict {
    by("order", order::manifests_come_last(run))?;
    let transcript = run.simulation.transcript();
    by("flights", traffic::requests_in_flight_are_capped(case.client.in_flight, transcript))?;
    by("flights", traffic::nothing_is_in_flight(run))?;
    by("bounds", traffic::answers_are_bounded(run))?;
    by("progress", progress_never_falls(run))?;
    by("tags", tags_change_once(case, run))?;
    by("uploads", uploads::uploads_are_not_left(run))?;
    by("bytes", contents::stored_bytes_are_the_bytes_given(run))?;
    by("whole", contents::manifests_are_whole(run))
}

/// I39: after a push was cancelled, no manifest is sent, no upload is left open, and the failure says that the push was
/// cancelled.
///
/// # Errors
/// The first rule that was broken.
pub fn judge_cancelled(case: &Case, run: &Run) -> Verdict {
    by("cancel", a_cancel_is_heeded(run))?;
    whatever_becomes_of_it(case, run)
}

fn a_cancel_is_heeded(run: &Run) -> Verdict {
    let Some(before) = run.said_before_cancel else { return Ok(()) };
    let mut said = run.simulation.transcript().entries.iter().skip(before);
    let is_cancelled = |failure: &Failure| failure.kind == FailureKind::Cancelled;
    if !run.result.as_ref().is_err_and(|failure| is_cancelled(failure)) {
        // The push had ended before it was cancelled, but its result was not reported yet.
        let is_asked = |what: &Said<_>| matches!(what, Said::Asked { head, .. } if head.method != Method::DELETE);
        let asked = said.any(|entry| is_asked(&entry.what));
        return ensure(!asked, || format!("a push that was cancelled went on, and came to {:?}", run.result));
    }
    for entry in said {
        let is_manifest = matches!(&entry.what, Said::Asked { head, .. }
            if head.method == Method::PUT && head.uri.path().contains("/manifests/"));
        ensure(!is_manifest, || format!("#{}: a manifest is sent after the push was cancelled", entry.request))?;
    }
    Ok(())
}

/// Whether a failure names what the registry refuses.
fn names_one_of(failure: &Failure, outcome: Outcome) -> bool {
    let Outcome::RefusedFor(causes) = outcome else { return false };
    let said = failure.to_string();
    causes.iter().any(|cause| said.contains(cause))
}

/// Every fault of these runs is temporary, so the only reason to fail is a source that can be read only once.
fn a_failure_is_expected(case: &Case, run: &Run, failure: &Failure) -> Verdict {
    let blobs = 0..case.plan.blobs.len();
    let once = blobs.into_iter().any(|number| matches!(case.given(number), Given::Once | Given::Unknown));
    let is_replay = matches!(failure.kind, FailureKind::NotReplayable);
    ensure(once && is_replay && !nothing_went_wrong(run), || format!("faults that pass made the push fail: {failure}"))
}

/// Whether no fault happened, neither between client and registry nor in the registry.
fn nothing_went_wrong(run: &Run) -> bool {
    run.simulation.schedule().is_empty() && run.simulation.handler.registry.struck.is_empty()
}

/// If there was no fault between client and registry, the judge of the mock registry found no request that breaks the
/// spec, and none with which a real registry fails. (The judge cannot know which answers were lost.)
fn the_registry_has_no_complaint(case: &Case, run: &Run) -> Verdict {
    // The registry's location is not a URL, so no request can have the same URL.
    let is_no_url = case.registry.behaviour.start.location == LocationForm::WithoutScheme;
    // This judge does not know the answers to an earlier process.
    let is_resumed = !run.stored_before.is_empty();
    let is_fine = |rule: &str| (is_no_url && rule == "location-verbatim") || (is_resumed && rule == "children-first");
    let mut breaches = run.simulation.handler.registry.judge.breaches.iter();
    match breaches.find(|breach| !is_fine(breach.rule)) {
        Some(breach) if nothing_went_wrong(run) => Err(Violation::new(format!("a breach: {breach}"))),
        _ => Ok(()),
    }
}

/// A push's progress never decreases and does not pass the total, and the total does not change once it is known.
fn progress_never_falls(run: &Run) -> Verdict {
    let mut last = (0, None);
    for event in &run.events {
        if let Event::Progress { done, total, .. } = *event {
            let is_kept = last.0 <= done && last.1.is_none_or(|known| total == Some(known));
            ensure(is_kept, || format!("the progress falls from {last:?} to {:?}", (done, total)))?;
            ensure(total.is_none_or(|total| done <= total), || format!("the progress is {done} of {total:?}"))?;
            last = (done, total);
        }
    }
    Ok(())
}

/// I35: a tag is changed only once, and then names the root.
fn tags_change_once(case: &Case, run: &Run) -> Verdict {
    let mut seen = BTreeSet::new();
    for change in &run.simulation.handler.tag_changes {
        ensure(change.digest == run.image.root.digest(), || format!("{change:?} is not the root"))?;
        ensure(case.tags().any(|tag| tag == change.tag), || format!("{change:?} was not asked for"))?;
        ensure(seen.insert(change.tag.clone()), || format!("{change:?} is the second change of this tag"))?;
    }
    Ok(())
}
