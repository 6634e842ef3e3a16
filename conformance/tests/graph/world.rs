//! Images written by hand, pushed to a registry whose state is in the open.

use bytes::Bytes;
use http::Method;
use longshore_conformance::quirk::spec_true;
use longshore_conformance::{Case, Key, Mock};
use longshore_core::{
    Algorithm, Blob, Client, Descriptor, Digest, Event, Failure, Learned, Manifest, MediaType, Options, Push, Pushed,
    Receipt,
};
use longshore_memory::{Said, Simulation, Source, Step, Transcript};
use longshore_mock_registry as mock;
use serde_json::{Value, json};

/// A layer that anybody may distribute.
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// One that its maker forbids to distribute.
pub(crate) const FOREIGN: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";

/// The descriptor of these bytes.
pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    let media_type: MediaType = media_type.parse().unwrap();
    Descriptor::new(media_type, Digest::of(Algorithm::Sha256, bytes), bytes.len() as u64)
}

/// An image of these layers, each by its type and content; its config is `{}`.
pub(crate) fn image(layers: &[(&str, &[u8])], more: &[(&str, Value)]) -> Manifest {
    let layers: Vec<Descriptor> = layers.iter().map(|(kind, bytes)| descriptor(kind, bytes)).collect();
    let document = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", b"{}"),
        "layers": layers,
    });
    finished(document, more)
}

/// An index of these entries.
pub(crate) fn index(entries: &[Descriptor], more: &[(&str, Value)]) -> Manifest {
    let document = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": entries,
    });
    finished(document, more)
}

fn finished(mut document: Value, more: &[(&str, Value)]) -> Manifest {
    for (field, value) in more {
        document[*field] = value.clone();
    }
    Manifest::parse(document.to_string()).unwrap()
}

/// A client, and what it pushes from.
pub(crate) struct World {
    pub(crate) registry: Mock,
    pub(crate) client: Client<Key>,
    sources: Vec<Source>,
}

/// What came of a push.
pub(crate) struct Came {
    pub(crate) result: Result<Pushed, Box<Failure>>,
    pub(crate) transcript: Transcript<Key>,
    pub(crate) events: Vec<Event<Key>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(spec_true(), |_| {})
    }

    pub(crate) fn with(registry: mock::RegistryOptions, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        change(&mut options);
        Self { registry: Mock::new(registry), client: Client::new(options), sources: Vec::new() }
    }

    pub(crate) fn teach(mut self, learn: impl FnOnce(&mut Learned)) -> Self {
        let mut learned = Learned::default();
        learn(&mut learned);
        self.client.teach(&Case::registry(), learned);
        self
    }

    /// A blob of these bytes, under a key of its own.
    pub(crate) fn blob(&mut self, bytes: &[u8]) -> Blob<Key> {
        self.sources.push(Source::bytes(Bytes::copy_from_slice(bytes)));
        let digest = Digest::of(Algorithm::Sha256, bytes);
        Blob::known(Key(self.sources.len() - 1), digest, bytes.len() as u64)
    }

    /// A blob of these bytes that comes out of a pipe.
    pub(crate) fn pipe(&mut self, bytes: &[u8]) -> Blob<Key> {
        self.sources.push(Source::bytes(Bytes::copy_from_slice(bytes)).one_shot(Algorithm::Sha256));
        Blob::unknown(Key(self.sources.len() - 1), Algorithm::Sha256)
    }

    /// Pushes a manifest under `v0`, with its config and these blobs.
    pub(crate) fn push(&mut self, root: &Manifest, others: &[&Manifest], blobs: &[&[u8]]) -> Came {
        let mut push = self.empty().tag("v0".parse().unwrap());
        for bytes in blobs {
            push = push.blob(self.blob(bytes));
        }
        let push = others.iter().fold(push, |push, other| push.manifest((*other).clone()));
        self.run(push.root(root.clone()))
    }

    pub(crate) fn empty(&self) -> Push<Key> {
        Push::new(Case::registry(), Case::repository())
    }

    /// Runs a push to its end.
    pub(crate) fn run(&mut self, push: Push<Key>) -> Came {
        let registry = std::mem::replace(&mut self.registry, Mock::new(spec_true()));
        let simulation = Simulation::new(4, registry);
        let sources = self.sources.iter().enumerate();
        let mut simulation =
            sources.fold(simulation, |simulation, (number, source)| simulation.source(Key(number), source.clone()));
        let id = self.client.start(push);
        let (mut events, mut result) = (Vec::new(), None);
        loop {
            match simulation.step(&mut self.client) {
                Step::Worked => {}
                Step::Event(event) => events.push(event),
                Step::Done { operation, result: ended } => {
                    assert_eq!(operation, id);
                    result = Some(ended);
                }
                Step::Idle => break,
            }
        }
        let result = result.expect("it hangs").map(|receipt| match receipt {
            Receipt::Pushed(pushed) => pushed,
            other => panic!("a push came to {other:?}"),
        });
        let transcript = simulation.transcript().clone();
        self.registry = simulation.handler;
        Came { result, transcript, events }
    }

    /// Whether the repository has this blob.
    pub(crate) fn has(&self, bytes: &[u8]) -> bool {
        self.registry.blob(&Case::repository(), &Digest::of(Algorithm::Sha256, bytes)).is_some()
    }

    /// Takes a blob out of it.
    pub(crate) fn lose(&mut self, bytes: &[u8]) {
        let contents = self.registry.registry.state.repositories.get_mut(&Case::repository()).unwrap();
        assert!(contents.blobs.remove(&Digest::of(Algorithm::Sha256, bytes)).is_some());
    }
}

impl Came {
    pub(crate) fn ok(&self) -> &Pushed {
        self.result.as_ref().unwrap_or_else(|failure| panic!("{failure}\n{}", self.transcript))
    }

    /// Method and path with query of all requests, in order, after the name of the repository.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.transcript.entries.iter().filter_map(|entry| match &entry.what {
            Said::Asked { head, .. } => {
                let uri = head.uri.to_string().replace("%3A", ":");
                let path = uri.split_once("/library/app/").map_or(uri.as_str(), |(_, path)| path).to_owned();
                Some(format!("{} {path}", head.method))
            }
            _ => None,
        });
        asked.collect()
    }

    /// The requests of this method whose path and query has this in it.
    pub(crate) fn count(&self, method: &Method, part: &impl ToString) -> usize {
        let part = part.to_string();
        let start = format!("{method} ");
        self.asked().iter().filter(|asked| asked.starts_with(&start) && asked.contains(&part)).count()
    }

    /// Where the first request of this method with this in its path and query stands among all.
    pub(crate) fn place(&self, method: &Method, part: &impl ToString) -> usize {
        let part = part.to_string();
        let start = format!("{method} ");
        let place = self.asked().iter().position(|asked| asked.starts_with(&start) && asked.contains(&part));
        place.unwrap_or_else(|| panic!("no {method} of {part}\n{}", self.transcript))
    }
}
