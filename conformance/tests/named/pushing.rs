//! A push through somebody who may answer in the registry's place.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use longshore_conformance::{Case, Image, Key, flow};
use longshore_core::auth::Credentials;
use longshore_core::{Blob, Client, Failure, Learned, Options, Push, Pushed, Receipt, Secret, Tag};
use longshore_memory::{Said, Schedule, Simulation, Source, Transcript, Whole};
use longshore_mock_registry as mock;

/// A push of an image, through somebody who may answer in the registry's place.
pub(crate) struct Pushing {
    pub(crate) image: Image,
    pub(crate) tags: Vec<Tag>,
    pub(crate) options: Options,
    pub(crate) registry: mock::Registry,
    pub(crate) faults: Schedule,
    pub(crate) mounts: bool,
    /// Whether its sources can be read only once.
    pub(crate) once: bool,
    pub(crate) learned: Learned,
}

/// What came of it.
pub(crate) struct Came {
    pub(crate) result: Result<Pushed, Box<Failure>>,
    pub(crate) transcript: Transcript<Key>,
    pub(crate) registry: mock::Registry,
    pub(crate) learned: Learned,
}

impl Pushing {
    /// A config of 20 bytes and layers of 90 and of 40, in chunks of 32 where it has to be.
    pub(crate) fn new(registry: mock::RegistryOptions) -> Self {
        let mut plan = flow::all().into_iter().find(|flow| flow.name == "POST and PUT").unwrap().case.plan;
        plan.blobs[2].len = 40;
        let mut options = Options::default();
        (options.chunk, options.ask_above, options.single_post, options.in_flight) = (32, 32, 0, 1);
        Self {
            image: Image::of(&plan),
            tags: vec!["v0".parse().unwrap()],
            options,
            registry: mock::Registry::new(registry),
            faults: Schedule::default(),
            mounts: false,
            once: false,
            learned: Learned::default(),
        }
    }

    pub(crate) fn run(self, mut instead: impl FnMut(&Request<Bytes>) -> Option<Response<Bytes>>) -> Came {
        let shared = Rc::new(RefCell::new(self.registry));
        let door = Rc::clone(&shared);
        let handler = Whole::new(move |now, request: Request<Bytes>| match instead(&request) {
            Some(answer) => answer,
            None => door.borrow_mut().answer(mock::Instant::from_micros(now.as_micros()), request).unwrap(),
        });
        let mut push = Push::new(Case::registry(), Case::repository());
        let mut simulation = Simulation::new(3, handler).faults(self.faults).credentials(|_, _, _| {
            let password = Secret::new("password".to_owned());
            Ok(Some(Credentials::Basic { user: "user".to_owned(), password }))
        });
        for (number, blob) in self.image.blobs.iter().enumerate() {
            let (key, len, source) = (Key(number), blob.bytes.len() as u64, Source::bytes(blob.bytes.clone()));
            let (blob, source) = if self.once {
                (Blob::read_once(key, blob.digest, len), source.one_shot(blob.digest.algorithm()))
            } else {
                (Blob::known(key, blob.digest, len), source)
            };
            push = push.blob(if self.mounts { blob.mount_from(Case::elsewhere()) } else { blob });
            simulation = simulation.source(key, source);
        }
        push = self.image.manifests.iter().cloned().fold(push, Push::manifest).root(self.image.root.clone());
        push = self.tags.into_iter().fold(push, Push::tag);
        let mut client = Client::new(self.options);
        client.teach(&Case::registry(), self.learned);
        let id = client.start(push);
        let result = simulation.run(&mut client, id).map(|receipt| match receipt {
            Receipt::Pushed(pushed) => pushed,
            other => panic!("a push came to {other:?}"),
        });
        let transcript = simulation.transcript().clone();
        drop(simulation);
        let registry = Rc::into_inner(shared).expect("the simulation is over").into_inner();
        Came { result, transcript, registry, learned: client.learned(&Case::registry()).unwrap().clone() }
    }

    /// Puts all of its blobs into a repository.
    pub(crate) fn with_blobs_in(mut self, repository: &str) -> Self {
        for blob in &self.image.blobs {
            let mut ask = |method, path: String, body: Bytes| {
                let request = Request::builder().method(method).uri(path).body(body).unwrap();
                let behaviour = std::mem::take(&mut self.registry.options.behaviour);
                let auth = self.registry.options.auth.take();
                let answer = self.registry.answer(mock::Instant::default(), request).unwrap();
                (self.registry.options.behaviour, self.registry.options.auth) = (behaviour, auth);
                answer
            };
            let opened = ask(Method::POST, format!("/v2/{repository}/blobs/uploads/"), Bytes::new());
            let location = opened.headers()["location"].to_str().unwrap().to_owned();
            let separator = if location.contains('?') { '&' } else { '?' };
            let stored = ask(Method::PUT, format!("{location}{separator}digest={}", blob.digest), blob.bytes.clone());
            assert_eq!(stored.status(), StatusCode::CREATED);
        }
        self
    }
}

impl Came {
    /// The receipt, where all of the image stands.
    pub(crate) fn stands(&self, image: &Image) -> Pushed {
        let pushed = self.result.as_ref().unwrap_or_else(|failure| panic!("{failure}\n{}", self.transcript));
        let contents = &self.registry.state.repositories[&Case::repository()];
        for blob in &image.blobs {
            assert!(contents.blobs.contains_key(&blob.digest), "{} is missing\n{}", blob.digest, self.transcript);
        }
        assert!(contents.manifests.contains_key(&image.root.digest()));
        pushed.clone()
    }

    /// The requests of this method whose path and query has `part` in it.
    pub(crate) fn asked(&self, method: &Method, part: &str) -> Vec<String> {
        let asked = self.transcript.entries.iter().filter_map(|entry| match &entry.what {
            Said::Asked { head, .. } if head.method == method => Some(head.uri.to_string()),
            _ => None,
        });
        asked.filter(|uri| uri.contains(part)).collect()
    }
}

pub(crate) fn answer(status: u16, body: &'static str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
}

pub(crate) fn is_blob_put(request: &Request<Bytes>) -> bool {
    request.method() == Method::PUT && request.uri().path().contains("/blobs/")
}
