use proptest::prelude::*;

use super::*;
use crate::Algorithm;

fn digest(content: usize) -> Digest {
    Digest::of(Algorithm::Sha256, &content.to_be_bytes())
}

#[test]
fn a_manifest_waits_for_its_blobs_its_children_and_a_subject_of_the_same_push() {
    let mut graph = Graph::default();
    let blob = graph.content(digest(0), Kind::Blob);
    let [child, subject, parent] = [1, 2, 3].map(|content| graph.content(digest(content), Kind::Manifest));
    graph.give_manifest(parent, 0, &BTreeSet::from([blob, child]), Some(subject));
    graph.there(blob, Evidence::Acknowledged);
    graph.give_manifest(child, 1, &BTreeSet::new(), None);
    assert_eq!(graph.take_ready(), Some(child));
    graph.there(child, Evidence::Acknowledged);
    // The subject is elsewhere, until it turns out to be part of the push.
    graph.give_manifest(subject, 2, &BTreeSet::new(), None);
    assert_eq!(graph.take_ready(), Some(subject));
    assert_eq!(graph.take_ready(), None);
    graph.there(subject, Evidence::Acknowledged);
    assert_eq!(graph.take_ready(), Some(parent));
    assert_eq!(graph.unstored(), 1);
}

#[test]
fn the_same_bytes_as_a_blob_and_as_a_manifest_are_two_things() {
    let mut graph = Graph::default();
    let [blob, manifest] = [Kind::Blob, Kind::Manifest].map(|kind| graph.content(digest(0), kind));
    assert_ne!(blob, manifest);
    graph.there(blob, Evidence::Acknowledged);
    assert!(!graph.is_there(manifest));
}

#[test]
fn what_was_left_out_is_needed_once_something_refers_to_it_as_ordinary() {
    let mut graph = Graph::default();
    let blob = graph.content(digest(0), Kind::Blob);
    assert!(!graph.refer(blob, true));
    assert_eq!(graph.evidence(blob), Evidence::LeftOut);
    assert!(graph.refer(blob, false));
    assert!(!graph.is_there(blob));
    assert!(!graph.refer(blob, true));
    assert!(!graph.is_there(blob));
}

/// A manifest, given, that needs a blob which was not.
fn one_of_each() -> (Graph, ContentId, ContentId) {
    let mut graph = Graph::default();
    let [manifest, blob] = [Kind::Manifest, Kind::Blob].map(|kind| graph.content(digest(0), kind));
    graph.give_manifest(manifest, 0, &BTreeSet::from([blob]), None);
    (graph, manifest, blob)
}

#[test]
fn a_manifest_waits_while_something_that_it_refers_to_is_not_there() {
    let (mut graph, manifest, blob) = one_of_each();
    assert!(graph.waits(manifest) && !graph.waits(blob));
    graph.there(blob, Evidence::Served);
    assert!(!graph.waits(manifest));
    graph.lost(blob);
    assert!(graph.waits(manifest));
}

#[test]
fn what_a_manifest_needs_is_missing_unless_it_was_given_or_the_manifest_is_there() {
    let (mut graph, _, blob) = one_of_each();
    assert_eq!((graph.take_missing(), graph.take_missing()), (Some(blob), None));
    // The blob was given before the manifest.
    let mut graph = Graph::default();
    let [manifest, blob] = [Kind::Manifest, Kind::Blob].map(|kind| graph.content(digest(0), kind));
    graph.give_blob(blob, 0);
    graph.give_manifest(manifest, 0, &BTreeSet::from([blob]), None);
    assert_eq!(graph.take_missing(), None);
    // The registry has the manifest already: what it refers to need not be asked for.
    let mut graph = Graph::default();
    let [manifest, blob] = [Kind::Manifest, Kind::Blob].map(|kind| graph.content(digest(0), kind));
    graph.there(manifest, Evidence::Acknowledged);
    graph.give_manifest(manifest, 0, &BTreeSet::from([blob]), None);
    assert_eq!(graph.take_missing(), None);
}

#[test]
fn what_is_lost_is_missing_if_a_manifest_needs_it_and_nobody_gave_it() {
    let (mut graph, manifest, blob) = one_of_each();
    graph.there(blob, Evidence::Served);
    assert_eq!(graph.take_missing(), None);
    graph.lost(blob);
    assert_eq!(graph.take_missing(), Some(blob));
    let unneeded = graph.content(digest(1), Kind::Blob);
    graph.there(unneeded, Evidence::Served);
    graph.lost(unneeded);
    assert_eq!(graph.take_missing(), None, "no manifest refers to it");
    graph.there(blob, Evidence::Served);
    graph.give_blob(blob, 0);
    graph.lost(blob);
    assert_eq!(graph.take_missing(), None, "its bytes are at hand");
    graph.there(manifest, Evidence::Served);
    graph.lost(manifest);
    assert_eq!(graph.take_missing(), None, "it can be sent");
}

#[test]
fn what_is_needed_again_is_missing_unless_it_is_given_there_or_asked_about() {
    let (mut graph, _, blob) = one_of_each();
    assert_eq!(graph.take_missing(), Some(blob));
    graph.need(blob);
    assert_eq!(graph.take_missing(), Some(blob));
    graph.need(blob);
    graph.ask_about(blob);
    assert_eq!(graph.take_missing(), None);
    graph.there(blob, Evidence::Served);
    graph.need(blob);
    assert_eq!(graph.take_missing(), None, "it is there");
    let given = graph.content(digest(1), Kind::Blob);
    graph.give_blob(given, 0);
    graph.need(given);
    assert_eq!(graph.take_missing(), None, "it was given");
    graph.there(given, Evidence::Acknowledged);
    graph.need(given);
    assert_eq!(graph.take_missing(), None);
}

#[test]
fn content_is_needed_while_a_manifest_that_refers_to_it_is_not_there() {
    let (mut graph, manifest, blob) = one_of_each();
    assert!(graph.is_needed(blob) && !graph.is_needed(manifest));
    graph.there(manifest, Evidence::Acknowledged);
    assert!(!graph.is_needed(blob));
}

#[test]
fn a_manifest_that_was_given_and_is_not_there_is_named() {
    let mut graph = Graph::default();
    let [blob, first, second] = [(0, Kind::Blob), (1, Kind::Manifest), (2, Kind::Manifest)]
        .map(|(content, kind)| graph.content(digest(content), kind));
    graph.give_blob(blob, 0);
    assert_eq!(graph.first_unstored(), None);
    graph.give_manifest(first, 0, &BTreeSet::from([blob]), None);
    graph.give_manifest(second, 1, &BTreeSet::new(), None);
    assert_eq!(graph.first_unstored(), Some(digest(1)));
    graph.there(first, Evidence::Acknowledged);
    assert_eq!(graph.first_unstored(), Some(digest(2)));
    graph.there(second, Evidence::Served);
    assert_eq!(graph.first_unstored(), None);
}

#[test]
fn what_a_served_manifest_shows_and_nobody_acknowledged_is_unverified() {
    let unverified = |graph: &Graph| graph.unverified().collect::<Vec<_>>();
    let (mut graph, _, blob) = one_of_each();
    assert_eq!(unverified(&graph), [digest(0)], "a manifest refers to the blob, and it was not asked about");
    graph.there(blob, Evidence::Served);
    assert_eq!(unverified(&graph), [digest(0)]);
    graph.there(blob, Evidence::Acknowledged);
    assert!(unverified(&graph).is_empty());
    assert!(graph.acknowledged_blobs().next().is_none(), "it was not given");
    let [given, unneeded] = [1, 2].map(|content| graph.content(digest(content), Kind::Blob));
    graph.there(unneeded, Evidence::Served);
    assert!(unverified(&graph).is_empty(), "no manifest refers to it");
    graph.give_blob(given, 0);
    assert!(unverified(&graph).is_empty());
    graph.there(given, Evidence::Served);
    assert_eq!(unverified(&graph), [digest(1)]);
    graph.there(given, Evidence::Acknowledged);
    assert!(unverified(&graph).is_empty());
    assert_eq!(graph.acknowledged_blobs().collect::<Vec<_>>(), [digest(1)]);
}

/// A manifest of a model: what it refers to, and its subject.
#[derive(Debug, Clone)]
struct Model {
    needs: BTreeSet<usize>,
    subject: Option<usize>,
}

const MANIFESTS: usize = 8;
const BLOBS: usize = 6;

/// Manifests refer to blobs and to manifests of a lower number, as digests allow it.
fn models() -> impl Strategy<Value = Vec<Model>> {
    (0..MANIFESTS)
        .map(|number| {
            let needs = proptest::collection::btree_set(0..BLOBS + number, 0..4);
            (needs, proptest::option::of(0..number.max(1))).prop_map(move |(needs, subject)| Model {
                needs,
                subject: subject.filter(|_| number > 0).map(|subject| BLOBS + subject),
            })
        })
        .collect::<Vec<_>>()
}

proptest! {
    /// However content is given, found and lost: what is ready is what waits for nothing.
    #[test]
    fn counters_agree_with_what_is_there(
        models in models(),
        steps in proptest::collection::vec((0_u8..3, 0..BLOBS + MANIFESTS), 0..80),
    ) {
        let mut graph = Graph::default();
        let kind = |content: usize| if content < BLOBS { Kind::Blob } else { Kind::Manifest };
        let ids: Vec<ContentId> = (0..BLOBS + MANIFESTS).map(|of| graph.content(digest(of), kind(of))).collect();
        let (mut there, mut given) = (BTreeSet::new(), BTreeSet::new());
        for (what, content) in steps {
            match what {
                0 if content >= BLOBS && given.insert(content) => {
                    let model = &models[content - BLOBS];
                    let needs = model.needs.iter().map(|need| ids[*need]).collect();
                    graph.give_manifest(ids[content], content - BLOBS, &needs, model.subject.map(|of| ids[of]));
                }
                1 => {
                    graph.there(ids[content], Evidence::Acknowledged);
                    there.insert(content);
                }
                _ => {
                    graph.lost(ids[content]);
                    there.remove(&content);
                }
            }
            let is_ready = |content: &usize| {
                let model = &models[*content - BLOBS];
                !there.contains(content)
                    && model.needs.is_subset(&there)
                    && model.subject.is_none_or(|subject| !given.contains(&subject) || there.contains(&subject))
            };
            let ready: BTreeSet<ContentId> = given.iter().filter(|of| is_ready(of)).map(|of| ids[*of]).collect();
            prop_assert_eq!(&graph.ready, &ready);
            prop_assert_eq!(graph.unstored(), given.difference(&there).count());
            let needed = given.iter().filter(|of| !there.contains(of)).flat_map(|of| &models[*of - BLOBS].needs);
            for need in needed.filter(|need| !given.contains(need) && !there.contains(need)) {
                prop_assert!(graph.missing.contains(&ids[*need]) || graph.is_needed(ids[*need]));
            }
        }
    }
}
