//! What is known to be there, what is asked about, and what is sent again.

use std::time::Duration;

use super::*;
use crate::{Checkpoint, Deletion, FailureKind, Learned, Operation};

fn learned(change: impl FnOnce(&mut Learned)) -> Learned {
    let mut learned = Learned::default();
    change(&mut learned);
    learned
}

const LAYERS: [(&str, u64); 4] = [("one", 64 * KIB), ("two", 65 * KIB), ("three", 66 * KIB), ("four", 67 * KIB)];

#[test]
fn the_same_image_under_a_new_tag_takes_four_requests() {
    for (ignores_single_post, never_mounts) in [(true, false), (false, false), (false, true)] {
        let mut world = World::new();
        world.registry.ignores_single_post = ignores_single_post;
        world.registry.never_mounts = never_mounts;
        world.push(push(&LAYERS, "v1")).unwrap();
        let mut world = world.another();
        if never_mounts {
            // That cannot be told from a blob that is not there; it is known from before.
            world
                .client
                .teach(&"registry.example".parse().unwrap(), learned(|learned| learned.self_mount = Some(false)));
        }
        let pushed = world.push(push(&LAYERS, "v2")).unwrap();
        assert!(world.asked.len() <= 4, "{:#?}", world.asked);
        assert_eq!((pushed.bytes, pushed.existing), (image(&LAYERS).bytes().len() as u64, 5));
        assert_eq!(pushed.unverified, []);
        assert!(world.registry.uploads.is_empty());
    }
}

#[test]
fn one_layer_that_changed_under_a_new_tag_is_sent_and_nothing_else() {
    for ignores_single_post in [true, false] {
        let mut world = World::new();
        world.registry.ignores_single_post = ignores_single_post;
        world.push(push(&LAYERS, "v1")).unwrap();
        let mut world = world.another();
        world.registry.bytes = 0;
        let mut layers = LAYERS;
        layers[1] = ("changed", 50 * KIB);
        world.push(push(&layers, "v2")).unwrap();
        assert_eq!(world.stored(&Stored::Existing), ["four", "one", "three"]);
        // The config went with a POST that the registry ignored, and again.
        assert_eq!(world.registry.bytes, 50 * KIB + if ignores_single_post { 4 } else { 2 });

        // The image under a tag that is named tells the same with one request.
        let mut world = world.another();
        layers[1] = ("changed again", 40 * KIB);
        let like = push(&layers, "v3").like("v1".parse().unwrap());
        world.push(like).unwrap();
        assert!(world.asked.len() <= 9, "{:#?}", world.asked);
        assert_eq!(world.count(&digest("one").to_string()), 0, "{:#?}", world.asked);
    }
}

/// The largest layer changed, so it shows nothing about the others: the second one does.
#[test]
fn the_largest_layer_that_changed_under_a_new_tag_is_sent_and_nothing_else() {
    const SIZE: u64 = 4 * KIB * KIB;
    for (ignores_single_post, never_mounts) in [(false, false), (false, true), (true, false)] {
        let mut world = World::new();
        world.registry.ignores_single_post = ignores_single_post;
        world.registry.never_mounts = never_mounts;
        let mut layers = ["one", "two", "three", "four", "five", "six"].map(|name| (name, SIZE));
        world.push(push(&layers, "v1")).unwrap();
        let mut world = world.another();
        world.registry.bytes = 0;
        layers[0] = ("changed", SIZE);
        world.push(push(&layers, "v2")).unwrap();
        assert_eq!(world.stored(&Stored::Existing), ["five", "four", "six", "three", "two"], "{:#?}", world.asked);
        assert!(world.registry.bytes < SIZE + 10, "{} {:#?}", world.registry.bytes, world.asked);
        assert!(world.asked.len() <= 14, "{:#?}", world.asked);
        assert!(world.registry.uploads.is_empty());
    }
}

/// The question is put by the POST that opens an upload anyway.
#[test]
fn a_first_push_to_a_registry_that_ignores_a_single_post_takes_no_request_more() {
    let requests = |ask_above| {
        let mut world = World::with(|options| options.ask_above = ask_above);
        world.registry.ignores_single_post = true;
        world.push(push(&LAYERS, "v1")).unwrap();
        world.asked.len()
    };
    assert_eq!(requests(4 * KIB * KIB), requests(u64::MAX));
}

#[test]
fn a_mount_that_opens_an_upload_for_what_is_there_is_seen_through() {
    let mut world = World::with(|options| options.ask_above = 10);
    world.registry.never_mounts = true;
    world.push(push(&LAYERS, "v1")).unwrap();
    let mut world = World { registry: world.registry, ..World::with(|options| options.ask_above = 10) };
    let bytes = world.registry.bytes;
    world.push(push(&LAYERS, "v2")).unwrap();
    assert_eq!(world.registry.bytes, bytes + 2, "the config is sent, to find out what a mount tells");
    assert_eq!(world.client.learned(&"registry.example".parse().unwrap()).unwrap().self_mount, Some(false));
    assert!(world.registry.uploads.is_empty());
}

#[test]
fn the_children_of_a_standing_index_are_asked_about_one_by_one() {
    let child = image(&[("layer", 10)]);
    let root = index(&[child.descriptor()]);
    let mut world = World::new();
    // A copy of the index alone.
    for name in ["v1".to_owned(), root.digest().to_string()] {
        world.registry.manifests.insert(name, root.bytes().clone());
    }
    let push = || {
        let push = empty().blob(blob("layer", 10)).blob(blob("config", 2)).manifest(child.clone());
        push.root(root.clone()).tag("v1".parse().unwrap())
    };
    world.push(push()).unwrap();
    assert!(world.registry.manifests.contains_key(&child.digest().to_string()));
    let mut world = world.another();
    world.push(push()).unwrap();
    assert_eq!(world.asked.len(), 2, "{:#?}", world.asked);
}

#[test]
fn what_a_standing_manifest_refers_to_is_unverified_and_a_recheck_mends_it() {
    let mut world = World::new();
    world.push(push(&LAYERS, "v1")).unwrap();
    world.registry.lose("two");
    let mut world = world.another();
    let pushed = world.push(push(&LAYERS, "v1")).unwrap();
    assert_eq!((pushed.requests, pushed.unverified.len()), (1, 5));
    assert!(pushed.unverified.contains(&digest("two")));

    world.registry.bytes = 0;
    let pushed = world.push(push(&LAYERS, "v1").recheck()).unwrap();
    assert_eq!((pushed.uploaded, pushed.existing, pushed.unverified), (1, 4, Vec::new()));
    assert_eq!(world.registry.bytes, 65 * KIB);
    // Of what is there, nothing is sent.
    let pushed = world.push(push(&LAYERS, "v1").recheck()).unwrap();
    assert_eq!((pushed.bytes, pushed.requests), (0, 6), "{:#?}", world.asked);
}

#[test]
fn a_recheck_asks_about_children_and_sends_those_that_are_lost() {
    let children = [image(&[("layer", 10)]), image(&[("other", 20)])];
    let root = index(&children.each_ref().map(Manifest::descriptor));
    let push = |push: Push<&'static str>| {
        let push = push.blob(blob("layer", 10)).blob(blob("other", 20)).blob(blob("config", 2));
        children.iter().cloned().fold(push, Push::manifest).root(root.clone()).tag("v1".parse().unwrap())
    };
    let mut world = World::new();
    world.push(push(empty())).unwrap();
    world.registry.manifests.remove(&children[1].digest().to_string()).unwrap();
    world.push(push(empty().recheck())).unwrap();
    assert!(world.registry.manifests.contains_key(&children[1].digest().to_string()));
    let puts: Vec<_> = world.asked.iter().filter(|asked| asked.starts_with("PUT")).collect();
    assert_eq!(puts.len(), 1, "{puts:?}");
}

#[test]
fn what_a_client_has_seen_is_believed_for_an_hour() {
    let mut world = World::with(|options| options.trust_manifests = false);
    world.push(push(&LAYERS, "v1")).unwrap();
    let more = [LAYERS.as_slice(), &[("more", 68 * KIB)]].concat();
    world.push(push(&more, "v2")).unwrap();
    assert_eq!(world.stored(&Stored::Existing).len(), 5);
    assert_eq!(world.count("two"), 0);
    for name in ["one", "two"] {
        world.registry.lose(name);
    }
    world.registry.checks_nothing = true;
    world.now = world.now + Duration::from_secs(90 * 24 * 3600);
    world.push(push(&more, "v3")).unwrap();
    // The config is so small that it is not worth a question.
    assert_eq!(world.stored(&Stored::Uploaded), ["config", "one", "two"]);
}

#[test]
fn a_deletion_of_our_own_voids_what_was_seen() {
    let mut world = World::new();
    world.push(push(&LAYERS, "v1")).unwrap();
    world.registry.lose("one");
    let (registry, repository) = ("registry.example".parse().unwrap(), "a/b".parse().unwrap());
    let what = Deletion::Blob(digest("one"));
    world.client.start(Operation::Delete { registry, repository, what });
    loop {
        match world.client.poll(world.now) {
            Output::Send { id, .. } => {
                let response = http::Response::builder().status(202).body(bytes::Bytes::new()).unwrap();
                world.client.handle(Input::Answered { id, response, end: End::Complete });
            }
            Output::Done { .. } => break,
            Output::Wait(None) => panic!("it hangs"),
            _ => {}
        }
    }
    world.registry.checks_nothing = true;
    let pushed = world.push(push(&LAYERS, "v1")).unwrap();
    assert_eq!(world.stored(&Stored::Uploaded), ["one"]);
    assert!(!pushed.unverified.contains(&digest("one")));
}

#[test]
fn a_manifest_that_is_refused_for_good_costs_no_blob_twice() {
    let refusals = [
        (r#"{"errors":[{"code":"MANIFEST_INVALID","message":"no"}]}"#, 2),
        (r#"{"errors":[{"code":"UNSUPPORTED","message":"no"}]}"#, 1),
        // Without a reason, a blob may be missing: that is asked about.
        ("no", 2),
    ];
    for (body, puts) in refusals {
        let mut world = World::new();
        world.registry.refusal = Some((400, body.to_owned()));
        let failure = world.push(push(&LAYERS, "v1")).unwrap_err();
        assert_eq!(failure.refused().map(|refused| refused.status.as_u16()), Some(400), "{failure}");
        assert_eq!(world.registry.bytes, LAYERS.iter().map(|(_, size)| size).sum::<u64>() + 2);
        assert_eq!(world.count("PUT https://registry.example/v2/a/b/manifests/"), puts);
    }
}

#[test]
fn a_refusal_that_names_one_blob_recovers_that_one_alone() {
    let mut world = World::new();
    world.push(push(&LAYERS, "v1")).unwrap();
    world.registry.lose("two");
    let detail = format!(r#"{{"digest":"{}"}}"#, digest("two"));
    let body = format!(r#"{{"errors":[{{"code":"MANIFEST_BLOB_UNKNOWN","detail":{detail}}}]}}"#);
    // The code counts, whatever the status.
    world.registry.refusal = Some((422, body));
    let more = [LAYERS.as_slice(), &[("more", 10)]].concat();
    let operation = world.client.start(push(&more, "v2"));
    world.asked.clear();
    // The refusal holds until the blob is asked about.
    while !world.asked.iter().any(|asked| asked.starts_with("HEAD")) {
        step(&mut world);
    }
    world.registry.refusal = None;
    world.run();
    let pushed = world.done.take().unwrap().unwrap();
    assert_eq!(pushed.uploaded, 2, "{operation:?}: {:#?}", world.asked);
    // It was stored a moment ago, and so it is looked for more than once.
    assert_eq!(world.count("HEAD"), 3, "{:#?}", world.asked);
    assert!(
        world
            .asked
            .iter()
            .filter(|asked| asked.starts_with("HEAD"))
            .all(|asked| asked.contains(&digest("two").to_string()))
    );
}

/// One output.
fn step(world: &mut World) {
    match world.client.poll(world.now) {
        Output::Send { id, request, .. } => {
            world.asked.push(format!("{} {}", request.method(), request.uri()));
            let response = world.registry.answer(&request);
            world.client.handle(Input::Answered { id, response, end: End::Complete });
        }
        Output::Wait(deadline) => world.now = deadline.expect("it hangs").at,
        _ => {}
    }
}

#[test]
fn a_registry_that_takes_no_head_takes_an_index_of_what_is_there() {
    let child = image(&[("layer", 10)]);
    let mut world = World::new();
    world.registry.head = Some(405);
    let first = empty().blob(blob("layer", 10)).blob(blob("config", 2)).root(child.clone());
    world.push(first.tag("amd64".parse().unwrap())).unwrap();
    let mut world = world.another();
    let pushed = world.push(empty().root(index(&[child.descriptor()])).tag("v1".parse().unwrap()));
    pushed.unwrap();
    // What is in neither place is named when the registry refuses the index.
    let absent = image(&[("nowhere", 10)]);
    let failure = world.push(empty().root(index(&[absent.descriptor()])).tag("v2".parse().unwrap())).unwrap_err();
    assert!(failure.refused().is_some() || matches!(failure.kind, FailureKind::Incomplete { .. }), "{failure}");
}

#[test]
fn a_checkpoint_holds_what_the_push_itself_stored() {
    let mut world = World::new();
    world.push(push(&LAYERS, "v1")).unwrap();
    let open = world.start(empty().blob(blob("mine", 20 * KIB)).open());
    let saved = world.client.save(open).unwrap();
    let json = String::from_utf8(saved.to_json()).unwrap();
    assert!(json.contains(&digest("mine").to_string()) && !json.contains(&digest("one").to_string()), "{json}");
    assert_eq!(Checkpoint::from_json(json.as_bytes()).unwrap(), saved);

    let mut world = world.another();
    let layers = [("mine", 20 * KIB)];
    world.registry.bytes = 0;
    world.push(push(&layers, "v2").resume(saved).unwrap()).unwrap();
    assert_eq!(world.registry.bytes, 2, "only the config was sent");
}

/// All that has the same subject goes into its list with one write.
#[test]
fn the_referrers_of_one_subject_are_listed_together() {
    let subject = image(&[("layer", 10)]);
    let about = serde_json::to_string(&subject.descriptor()).unwrap();
    let artifact = |number: u64| image_of(&[], &format!(r#","subject":{about},"annotations":{{"number":"{number}"}}"#));
    let mut world = World::new();
    let push = push(&[("layer", 10)], "v1");
    world.push((0..100).map(artifact).fold(push, Push::manifest)).unwrap();
    assert_eq!(world.count("PUT https://registry.example/v2/a/b/manifests/sha256-"), 1);
    let list = &world.registry.manifests[&crate::Tag::of_referrers(&subject.digest()).to_string()];
    assert_eq!(Manifest::parse(list.clone()).unwrap().children().count(), 100);
}

const LARGE: [(&str, u64); 3] = [("thirty", 30_000_000), ("also thirty", 30_000_001), ("thirty-six", 36_000_000)];

/// Whether the registry mounts is found out by the smallest blob, once it is stored, before the largest is sent.
#[test]
fn a_first_push_of_large_blobs_finds_out_with_the_smallest_what_a_mount_tells() {
    let requests = |ignores_single_post, never_mounts| {
        let mut world = World::new();
        world.registry.ignores_single_post = ignores_single_post;
        world.registry.never_mounts = never_mounts;
        world.push(push(&LARGE, "v1")).unwrap();
        assert!(world.registry.uploads.is_empty(), "{:#?}", world.asked);
        let first = world.asked.len();
        // Under another tag it is seen that they are there, whatever a mount tells.
        let mut world = world.another();
        world.registry.bytes = 0;
        world.push(push(&LARGE, "v2")).unwrap();
        assert!(world.registry.bytes <= 4, "{:#?}", world.asked);
        assert!(world.registry.uploads.is_empty(), "{:#?}", world.asked);
        (first, world.asked.len())
    };
    assert_eq!(requests(true, false), (11, 4));
    assert_eq!(requests(false, false), (10, 4));
    assert_eq!(requests(false, true), (14, 9));
}

#[test]
fn an_upload_that_is_held_is_cancelled_with_its_push_and_serves_another() {
    for is_shared in [false, true] {
        let mut world = World::new();
        let first = world.client.start(push(&LARGE, "v1"));
        while world.count("POST https://registry.example/v2/a/b/blobs/uploads/?digest=") == 0 {
            step(&mut world);
        }
        assert_eq!(world.registry.uploads.len(), 1, "the largest is held: {:#?}", world.asked);
        if is_shared {
            world.client.start(empty().blob(blob("thirty-six", 36_000_000)));
            step(&mut world);
        }
        world.client.cancel(first);
        world.run();
        let is_there = world.registry.blobs.contains(&digest("thirty-six").to_string());
        assert_eq!((is_there, world.registry.uploads.len()), (is_shared, 0), "{:#?}", world.asked);
    }
}
