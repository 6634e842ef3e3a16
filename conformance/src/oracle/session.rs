//! What must be true after several pushes of one client.

use std::collections::BTreeSet;
use std::time::Duration;

use longshore_core::{Digest, Event, Failure, FailureKind, Manifest};

use super::contents::{all_are_listed, stored_bytes_are_the_bytes_given};
use super::order::manifests_come_last;
use super::traffic::{nothing_is_in_flight, requests_in_flight_are_capped, retry_after_is_kept};
use super::uploads::uploads_are_not_left;
use super::{
    Case, Run, Verdict, a_failure_is_expected, by, ensure, progress_never_falls, requests,
    the_registry_has_no_complaint,
};
use crate::Image;
use crate::session::{Held, Pushed, Session, What};

/// Holds a session against every rule: what was not cancelled ends as if it were alone, and what was acknowledged is there,
/// but for what others took away when nobody could know any more. Gives the session back with what was said.
///
/// # Errors
/// The first rule that was broken.
pub fn judge_session(session: &Session, held: Held) -> (Verdict, Run) {
    let Held { pushed, simulation, client, events, deletions, stolen, .. } = held;
    let image = pushed[0].image.clone();
    let result = Ok(longshore_core::Receipt::Allowed);
    let stored_before = BTreeSet::new();
    let mut run = Run { image, simulation, client, events, result, stored_before, steps: 0, said_before_cancel: None };
    let verdict = judge(session, &pushed, &deletions, &stolen, &mut run);
    (verdict, run)
}

type Deleted = Result<longshore_core::Receipt<crate::Key>, Box<Failure>>;

fn judge(
    session: &Session,
    pushed: &[Pushed],
    deletions: &[Deleted],
    stolen: &BTreeSet<Digest>,
    run: &mut Run,
) -> Verdict {
    let first = &session.pushes[0];
    by("requests", requests::are_well_formed(run.simulation.transcript()))?;
    if pushed.iter().all(|push| !push.cancelled) {
        // What a push that was cancelled does not know, those after it do not know either.
        by("commits", requests::lost_commits_are_asked_about(run.simulation.transcript()))?;
    }
    by("order", manifests_come_last(run))?;
    by("waits", retry_after_is_kept(run.simulation.transcript()))?;
    by("flights", requests_in_flight_are_capped(first.client.in_flight, run.simulation.transcript()))?;
    by("flights", nothing_is_in_flight(run))?;
    by("uploads", uploads_are_not_left(run))?;
    by("bytes", stored_bytes_are_the_bytes_given(run))?;
    by("tags", tags_name_what_was_pushed(session, pushed, run))?;
    for deleted in deletions {
        let is_absent = |failure: &Failure| failure.refused().is_some_and(|refused| refused.status == 404);
        let is_fine = deleted.as_ref().map_or_else(|failure| is_absent(failure), |_| true);
        by("outcome", ensure(is_fine, || format!("a deletion failed: {deleted:?}")))?;
    }
    let others = |act: &crate::session::Act| matches!(act.what, What::Lose(_) | What::Overwrite);
    let are_others_at_work = session.acts.iter().any(others);
    if !are_others_at_work {
        by("judge", the_registry_has_no_complaint(first, run))?;
    }
    let events = std::mem::take(&mut run.events);
    for (push, case) in pushed.iter().zip(&session.pushes) {
        let Some(result) = &push.result else { continue };
        run.image = push.image.clone();
        let is_its = |event: &&Event<crate::Key>| matches!(event, Event::Progress { operation, .. } if Some(*operation) == push.operation);
        run.events = events.iter().filter(is_its).cloned().collect();
        by("progress", progress_never_falls(run))?;
        match result {
            Ok(_) if push.undone => {}
            Ok(_) => {
                by("stands", stands_but_for(stolen, case, &push.image, run))?;
                if !are_others_at_work {
                    by("stands", all_are_listed(case, run))?;
                }
            }
            Err(failure) if push.cancelled && failure.kind == FailureKind::Cancelled => {}
            Err(failure) if may_begin_again(session, push, run) && failure.kind == FailureKind::NotReplayable => {}
            // What is missing again and again, because others take it away, is said to be.
            Err(failure) if are_others_at_work && names_what_is_missing(failure) => {}
            Err(failure) => by("outcome", a_failure_is_expected(case, run, failure))?,
        }
    }
    run.events = events;
    Ok(())
}

/// Whether something must be sent once more though no fault struck: the client itself deleted it, or so much time passed that
/// the registry gave an upload up.
fn may_begin_again(session: &Session, push: &Pushed, run: &Run) -> bool {
    let passed = session.acts.iter().filter_map(|act| if let What::Pass(time) = act.what { Some(time) } else { None });
    push.undone || passed.sum::<Duration>() >= run.simulation.handler.registry.options.limits.upload_lifetime
}

fn names_what_is_missing(failure: &Failure) -> bool {
    let says = failure.refused().is_some_and(|refused| {
        ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"].iter().any(|code| refused.errors.has_code(code))
    });
    says || matches!(failure.kind, FailureKind::Incomplete { .. } | FailureKind::NotReplayable)
}

/// I35: a tag comes to name what is pushed under it, and nothing else.
fn tags_name_what_was_pushed(session: &Session, pushed: &[Pushed], run: &Run) -> Verdict {
    for change in &run.simulation.handler.tag_changes {
        let is_meant = pushed
            .iter()
            .zip(&session.pushes)
            .any(|(push, case)| push.image.root.digest() == change.digest && case.tags().any(|tag| tag == change.tag));
        ensure(is_meant, || format!("{change:?} was not asked for"))?;
    }
    Ok(())
}

/// Success means that all of it stands, but for what was stolen.
fn stands_but_for(stolen: &BTreeSet<Digest>, case: &Case, image: &Image, run: &Run) -> Verdict {
    let (registry, repository) = (&run.simulation.handler, Case::repository());
    let manifests: Vec<Manifest> = image.all_manifests().cloned().collect();
    for digest in manifests.iter().flat_map(Manifest::blobs).map(|blob| blob.digest) {
        let stands = registry.blob(&repository, &digest).is_some() || stolen.contains(&digest);
        ensure(stands, || format!("{digest} is not there after a success"))?;
    }
    for digest in manifests.iter().map(Manifest::digest) {
        let stands = registry.manifest(&repository, &digest).is_some() || stolen.contains(&digest);
        ensure(stands, || format!("the manifest {digest} is not there after a success"))?;
    }
    let root = image.root.digest();
    for tag in case.tags() {
        let stands = registry.tagged(&repository, &tag) == Some(root) || stolen.contains(&root);
        ensure(stands, || format!("the tag {tag} does not name the root"))?;
    }
    Ok(())
}
