//! Lists of referrers under a tag, where something is already there, or the registry changes its ways.

use http::Method;
use longshore_conformance::{Case, Mock};
use longshore_core::{
    Algorithm, Blob, Client, Deletion, Digest, Failure, FailureKind, Manifest, Operation, Options, Push, Receipt, Tag,
};
use longshore_memory::{Simulation, Source};
use longshore_mock_registry as mock;
use longshore_mock_registry::behaviour::ReferrersApi;

const CONFIG: &[u8] = b"{}";

/// A registry without a referrers API, and a client of it.
struct World {
    simulation: Simulation<&'static str, Mock>,
    client: Client<&'static str>,
}

impl World {
    fn new(change: impl FnOnce(&mut mock::RegistryOptions)) -> Self {
        let mut options = mock::RegistryOptions::default();
        options.behaviour.referrers.api = ReferrersApi::NotFound;
        change(&mut options);
        let simulation = Simulation::new(7, Mock::new(options)).source("config", Source::bytes(CONFIG));
        Self { simulation, client: Client::new(Options::default()) }
    }

    fn run(&mut self, operation: impl Into<Operation<&'static str>>) -> Result<Receipt<&'static str>, Box<Failure>> {
        let id = self.client.start(operation);
        self.simulation.run(&mut self.client, id)
    }

    fn push(&mut self, manifest: &Manifest) -> Result<Receipt<&'static str>, Box<Failure>> {
        let config = Blob::known("config", Digest::of(Algorithm::Sha256, CONFIG), CONFIG.len() as u64);
        self.run(Push::new(Case::registry(), Case::repository()).blob(config).root(manifest.clone()))
    }

    fn list(&mut self, subject: Digest, artifact_type: Option<&str>) -> Vec<Digest> {
        let (registry, repository) = (Case::registry(), Case::repository());
        let artifact_type = artifact_type.map(str::to_owned);
        let listed = self.run(Operation::ListReferrers { registry, repository, subject, artifact_type });
        let Ok(Receipt::Referrers(listed)) = listed else { panic!("{}", self.simulation.transcript()) };
        listed.iter().map(|entry| entry.digest).collect()
    }

    fn delete(&mut self, manifest: &Manifest) {
        let (registry, repository) = (Case::registry(), Case::repository());
        let what = Deletion::Manifest(manifest.digest());
        assert_eq!(self.run(Operation::Delete { registry, repository, what }), Ok(Receipt::Deleted));
    }

    fn tagged(&self, tag: &str) -> Option<Digest> {
        self.simulation.handler.tagged(&Case::repository(), &tag.parse().unwrap())
    }

    /// The list that stands under the tag.
    fn under_tag(&self, tag: &str) -> Option<Manifest> {
        let bytes = self.simulation.handler.manifest(&Case::repository(), &self.tagged(tag)?)?;
        Some(Manifest::parse(bytes).unwrap())
    }

    fn turn(&mut self, api: ReferrersApi) {
        self.simulation.handler.registry.options.behaviour.referrers.api = api;
    }

    fn requests(&self) -> u64 {
        self.simulation.requests()
    }
}

/// An artifact of this type about a subject of this digest.
fn artifact(kind: &str, subject: &str) -> Manifest {
    let config = Digest::of(Algorithm::Sha256, CONFIG);
    let image = "application/vnd.oci.image.manifest.v1+json";
    Manifest::parse(format!(
        r#"{{"schemaVersion":2,"mediaType":"{image}","artifactType":"application/vnd.example.{kind}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[],"subject":{{"mediaType":"{image}","digest":"{subject}","size":7}}}}"#
    ))
    .unwrap()
}

fn subject() -> Digest {
    Digest::of(Algorithm::Sha256, b"subject")
}

fn tag_of(subject: Digest) -> String {
    subject.to_string().replace(':', "-")
}

fn entries(list: &Manifest) -> Vec<Digest> {
    list.children().map(|entry| entry.digest).collect()
}

#[test]
fn a_fallback_tag_that_holds_an_image_is_left_alone() {
    let mut world = World::new(|_| {});
    let (image, tag) = (artifact("image", &subject().to_string()), tag_of(subject()));
    world.push(&image).unwrap();
    // Somebody tags an image as cosign's older files are, but for their ending.
    let put = format!("/v2/{}/manifests/{tag}", Case::repository());
    assert_eq!(world.simulation.handler.ask(Method::PUT, &put, image.bytes().clone()).status(), 201);
    let one = artifact("one", &subject().to_string());
    let failure = world.push(&one).unwrap_err();
    let expected = FailureKind::NotReferrers { tag: tag.parse().unwrap(), what: "it is not an OCI index" };
    assert_eq!(failure.kind, expected, "{}", world.simulation.transcript());
    assert_eq!(world.tagged(&tag), Some(image.digest()));
}

/// GitLab reads a tag of this form as the digest in it: an index's own children are no referrers of it.
#[test]
fn a_registry_that_reads_the_tag_as_the_subject_lists_no_referrers() {
    let mut world = World::new(|_| {});
    let image = artifact("image", &Digest::of(Algorithm::Sha256, b"nothing").to_string());
    world.push(&image).ok();
    let child = format!(
        r#"{{"mediaType":"{}","digest":"{}","size":{}}}"#,
        image.media_type(),
        image.digest(),
        image.bytes().len()
    );
    let index = Manifest::parse(format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{child}]}}"#
    ))
    .unwrap();
    let tag = tag_of(index.digest());
    let put = format!("/v2/{}/manifests/{tag}", Case::repository());
    assert_eq!(world.simulation.handler.ask(Method::PUT, &put, index.bytes().clone()).status(), 201);
    assert_eq!(world.list(index.digest(), None), []);
    let one = artifact("one", &index.digest().to_string());
    let failure = world.push(&one).unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::NoReferrers { tag: tag.parse().unwrap() },
        "{}",
        world.simulation.transcript()
    );
    assert!(world.simulation.handler.manifest(&Case::repository(), &one.digest()).is_some(), "it is stored");
    world.delete(&one);
    assert_eq!(world.tagged(&tag), Some(index.digest()), "the subject is left alone");
}

/// distribution-spec, "Referrers Tag Schema": 32 characters of the algorithm, 64 of the rest.
#[test]
fn a_sha512_subject_has_a_fallback_tag_that_is_cut() {
    let mut world = World::new(|_| {});
    let long = Digest::of(Algorithm::Sha512, b"subject");
    let one = artifact("one", &long.to_string());
    world.push(&one).unwrap();
    let tag = format!("sha512-{}", &long.hex()[..64]);
    assert_eq!(entries(&world.under_tag(&tag).unwrap()), [one.digest()]);
    assert_eq!(world.list(long, None), [one.digest()]);
    let tags = &world.simulation.handler.registry.state.repositories[&Case::repository()].tags;
    assert_eq!(tags.keys().map(Tag::as_str).collect::<Vec<_>>(), [tag]);
}

#[test]
fn an_empty_list_goes_or_stays_empty() {
    for (status, is_left) in [(202, false), (405, true), (400, true)] {
        let mut world = World::new(|options| options.behaviour.listing.delete_tag = status);
        let (one, two) = (artifact("one", &subject().to_string()), artifact("two", &subject().to_string()));
        let tag = tag_of(subject());
        world.push(&one).unwrap();
        world.push(&two).unwrap();
        world.delete(&one);
        assert_eq!(entries(&world.under_tag(&tag).unwrap()), [two.digest()]);
        world.delete(&two);
        let left = world.under_tag(&tag);
        assert_eq!(left.is_some(), is_left, "{status}: {}", world.simulation.transcript());
        assert!(left.iter().all(|list| entries(list).is_empty()));
        // The list begins again.
        world.push(&one).unwrap();
        assert_eq!(entries(&world.under_tag(&tag).unwrap()), [one.digest()]);
    }
}

/// A registry gets a referrers API, or loses it: one and the same client finds every artifact where it must be looked for.
#[test]
fn a_registry_that_changes_its_mind_about_referrers() {
    let (one, two) = (artifact("one", &subject().to_string()), artifact("two", &subject().to_string()));
    let tag = tag_of(subject());
    let mut world = World::new(|_| {});
    world.push(&one).unwrap();
    assert!(world.under_tag(&tag).is_some());
    world.turn(ReferrersApi::On);
    world.push(&two).unwrap();
    let mut both = vec![one.digest(), two.digest()];
    both.sort();
    assert_eq!(world.list(subject(), None), both, "{}", world.simulation.transcript());

    let mut world = World::new(|options| options.behaviour.referrers.api = ReferrersApi::On);
    world.push(&one).unwrap();
    assert!(world.under_tag(&tag).is_none());
    world.turn(ReferrersApi::NotFound);
    world.push(&two).unwrap();
    let listed = world.under_tag(&tag);
    assert_eq!(listed.as_ref().map(entries), Some(vec![two.digest()]), "{}", world.simulation.transcript());
    assert_eq!(world.list(subject(), None), [two.digest()]);
}

#[test]
fn a_list_in_many_pages_is_read_to_its_end() {
    let mut world = World::new(|options| {
        options.behaviour.referrers.api = ReferrersApi::On;
        options.limits.page = 2;
    });
    let artifacts: Vec<Manifest> =
        ["a", "b", "c", "d", "e"].iter().map(|kind| artifact(kind, &subject().to_string())).collect();
    for artifact in &artifacts {
        world.push(artifact).unwrap();
    }
    let mut all: Vec<Digest> = artifacts.iter().map(Manifest::digest).collect();
    all.sort();
    let before = world.requests();
    assert_eq!(world.list(subject(), None), all);
    assert_eq!(world.requests() - before, 3);
    assert_eq!(world.list(subject(), Some("application/vnd.example.c")), [artifacts[2].digest()]);
    // Where the registry filters nothing, it is done here.
    world.simulation.handler.registry.options.behaviour.referrers.filter = false;
    assert_eq!(world.list(subject(), Some("application/vnd.example.c")), [artifacts[2].digest()]);
}
