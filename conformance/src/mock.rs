//! The mock registry as the peer of a simulation.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use longshore_core::{Digest, Instant, Repository, Tag};
use longshore_memory::{ExchangeId, Fault, Handler, Reply};
use longshore_mock_registry as mock;

/// The mock registry, and a record of what changed in it.
#[derive(Debug)]
pub struct Mock {
    /// The registry. Its state can be read and changed.
    pub registry: mock::Registry,
    /// Every change of a tag, in order. Tags of lists of referrers are left out.
    pub tag_changes: Vec<TagChange>,
    /// The time of the last request.
    now: mock::Instant,
    /// The time at which the present simulation began.
    began: mock::Instant,
    open: BTreeMap<ExchangeId, (mock::RequestId, bool)>,
}

/// A tag was created, or moved to another manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagChange {
    /// The repository.
    pub repository: Repository,
    /// The tag.
    pub tag: Tag,
    /// The manifest that it names now.
    pub digest: Digest,
}

impl Mock {
    /// An empty registry with these options.
    #[must_use]
    pub fn new(options: mock::RegistryOptions) -> Self {
        Self::around(mock::Registry::new(options))
    }

    /// The registry, after all open requests were aborted.
    #[must_use]
    pub fn broken_off(mut self) -> mock::Registry {
        for (exchange, _) in std::mem::take(&mut self.open).into_values() {
            self.registry.close(self.now, exchange, mock::BodyEnd::Cut);
        }
        self.registry
    }

    /// Takes over a registry with its content.
    #[must_use]
    pub fn around(registry: mock::Registry) -> Self {
        Self {
            registry,
            tag_changes: Vec::new(),
            now: mock::Instant::default(),
            began: mock::Instant::default(),
            open: BTreeMap::new(),
        }
    }

    /// Begins another simulation, whose time starts at zero, this long after the last request.
    pub fn begin_later(&mut self, later: Duration) {
        self.began = self.now + later;
    }

    /// A time of the simulation, as the registry's time.
    fn time(&self, now: Instant) -> mock::Instant {
        self.began + Duration::from_micros(now.as_micros())
    }

    /// The answer to a request without faults on the way.
    pub fn ask(&mut self, method: Method, path_and_query: &str, body: impl Into<Bytes>) -> Response<Bytes> {
        let mut request = Request::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = path_and_query.parse().expect("the suite asks for what is a path");
        self.registry.answer(self.now, request).expect("nothing happens to what the suite itself asks")
    }

    /// The answer that a registry without quirks would give.
    pub fn ask_plainly(&mut self, method: Method, path_and_query: &str, body: impl Into<Bytes>) -> Response<Bytes> {
        let behaviour = std::mem::take(&mut self.registry.options.behaviour);
        let auth = self.registry.options.auth.take();
        let page = std::mem::replace(&mut self.registry.options.limits.page, usize::MAX);
        let faults = std::mem::take(&mut self.registry.options.faults);
        let answer = self.ask(method, path_and_query, body);
        self.registry.options.behaviour = behaviour;
        self.registry.options.auth = auth;
        self.registry.options.limits.page = page;
        self.registry.options.faults = faults;
        answer
    }

    /// Stores a blob in a repository, as if another client had pushed it.
    ///
    /// # Panics
    /// If the registry refuses it.
    pub fn put_blob(&mut self, repository: &Repository, digest: &Digest, bytes: &Bytes) {
        let opened = self.ask_plainly(Method::POST, &format!("/v2/{repository}/blobs/uploads/"), Bytes::new());
        let location = opened.headers()["location"].to_str().expect("a location is text").to_owned();
        let separator = if location.contains('?') { '&' } else { '?' };
        let path = format!("{location}{separator}digest={digest}");
        let stored = self.ask_plainly(Method::PUT, &path, bytes.clone());
        assert_eq!(stored.status(), StatusCode::CREATED, "{stored:?}");
    }

    /// The bytes of a stored blob.
    #[must_use]
    pub fn blob(&self, repository: &Repository, digest: &Digest) -> Option<Bytes> {
        let size = self.registry.state.repositories.get(repository)?.blobs.get(digest)?.size;
        self.registry.read(&mock::Body::Blob { digest: *digest, range: 0..size }).ok()
    }

    /// The bytes of a stored manifest.
    #[must_use]
    pub fn manifest(&self, repository: &Repository, digest: &Digest) -> Option<Bytes> {
        Some(self.registry.state.repositories.get(repository)?.manifests.get(digest)?.bytes.clone())
    }

    /// The digest that a tag names.
    #[must_use]
    pub fn tagged(&self, repository: &Repository, tag: &Tag) -> Option<Digest> {
        self.registry.state.repositories.get(repository)?.tags.get(tag).copied()
    }

    /// The answer with its body, and the fault with which the registry delivers it.
    fn reply(&self, answer: mock::Answer) -> Reply {
        let fault = match answer.delivery {
            mock::Delivery::Whole => match answer.pace.delay(answer.body.len()) {
                0 => None,
                micros => Some(Fault::Slow(Duration::from_micros(micros))),
            },
            mock::Delivery::CutAfter(bytes) => Some(Fault::AnswerCut(usize::try_from(bytes).unwrap_or(usize::MAX))),
            mock::Delivery::NotSent
            | mock::Delivery::Lost
            | mock::Delivery::Reset
            | mock::Delivery::HeadCut(_)
            | mock::Delivery::Garbage => Some(Fault::AnswerLost),
        };
        Reply { answer: self.registry.response(answer), fault }
    }

    fn tags(&self) -> BTreeMap<(Repository, Tag), Digest> {
        let repositories = &self.registry.state.repositories;
        let tags = repositories.iter().flat_map(|(repository, contents)| {
            contents.tags.iter().map(|(tag, digest)| ((repository.clone(), tag.clone()), *digest))
        });
        tags.filter(|((_, tag), _)| !is_of_referrers(tag)).collect()
    }

    fn note_tags(&mut self, before: &BTreeMap<(Repository, Tag), Digest>) {
        for ((repository, tag), digest) in self.tags() {
            if before.get(&(repository.clone(), tag.clone())) != Some(&digest) {
                self.tag_changes.push(TagChange { repository, tag, digest });
            }
        }
    }
}

impl Handler for Mock {
    fn open(&mut self, now: Instant, id: ExchangeId, head: Parts) -> Option<Reply> {
        let is_manifest = head.method == Method::PUT && head.uri.path().contains("/manifests/");
        self.now = self.time(now);
        match self.registry.open(self.now, head) {
            mock::Opened::Body(exchange) => {
                self.open.insert(id, (exchange, is_manifest));
                None
            }
            mock::Opened::Answer(answer) => Some(self.reply(answer)),
        }
    }

    fn piece(&mut self, _: Instant, id: ExchangeId, bytes: Bytes) -> Option<Reply> {
        let (exchange, _) = *self.open.get(&id)?;
        match self.registry.piece(exchange, &bytes) {
            mock::Progress::More => None,
            mock::Progress::Answer(answer) => Some(self.reply(answer)),
        }
    }

    fn close(&mut self, now: Instant, id: ExchangeId, how: longshore_memory::BodyEnd) -> Reply {
        let how = match how {
            longshore_memory::BodyEnd::Complete => mock::BodyEnd::Complete,
            longshore_memory::BodyEnd::Cut => mock::BodyEnd::Cut,
        };
        self.now = self.time(now);
        let (exchange, is_manifest) = self.open.remove(&id).expect("only what was opened is closed");
        let before = is_manifest.then(|| self.tags());
        let answer = self.registry.close(self.now, exchange, how);
        if let Some(before) = before {
            self.note_tags(&before);
        }
        self.reply(answer)
    }
}

/// Whether a tag names a list of referrers, which changes with each referrer.
fn is_of_referrers(tag: &Tag) -> bool {
    tag.as_str().starts_with("sha256-") || tag.as_str().starts_with("sha512-")
}
