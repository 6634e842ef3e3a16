//! Lists of referrers under the fallback tag, where the registry or what stands there does not help.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use longshore_conformance::quirk::{Outcome, named, spec_true};
use longshore_conformance::{Case, Image, Key, Mock, Plan, Run, flow, property};
use longshore_core::{
    Algorithm, Blob, Client, Deletion, Digest, Failure, FailureKind, Manifest, Operation, Options, Push, Receipt, Tag,
};
use longshore_memory::{Said, Simulation, Source};
use longshore_mock_registry as mock;
use longshore_mock_registry::behaviour::{ImmutableTags, LinkForm};

fn flow_named(name: &str) -> Case {
    flow::all().into_iter().find(|flow| flow.name == name).unwrap().case
}

/// The requests to the tag of a list, by method.
fn to_the_list(run: &Run, method: &Method) -> usize {
    let entries = run.simulation.transcript().entries.iter();
    let is_list = |path: &str| path.contains("/manifests/sha256-");
    let is_it =
        |what: &Said<_>| matches!(what, Said::Asked { head, .. } if head.method == method && is_list(head.uri.path()));
    entries.filter(|entry| is_it(&entry.what)).count()
}

/// All manifests and tags stand, whatever became of the list.
fn all_but_the_list_stands(case: &Case, run: &Run) {
    let registry = &run.simulation.handler;
    for manifest in run.image.all_manifests() {
        assert!(
            registry.manifest(&Case::repository(), &manifest.digest()).is_some(),
            "{}",
            run.simulation.transcript()
        );
    }
    for tag in case.tags() {
        assert_eq!(registry.tagged(&Case::repository(), &tag), Some(run.image.root.digest()));
    }
}

/// quirk `fallback-tag-immutable`: one clear failure, of the list alone, after few requests.
#[test]
fn fallback_tag_immutable() {
    for (status, code) in [(409, "TAG_IMMUTABLE"), (412, "PRECONDITION"), (403, "DENIED"), (400, "TAG_INVALID")] {
        for has_validators in [true, false] {
            // The list stands, so it would have to be changed.
            let mut case = flow_named("one artifact more, lists under tags");
            // Tags wait for the lists here.
            (case.tags, case.client.in_flight) = (3, 1);
            case.client.learned.tag_parameter = Some(false);
            case.registry.behaviour.manifests.immutable_tags = Some(ImmutableTags::new(status, code, true));
            if !has_validators {
                named("referrers-without-conditions").unwrap().apply(&mut case.registry.behaviour);
            }
            let registry = case.registry.clone();
            case.before.as_mut().unwrap().registry = registry;
            let run = case.run();
            let failure = run.result.as_ref().unwrap_err();
            assert!(matches!(failure.kind, FailureKind::ReferrersRefused { done: "stored", .. }), "{failure}");
            assert_eq!(failure.refused().map(|refused| refused.status.as_u16()), Some(status));
            all_but_the_list_stands(&case, &run);
            // One for the first artifact; for the second, one and at most one more.
            assert!(to_the_list(&run, &Method::PUT) <= 3, "{}", run.simulation.transcript());
        }
    }
}

/// What stands under the tag of a subject, and is no list of referrers, is not written over (quirk `fallback-tag-not-index`).
#[test]
fn fallback_tag_not_index() {
    let image = Bytes::from_static(
        br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#,
    );
    let docker_list = Bytes::from_static(
        br#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[]}"#,
    );
    for (media_type, standing) in [
        ("application/vnd.oci.image.manifest.v1+json", image),
        ("application/vnd.docker.distribution.manifest.list.v2+json", docker_list),
    ] {
        let case = flow_named("artifacts, lists under tags");
        let mut registry = Mock::new(case.registry.clone());
        let (config, name) = (Bytes::from_static(b"{}"), Case::repository());
        registry.put_blob(&name, &Digest::of(Algorithm::Sha256, &config), &config);
        let tag = Tag::of_referrers(&Image::of(&case.plan).root.digest());
        let put = Request::put(format!("/v2/{name}/manifests/{tag}")).header(CONTENT_TYPE, media_type);
        let answer = registry.registry.answer(mock::Instant::default(), put.body(standing).unwrap()).unwrap();
        assert_eq!(answer.status(), 201, "{answer:?}");
        let before = registry.tagged(&name, &tag).unwrap();
        let run = case.run_at(registry);
        let failure = run.result.as_ref().unwrap_err();
        assert!(matches!(&failure.kind, FailureKind::NotReferrers { tag: of, .. } if *of == tag), "{failure}");
        assert_eq!(run.simulation.handler.tagged(&name, &tag), Some(before));
        all_but_the_list_stands(&case, &run);
        assert_eq!(to_the_list(&run, &Method::PUT), 0);
    }
}

const EMPTY: &[u8] = b"{}";

/// An artifact about a manifest that is nowhere, and the blob that it needs.
fn artifact(subject: &Digest, name: &str) -> (Manifest, Digest) {
    let config = Digest::of(Algorithm::Sha256, EMPTY);
    let document = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.example",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config.to_string(), "size": 2 },
        "layers": [],
        "subject": { "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject.to_string(), "size": 7 },
        "annotations": { "name": name },
    });
    (Manifest::parse(document.to_string()).unwrap(), config)
}

/// Pushes artifacts about `subject`, one after the other, and gives back the registry.
fn attach(subject: &Digest, names: &[&str], registry: mock::RegistryOptions) -> Mock {
    let mut registry = Mock::new(registry);
    for name in names {
        let (artifact, config) = artifact(subject, name);
        let push = Push::new(Case::registry(), Case::repository());
        let push = push.blob(Blob::known(Key(0), config, EMPTY.len() as u64)).root(artifact);
        let mut simulation = Simulation::new(1, registry).source(Key(0), Source::bytes(EMPTY));
        run(&mut simulation, push).unwrap();
        registry = simulation.handler;
    }
    registry
}

fn run(
    simulation: &mut Simulation<Key, Mock>,
    operation: impl Into<Operation<Key>>,
) -> Result<Receipt<Key>, Box<Failure>> {
    let mut client = Client::new(Options::default());
    let id = client.start(operation);
    simulation.run(&mut client, id)
}

fn list_of(subject: &Digest) -> Operation<Key> {
    let (registry, repository) = (Case::registry(), Case::repository());
    Operation::ListReferrers { registry, repository, subject: *subject, artifact_type: None }
}

fn listed(receipt: &Receipt<Key>) -> BTreeSet<Digest> {
    match receipt {
        Receipt::Referrers(list) => list.iter().map(|entry| entry.digest).collect(),
        other => panic!("{other:?} is no list"),
    }
}

fn without_api() -> mock::RegistryOptions {
    named("referrers-404-fallback").unwrap().registry()
}

/// A tag of that form that names the subject itself is no list of what refers to it.
#[test]
fn fallback_tag_of_the_subject_itself() {
    let case = flow_named("artifacts, lists under tags");
    let plain = Case { plan: Plan { attached: 0, ..case.plan.clone() }, ..case.clone() };
    let mut registry = plain.run().simulation.handler;
    let subject = Image::of(&case.plan).root;
    let tag = Tag::of_referrers(&subject.digest());
    let put = Request::put(format!("/v2/{}/manifests/{tag}", Case::repository()));
    let put = put.header(CONTENT_TYPE, subject.media_type().as_str()).body(subject.bytes().clone()).unwrap();
    assert_eq!(registry.registry.answer(mock::Instant::default(), put).unwrap().status(), 201);
    let run = case.run_at(registry);
    let failure = run.result.as_ref().unwrap_err();
    assert!(matches!(failure.kind, FailureKind::NoReferrers { .. }), "{failure}");
}

/// Where the options forbid the fallback, no tag is written, and the push says so when all else stands.
#[test]
fn the_fallback_can_be_forbidden() {
    let case = flow_named("artifacts, lists under tags");
    let run = case.run_with(|options| options.referrers = longshore_core::Referrers::Forbid);
    assert_eq!(run.result.as_ref().unwrap_err().kind, FailureKind::ReferrersForbidden);
    all_but_the_list_stands(&case, &run);
    assert_eq!(to_the_list(&run, &Method::PUT) + to_the_list(&run, &Method::GET), 0);
}

/// Trouble says nothing about the API: it is not learned that there is none.
#[test]
fn trouble_is_not_the_lack_of_an_api() {
    let mut case = flow_named("an artifact");
    named("oci-subject-missing-but-supported").unwrap().apply(&mut case.registry.behaviour);
    case.registry.behaviour.referrers.api = mock::behaviour::ReferrersApi::Refused(500);
    let run = case.run();
    assert_eq!(run.client.learned(&Case::registry()).unwrap().referrers(&Case::repository()), None);
}

/// quirk `fallback-tag-truncation-differs`: of a long digest the tag has what the spec says, for who writes and who reads it.
#[test]
fn fallback_tag_truncation_differs() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let subject = Digest::of(algorithm, b"a subject");
        let registry = attach(&subject, &["a"], without_api());
        let hex = subject.to_string().split_once(':').unwrap().1[..64].to_owned();
        let tag: Tag = format!("{}-{hex}", algorithm.as_str()).parse().unwrap();
        assert!(registry.tagged(&Case::repository(), &tag).is_some(), "{tag} does not stand");
        let mut simulation = Simulation::new(2, registry);
        let receipt = run(&mut simulation, list_of(&subject)).unwrap();
        assert_eq!(listed(&receipt), BTreeSet::from([artifact(&subject, "a").0.digest()]));
    }
}

/// quirks `fallback-empty-cleanup`, `tag-delete-unsupported`: the tag of an empty list goes, or stays with an empty list.
#[test]
fn fallback_empty_cleanup() {
    let subject = Digest::of(Algorithm::Sha256, b"a subject");
    let tag = Tag::of_referrers(&subject);
    for delete_tag in [202, 400, 405] {
        let mut options = without_api();
        options.behaviour.listing.delete_tag = delete_tag;
        let registry = attach(&subject, &["a", "b"], options);
        let mut simulation = Simulation::new(2, registry);
        for name in ["a", "b"] {
            let what = Deletion::Manifest(artifact(&subject, name).0.digest());
            let delete = Operation::Delete { registry: Case::registry(), repository: Case::repository(), what };
            assert_eq!(run(&mut simulation, delete).unwrap(), Receipt::Deleted);
        }
        let registry = &simulation.handler;
        let list = registry.tagged(&Case::repository(), &tag);
        let list = list.and_then(|digest| registry.manifest(&Case::repository(), &digest));
        match list {
            None => assert_eq!(delete_tag, 202),
            Some(list) => {
                assert_ne!(delete_tag, 202);
                assert_eq!(Manifest::parse(list).unwrap().children().count(), 0);
            }
        }
        let receipt = run(&mut simulation, list_of(&subject)).unwrap();
        assert!(listed(&receipt).is_empty());
    }
}

/// quirk `tag-delete-unsupported`: who asks for the deletion of a tag is told that the registry does not do that.
#[test]
fn tag_delete_unsupported() {
    for status in [400, 405] {
        let case = flow_named("POST and PUT");
        let mut registry = case.run().simulation.handler;
        registry.registry.options.behaviour.listing.delete_tag = status;
        let tag: Tag = "v0".parse().unwrap();
        let mut simulation = Simulation::new(2, registry);
        let what = Deletion::Tag(tag.clone());
        let delete = Operation::Delete { registry: Case::registry(), repository: Case::repository(), what };
        let failure = run(&mut simulation, delete).unwrap_err();
        assert_eq!(failure.refused().map(|refused| refused.status.as_u16()), Some(status), "{failure}");
        assert!(simulation.handler.tagged(&Case::repository(), &tag).is_some());
    }
}

/// quirk `referrers-pagination`: `Link` alone is followed, to its end, and `n` is not sent.
#[test]
fn referrers_pagination() {
    let subject = Digest::of(Algorithm::Sha256, b"a subject");
    let names = ["a", "b", "c", "d", "e"];
    for link in [LinkForm::Path, LinkForm::Absolute, LinkForm::Bare, LinkForm::ExtraParameter, LinkForm::Always] {
        let mut options = spec_true();
        options.limits.page = 2;
        options.behaviour.listing.link = link;
        let mut simulation = Simulation::new(2, attach(&subject, &names, options));
        let receipt = run(&mut simulation, list_of(&subject)).unwrap();
        let expected = names.map(|name| artifact(&subject, name).0.digest());
        assert_eq!(listed(&receipt), BTreeSet::from(expected), "{link:?}");
        for entry in &simulation.transcript().entries {
            if let Said::Asked { head, .. } = &entry.what {
                let parameters = head.uri.query().unwrap_or_default().split('&');
                assert!(parameters.into_iter().all(|pair| !pair.starts_with("n=")), "{}", head.uri);
            }
        }
    }
}

/// Whether a registry lists referrers may differ from one of its repositories to another: what is learned is of one.
#[test]
fn support_is_learned_once_per_repository() {
    let case = flow_named("artifacts, lists under tags");
    let run = case.run();
    let learned = run.client.learned(&Case::registry()).unwrap();
    assert_eq!(learned.referrers(&Case::repository()), Some(false));
    assert_eq!(learned.referrers(&Case::elsewhere()), None);
    let asked = run.simulation.transcript().entries.iter();
    let asked =
        asked.filter(|e| matches!(&e.what, Said::Asked { head, .. } if head.uri.path().contains("/referrers/")));
    assert_eq!(asked.count(), 1, "two artifacts, one question");

    // The registry lists them here now, and a client that learned of the other repository asks here.
    let mut case = flow_named("an artifact");
    named("oci-subject-missing-but-supported").unwrap().apply(&mut case.registry.behaviour);
    case.client.learned.learn_referrers(&Case::elsewhere(), false);
    let run = property::judge(&case, Outcome::Succeeds).unwrap();
    assert_eq!(to_the_list(&run, &Method::PUT), 0, "{}", run.simulation.transcript());
    assert_eq!(run.client.learned(&Case::registry()).unwrap().referrers(&Case::repository()), Some(true));
}
