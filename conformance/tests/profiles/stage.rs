//! A registry that plays a profile, and pushes to it, each by a client that knows nothing yet.

use std::time::Duration;

use bytes::Bytes;
use longshore_conformance::Mock;
use longshore_conformance::quirk::spec_true;
use longshore_core::auth::Credentials;
use longshore_core::{Blob, Client, Digest, Failure, Manifest, Options, Push, Pushed, Receipt, Repository, Secret};
use longshore_memory::{Simulation, Source};
use longshore_mock_registry::Behaviour;
use longshore_mock_registry::auth::Password;
use longshore_mock_registry::profile::Profile;
use longshore_mock_registry::report::Level;

use crate::images::Content;

pub(crate) struct Stage {
    registry: Mock,
    pub(crate) transcript: String,
}

impl Stage {
    /// A registry with one user, who may do everything.
    pub(crate) fn new(profile: &str) -> Self {
        let profile = Profile::named(profile).unwrap();
        let mut options = profile.options();
        let spec = spec_true();
        (options.origin, options.storage) = (spec.origin, spec.storage);
        options.auth = Some(profile.auth().user("suite", Password::plain("canary"), "*=*".parse().unwrap()));
        Self { registry: Mock::new(options), transcript: String::new() }
    }

    pub(crate) fn behaviour(&self) -> &Behaviour {
        &self.registry.registry.options.behaviour
    }

    /// Pushes a manifest with those that it lists, and blobs; with a source to mount from, to another repository.
    pub(crate) fn push(
        &mut self,
        tag: &str,
        root: &Manifest,
        children: &[&Manifest],
        contents: &[Content],
        from: Option<&str>,
    ) -> Result<Pushed, Box<Failure>> {
        let repository = repository(from);
        let mut push = Push::new("registry.example".parse().unwrap(), repository).tag(tag.parse().unwrap());
        let mut sources = Vec::new();
        for (key, content) in contents.iter().enumerate() {
            let blob = Blob::known(key, content.digest(), content.bytes.len() as u64);
            push = push.blob(match from {
                Some(from) => blob.mount_from(from.parse::<Repository>().unwrap()),
                None => blob,
            });
            sources.push((key, Source::bytes(content.bytes.clone())));
        }
        push = children.iter().fold(push, |push, child| push.manifest((*child).clone()));
        self.run(push.root(root.clone()), sources)
    }

    fn run(&mut self, push: Push<usize>, sources: Vec<(usize, Source)>) -> Result<Pushed, Box<Failure>> {
        let mut options = Options::default();
        options.chunk = 5 << 20;
        options.chunk_above = 5 << 20;
        let mut client = Client::new(options);
        let mut registry = std::mem::replace(&mut self.registry, Mock::new(spec_true()));
        registry.begin_later(Duration::from_secs(60));
        let simulation = Simulation::new(11, registry).credentials(|_, _, _| {
            Ok(Some(Credentials::Basic { user: "suite".to_owned(), password: Secret::new("canary".to_owned()) }))
        });
        let mut simulation =
            sources.into_iter().fold(simulation, |simulation, (key, source)| simulation.source(key, source));
        let operation = client.start(push);
        let result = simulation.run(&mut client, operation);
        self.transcript = simulation.transcript().to_string();
        self.registry = simulation.handler;
        result.map(|receipt| match receipt {
            Receipt::Pushed(pushed) => pushed,
            other => panic!("a push came to {other:?}"),
        })
    }

    /// Checks how a push ended: refused with this status, or with a tag that names the manifest.
    pub(crate) fn ended(&self, result: Result<Pushed, Box<Failure>>, refused: Option<u16>, root: &Manifest, tag: &str) {
        match (result, refused) {
            (Ok(_), None) => {
                let named = self.registry.tagged(&repository(None), &tag.parse().unwrap());
                assert_eq!(named, Some(root.digest()), "{}", self.transcript);
            }
            (Err(failure), Some(status)) => {
                let given = failure.refused().map(|refused| refused.status.as_u16());
                assert_eq!(given, Some(status), "{failure}\n{}", self.transcript);
            }
            (Ok(_), Some(status)) => panic!("it was to be refused with {status}\n{}", self.transcript),
            (Err(failure), None) => panic!("{failure}\n{}", self.transcript),
        }
    }

    /// The manifest that a tag names.
    pub(crate) fn tagged(&self, tag: &str) -> Option<Bytes> {
        let digest: Digest = self.registry.tagged(&repository(None), &tag.parse().unwrap())?;
        self.registry.manifest(&repository(None), &digest)
    }

    /// What the client did that the spec forbids.
    pub(crate) fn must_breaches(&self) -> Vec<String> {
        let judge = &self.registry.registry.judge;
        judge.at_least(Level::Must).map(ToString::to_string).collect()
    }
}

fn repository(from: Option<&str>) -> Repository {
    if from.is_some() { "library/mounted" } else { "library/app" }.parse().unwrap()
}
