//! Rules for several pushes of one client.

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

/// Checks a session against every rule: a push that was not cancelled ends as if it were the only one, and acknowledged
/// content is stored, except content that other clients deleted when the client could no longer notice it. Returns the
/// run too.
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
        // A later push does not know what a cancelled push did not learn.
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
                let is_tagged = case.tags().next().is_some() && !stolen.contains(&push.image.root.digest());
                let is_kept = is_tagged || !may_untagged_expire(session, run);
                by("stands", stands_but_for(stolen, is_kept, case, &push.image, run))?;
                if !are_others_at_work {
                    by("stands", all_are_listed(case, run))?;
                }
            }
            Err(failure) if push.cancelled && failure.kind == FailureKind::Cancelled => {}
            Err(failure) if may_begin_again(session, push, run) && failure.kind == FailureKind::NotReplayable => {}
            // If other clients delete content repeatedly, the failure names the missing content.
            Err(failure) if are_others_at_work && names_what_is_missing(failure) => {}
            Err(failure) => by("outcome", a_failure_is_expected(case, run, failure))?,
        }
    }
    run.events = events;
    Ok(())
}

/// Whether content must be sent again although there was no fault: the client itself deleted it, or the upload expired.
fn may_begin_again(session: &Session, push: &Pushed, run: &Run) -> bool {
    push.undone || passed(session) >= run.simulation.handler.registry.options.limits.upload_lifetime
}

/// Whether the registry may have deleted what no tag names: `push-by-digest-temporary`.
fn may_untagged_expire(session: &Session, run: &Run) -> bool {
    let lifetime = run.simulation.handler.registry.options.behaviour.manifests.untagged_lifetime;
    lifetime.is_some_and(|micros| passed(session) >= Duration::from_micros(micros))
}

/// The time that passes in a session while nothing is done.
fn passed(session: &Session) -> Duration {
    session.acts.iter().filter_map(|act| if let What::Pass(time) = act.what { Some(time) } else { None }).sum()
}

fn names_what_is_missing(failure: &Failure) -> bool {
    let says = failure.refused().is_some_and(|refused| {
        ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"].iter().any(|code| refused.errors.has_code(code))
    });
    says || matches!(failure.kind, FailureKind::Incomplete { .. } | FailureKind::NotReplayable)
}

/// I35: a tag names only content that was pushed under it.
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

/// If the push succeeded, all of it is stored, except what other clients deleted, and manifests that the registry does not
/// keep.
fn stands_but_for(stolen: &BTreeSet<Digest>, is_kept: bool, case: &Case, image: &Image, run: &Run) -> Verdict {
    let (registry, repository) = (&run.simulation.handler, Case::repository());
    let manifests: Vec<Manifest> = image.all_manifests().cloned().collect();
    for digest in manifests.iter().flat_map(Manifest::blobs).map(|blob| blob.digest) {
        let stands = registry.blob(&repository, &digest).is_some() || stolen.contains(&digest);
        ensure(stands, || format!("{digest} is not there after a success"))?;
    }
    for digest in manifests.iter().map(Manifest::digest) {
        let stands = registry.manifest(&repository, &digest).is_some() || stolen.contains(&digest) || !is_kept;
        ensure(stands, || format!("the manifest {digest} is not there after a success"))?;
    }
    let root = image.root.digest();
    for tag in case.tags() {
        let stands = registry.tagged(&repository, &tag) == Some(root) || stolen.contains(&root);
        ensure(stands, || format!("the tag {tag} does not name the root"))?;
    }
    Ok(())
}
