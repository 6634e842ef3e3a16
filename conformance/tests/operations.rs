//! Everything that is not a push: pulled, listed, asked and deleted, under every fault, against one prepared registry.

use longshore_conformance::{Case, Key, Mock, flow};
use longshore_core::driver::OperationId;
use longshore_core::{Client, Deletion, Digest, Failure, ManifestReference, Operation, Options, Receipt, Tag};
use longshore_memory::{Fault, Schedule, Simulation, Step};
use longshore_mock_registry::behaviour::ReferrersApi;

/// A registry with an image and two artifacts that refer to it.
fn prepared(has_referrers: bool) -> (Mock, Case) {
    let name = if has_referrers { "an artifact" } else { "artifacts, lists under tags" };
    let case = flow::all().into_iter().find(|flow| flow.name == name).unwrap().case;
    let run = case.run();
    assert!(run.result.is_ok());
    (run.simulation.handler, case)
}

fn simulation(registry: Mock, faults: Schedule) -> Simulation<Key, Mock> {
    Simulation::new(5, registry).faults(faults)
}

fn client() -> Client<Key> {
    Client::new(Options::default())
}

/// What must come of an operation.
type Expected = fn(&Receipt<Key>, &Simulation<Key, Mock>, &Case) -> bool;

/// Runs an operation under every fault at every request; each time it must come to what is expected.
///
/// One deletion that is delivered twice without anybody knowing of it looks like one of what was never there: that is left
/// out where nothing was read before.
fn under_every_fault(has_referrers: bool, make: impl Fn(&Case) -> Operation<Key>, expected: Expected) -> u64 {
    let (registry, case) = prepared(has_referrers);
    let mut undisturbed = simulation(registry, Schedule::default());
    run(&mut undisturbed, make(&case)).unwrap();
    let requests = undisturbed.requests();
    let mut cases = 0;
    for request in 1..=requests {
        for fault in Fault::every_passing() {
            let (registry, case) = prepared(has_referrers);
            let is_blind = matches!(
                make(&case),
                Operation::Delete { what: Deletion::Tag(_) | Deletion::Blob(_), .. } if fault == Fault::Twice
            );
            if is_blind {
                continue;
            }
            let mut simulation = simulation(registry, Schedule::list([(request, fault)]));
            let result = run(&mut simulation, make(&case));
            let transcript = simulation.transcript();
            match result {
                Ok(receipt) => assert!(expected(&receipt, &simulation, &case), "{receipt:?}\n{transcript}"),
                Err(failure) => panic!("{failure}\n{transcript}"),
            }
            assert!(simulation.handler.registry.state.uploads.len() <= 1, "uploads are left\n{transcript}");
            cases += 1;
        }
    }
    println!("{cases} cases");
    cases
}

fn run(simulation: &mut Simulation<Key, Mock>, operation: Operation<Key>) -> Result<Receipt<Key>, Box<Failure>> {
    let mut client = client();
    let id = client.start(operation);
    simulation.run(&mut client, id)
}

fn digest_of_a_blob(case: &Case) -> Digest {
    longshore_conformance::Image::of(&case.plan).blobs[1].digest
}

fn root(case: &Case) -> Digest {
    longshore_conformance::Image::of(&case.plan).root.digest()
}

fn tag() -> Tag {
    "v0".parse().unwrap()
}

fn pull(name: ManifestReference) -> Operation<Key> {
    Operation::PullManifest { registry: Case::registry(), repository: Case::repository(), reference: name }
}

fn delete(what: Deletion) -> Operation<Key> {
    Operation::Delete { registry: Case::registry(), repository: Case::repository(), what }
}

fn list_referrers(case: &Case) -> Operation<Key> {
    let (registry, repository) = (Case::registry(), Case::repository());
    Operation::ListReferrers { registry, repository, subject: root(case), artifact_type: None }
}

#[test]
fn a_manifest_by_its_tag() {
    let is_root: Expected = |receipt, _, case| matches!(receipt, Receipt::Pulled(m) if m.digest() == root(case));
    assert!(under_every_fault(true, |_| pull(ManifestReference::Tag(tag())), is_root) >= 22);
}

#[test]
fn a_manifest_by_its_digest() {
    let is_root: Expected = |receipt, _, case| matches!(receipt, Receipt::Pulled(m) if m.digest() == root(case));
    assert!(under_every_fault(true, |case| pull(ManifestReference::Digest(root(case))), is_root) >= 22);
}

#[test]
fn a_blob_into_a_sink() {
    let make = |case: &Case| {
        let (registry, repository) = (Case::registry(), Case::repository());
        Operation::PullBlob { registry, repository, digest: digest_of_a_blob(case), size: None, sink: Key(7) }
    };
    let is_whole: Expected = |receipt, simulation, case| {
        let sink = simulation.sink(&Key(7)).expect("something was poured");
        matches!(receipt, Receipt::Poured { blob: Key(7), .. }) && digest_of_a_blob(case).matches(sink)
    };
    assert!(under_every_fault(true, make, is_whole) >= 22);
}

#[test]
fn may_one_push() {
    let make = |_: &Case| Operation::CheckPush { registry: Case::registry(), repository: Case::repository() };
    assert!(under_every_fault(true, make, |receipt, _, _| *receipt == Receipt::Allowed) >= 44);
}

#[test]
fn the_tags() {
    let make = |_: &Case| Operation::ListTags { registry: Case::registry(), repository: Case::repository() };
    assert!(under_every_fault(true, make, |receipt, _, _| *receipt == Receipt::Tags(vec![tag()])) >= 22);
}

#[test]
fn the_referrers() {
    let is_one: Expected = |receipt, _, _| matches!(receipt, Receipt::Referrers(list) if list.len() == 1);
    assert!(under_every_fault(true, list_referrers, is_one) >= 22);
}

#[test]
fn the_referrers_under_a_tag() {
    let are_two: Expected = |receipt, simulation, _| {
        assert_eq!(simulation.handler.registry.options.behaviour.referrers.api, ReferrersApi::NotFound);
        matches!(receipt, Receipt::Referrers(list) if list.len() == 2)
    };
    assert!(under_every_fault(false, list_referrers, are_two) >= 44);
}

#[test]
fn a_tag_goes() {
    let is_gone: Expected = |receipt, simulation, _| {
        *receipt == Receipt::Deleted && simulation.handler.tagged(&Case::repository(), &tag()).is_none()
    };
    assert!(under_every_fault(true, |_| delete(Deletion::Tag(tag())), is_gone) >= 21);
}

#[test]
fn a_blob_goes() {
    let is_gone: Expected = |receipt, simulation, case| {
        let blob = simulation.handler.blob(&Case::repository(), &digest_of_a_blob(case));
        *receipt == Receipt::Deleted && blob.is_none()
    };
    assert!(under_every_fault(true, |case| delete(Deletion::Blob(digest_of_a_blob(case))), is_gone) >= 21);
}

/// The digest of the first artifact.
fn artifact(case: &Case) -> Digest {
    longshore_conformance::Image::of(&case.plan).manifests[0].digest()
}

#[test]
fn an_artifact_goes_and_its_entry_with_it() {
    let is_gone: Expected = |receipt, simulation, case| {
        let (registry, list) = (&simulation.handler, Tag::of_referrers(&root(case)));
        let list = registry.tagged(&Case::repository(), &list).and_then(|d| registry.manifest(&Case::repository(), &d));
        let list = String::from_utf8(list.expect("one artifact is left").to_vec()).unwrap();
        let stands = registry.manifest(&Case::repository(), &artifact(case)).is_some();
        *receipt == Receipt::Deleted && !stands && !list.contains(&artifact(case).to_string())
    };
    assert!(under_every_fault(false, |case| delete(Deletion::Manifest(artifact(case))), is_gone) >= 66);
}

/// Any of them can be cancelled at any step, and then nothing more happens.
#[test]
fn each_can_be_cancelled_at_any_step() {
    let makers: [fn(&Case) -> Operation<Key>; 5] = [
        |_| pull(ManifestReference::Tag(tag())),
        |_| Operation::CheckPush { registry: Case::registry(), repository: Case::repository() },
        list_referrers,
        |case| delete(Deletion::Manifest(artifact(case))),
        |_| Operation::ListTags { registry: Case::registry(), repository: Case::repository() },
    ];
    let mut cases = 0;
    for make in makers {
        for after in 0.. {
            let (registry, case) = prepared(false);
            let mut simulation = simulation(registry, Schedule::default());
            let mut client = client();
            let id = client.start(make(&case));
            if !is_cancelled_after(after, &mut simulation, &mut client, id) {
                break;
            }
            assert!(simulation.handler.registry.state.uploads.is_empty(), "{}", simulation.transcript());
            cases += 1;
        }
    }
    println!("{cases} cases");
    assert!(cases >= 40, "there were only {cases} cases");
}

/// Whether there was a step to cancel it after; it must then end, once.
fn is_cancelled_after(
    after: u64,
    simulation: &mut Simulation<Key, Mock>,
    client: &mut Client<Key>,
    id: OperationId,
) -> bool {
    let (mut steps, mut ends, mut was_cancelled) = (0, 0, false);
    loop {
        if steps == after && ends == 0 {
            client.cancel(id);
            was_cancelled = true;
        }
        steps += 1;
        match simulation.step(client) {
            Step::Worked | Step::Event(_) => {}
            Step::Done { .. } => ends += 1,
            Step::Idle => break,
        }
    }
    assert_eq!(ends, 1, "{}", simulation.transcript());
    was_cancelled
}
