use proptest::prelude::*;

use super::*;
use crate::{Algorithm, Registry};

fn place(repository: &str) -> RepositoryRef {
    let registry: Registry = "registry.example".parse().unwrap();
    RepositoryRef { origin: registry.origin(), repository: repository.parse().unwrap() }
}

fn digest(content: u64) -> Digest {
    Digest::of(Algorithm::Sha256, &content.to_be_bytes())
}

fn presence() -> Presence {
    Presence::new(100, Duration::from_secs(3600))
}

const NOW: Instant = Instant::from_micros(1_000_000);

#[test]
fn evidence_is_believed_for_as_long_as_the_options_say() {
    let (mut presence, place) = (presence(), place("a/b"));
    presence.acknowledge(&place, digest(1), presence.moment(), NOW);
    let hour = Duration::from_secs(3600);
    assert!(presence.is_there(&place, &digest(1), NOW + hour));
    assert!(!presence.is_there(&place, &digest(1), NOW + hour + Duration::from_micros(1)));
    assert!(!presence.is_there(&place, &digest(2), NOW));
    assert!(!presence.is_there(&super::tests::place("a/c"), &digest(1), NOW));
}

#[test]
fn an_answer_to_a_request_that_was_sent_before_a_deletion_does_not_restore_what_was_deleted() {
    for what in [Deletion::Blob(digest(1)), Deletion::Manifest(digest(2)), Deletion::Tag("v1".parse().unwrap())] {
        let (mut presence, place) = (presence(), place("a/b"));
        let asked = presence.moment();
        presence.acknowledge(&place, digest(1), asked, NOW);
        presence.delete(&place, &what, NOW);
        assert!(!presence.is_there(&place, &digest(1), NOW), "{what:?}: more may be gone with it");
        presence.acknowledge(&place, digest(1), asked, NOW);
        assert!(!presence.is_there(&place, &digest(1), NOW), "{what:?}");
        presence.acknowledge(&place, digest(1), presence.moment(), NOW);
        assert!(presence.is_there(&place, &digest(1), NOW), "{what:?}");
    }
}

#[test]
fn what_was_lost_is_doubted_until_it_is_seen_again_or_a_day_has_passed() {
    let (mut presence, place) = (presence(), place("a/b"));
    presence.lose(&place, digest(1), NOW);
    let day = Duration::from_secs(24 * 3600);
    assert!(presence.is_doubted(&place, &digest(1), NOW + day));
    assert!(!presence.is_doubted(&place, &digest(1), NOW + day + Duration::from_micros(1)));
    presence.acknowledge(&place, digest(1), presence.moment(), NOW);
    assert!(!presence.is_doubted(&place, &digest(1), NOW) && presence.is_there(&place, &digest(1), NOW));
}

#[test]
fn what_was_voided_and_forgotten_since_is_not_restored_either() {
    let (mut presence, place) = (presence(), place("a/b"));
    let asked = presence.moment();
    presence.lose(&place, digest(0), NOW);
    let since = presence.moment();
    (1..=200).for_each(|other| presence.acknowledge(&place, digest(other), since, NOW));
    presence.acknowledge(&place, digest(0), asked, NOW);
    assert!(!presence.is_there(&place, &digest(0), NOW));
}

#[test]
fn what_was_only_forgotten_voids_nothing() {
    let (mut presence, place) = (presence(), place("a/b"));
    let asked = presence.moment();
    presence.lose(&place, digest(0), NOW);
    let since = presence.moment();
    (0..=200).for_each(|other| presence.acknowledge(&place, digest(other), since, NOW));
    // The record of the loss was replaced before it could be dropped: only acknowledged content was dropped.
    presence.acknowledge(&place, digest(999), asked, NOW);
    assert!(presence.is_there(&place, &digest(999), NOW));
}

proptest! {
    #[test]
    fn there_are_never_more_records_than_were_asked_for(
        steps in proptest::collection::vec((0_u8..4, 0_u64..500, 0_u8..40), 0..2000),
        entries in 2_usize..200,
    ) {
        let mut presence = Presence::new(entries, Duration::from_secs(3600));
        for (what, content, repository) in steps {
            let place = place(&format!("a/b{repository}"));
            match what {
                0 => presence.lose(&place, digest(content), NOW),
                1 => presence.delete(&place, &Deletion::Blob(digest(content)), NOW),
                _ => presence.acknowledge(&place, digest(content), presence.moment(), NOW),
            }
            let count = |generation: &Generation| {
                generation.repositories.values().map(|known| known.records.len()).sum::<usize>()
            };
            prop_assert!(count(&presence.newer) + count(&presence.older) <= entries);
            prop_assert!(presence.newer.repositories.len() + presence.older.repositories.len() <= entries);
        }
    }
}
