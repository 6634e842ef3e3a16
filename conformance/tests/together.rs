//! Several pushes of one client, and a registry that others change: what ends well is there.

use longshore_conformance::quirk::spec_true;
use longshore_conformance::session::{Act, Session, Thing, What};
use longshore_conformance::{Case, Given, property, strategy};
use proptest::prelude::*;

fn at(after: u64, what: What) -> Act {
    Act { after: Some(after), what }
}

const fn then(what: What) -> Act {
    Act { after: None, what }
}

fn case(faults: u64) -> impl Strategy<Value = Case> {
    strategy::case(spec_true(), faults)
}

/// Steps from the beginning to about the end of a push.
fn steps() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..20_u64, 0..150_u64]
}

fn things() -> impl Strategy<Value = Thing> {
    prop_oneof![
        3 => (0..6_usize).prop_map(Thing::Blob),
        3 => (0..6_usize).prop_map(Thing::Manifest),
        1 => Just(Thing::Tag),
    ]
}

/// Two pushes of the same blobs in other images, each blob given in ways of its own.
fn sharing(faults: u64) -> impl Strategy<Value = (Case, Case)> {
    (case(faults), case(0)).prop_map(|(first, mut second)| {
        second.plan.blobs.clone_from(&first.plan.blobs);
        second.first_tag = 10;
        (first, second)
    })
}

#[test]
fn two_pushes_share_what_they_send() {
    let sessions = (sharing(2), steps())
        .prop_map(|((a, b), later)| Session::new(vec![a, b], vec![then(What::Start(0)), at(later, What::Start(1))]));
    property::holds_together(60, &sessions);
}

/// One of two pushes is cancelled at some step; the other ends as if it had been alone.
#[test]
fn a_push_outlives_another_that_shares_its_blobs_and_is_cancelled() {
    let sessions = (sharing(2), steps(), steps(), 0..2_usize).prop_map(|((a, b), later, cancelled, which)| {
        let acts = vec![then(What::Start(0)), at(later, What::Start(1)), at(cancelled, What::Cancel(which))];
        Session::new(vec![a, b], acts)
    });
    property::holds_together(100, &sessions);
}

/// The client lives on after a deletion: whatever it knew, the next push leaves everything there.
#[test]
fn a_push_after_a_deletion_leaves_everything_there() {
    let sessions = (case(2), prop::collection::vec(things(), 1..=3)).prop_map(|(first, things)| {
        let second = first.clone();
        let deletions = things.into_iter().map(|thing| then(What::Delete(thing)));
        let acts = [then(What::Start(0))].into_iter().chain(deletions).chain([then(What::Start(1))]).collect();
        Session::new(vec![first, second], acts)
    });
    property::holds_together(80, &sessions);
}

/// Something is deleted while the push goes on, by the same client; pushing again leaves everything there.
#[test]
fn a_push_after_a_deletion_in_its_midst_leaves_everything_there() {
    let sessions = (case(1), things(), steps()).prop_map(|(first, thing, step)| {
        let second = first.clone();
        let acts = vec![then(What::Start(0)), at(step, What::Delete(thing)), then(What::Start(1))];
        Session::new(vec![first, second], acts)
    });
    property::holds_together(80, &sessions);
}

/// A push that is begun again right after it was cancelled, while that is being cleaned up.
#[test]
fn a_push_right_after_it_was_cancelled() {
    let sessions = (case(2), steps(), prop_oneof![2 => Just(0), 1 => 0..10_u64]).prop_map(|(first, step, later)| {
        let second = first.clone();
        let acts = vec![then(What::Start(0)), at(step, What::Cancel(0)), at(later, What::Start(1))];
        Session::new(vec![first, second], acts)
    });
    property::holds_together(80, &sessions);
}

/// Others delete and overwrite at any step: either everything is there at the end, or an error says what is not.
#[test]
fn a_push_while_others_delete_and_overwrite() {
    let losses = prop_oneof![6 => things().prop_map(What::Lose), 1 => Just(What::Overwrite)];
    let losses = prop::collection::vec((0..60_u64, losses), 1..=4);
    let sessions = (case(1), losses, any::<bool>()).prop_map(|(mut case, losses, is_readable)| {
        if is_readable {
            case.given = vec![Given::Known];
        }
        let losses = losses.into_iter().map(|(step, what)| at(step, what));
        Session::new(vec![case], [then(What::Start(0))].into_iter().chain(losses).collect())
    });
    property::holds_together(100, &sessions);
}
