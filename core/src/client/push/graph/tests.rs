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
