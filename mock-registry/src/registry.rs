//! The registry: head first, then the body in pieces, then the answer.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use longshore_core::Repository;

use crate::answer::{Answer, Body, Delivery, Row};
use crate::auth::{Tokens, VerifiedPasswords};
use crate::fault::{FaultEffect, FaultPlan, Struck, delivered};
use crate::judge::{Judge, JudgedRequest};
use crate::progress::{BodyEnd, Opened, PendingRequest, Progress, Receiver, RequestId, Step};
use crate::random::Random;
use crate::refusal::{Code, Refusal};
use crate::request::ParsedRequest;
use crate::state::State;
use crate::storage::{BlobBytes, Memory, Record, Storage, StorageError};
use crate::{Instant, RegistryOptions};

/// A registry: state, behaviour and storage, and no I/O of its own.
///
/// A request comes in three steps. [`Registry::open`] takes its head and may answer at once; otherwise
/// [`Registry::piece`] takes the body piece by piece and may answer before it ends; [`Registry::close`] ends it.
/// Time is what the caller says it is, and never runs backwards here.
pub struct Registry {
    /// What it knows.
    pub state: State,
    /// How it was set up. It may be changed between requests.
    pub options: RegistryOptions,
    pub(crate) storage: Box<dyn Storage>,
    pub(crate) random: Random,
    pub(crate) now: Instant,
    pub(crate) tokens: Tokens,
    pub(crate) passwords: VerifiedPasswords,
    /// What its clients did wrong.
    pub judge: Judge,
    /// The faults that struck so far, at most 100,000 of them.
    pub struck: Vec<Struck>,
    pending: BTreeMap<RequestId, PendingRequest>,
    pub(crate) requests: u64,
    /// How many requests there were before those that faults are counted by.
    pub(crate) faults_from: u64,
    pub(crate) requests_of: BTreeMap<Row, u64>,
}

impl Registry {
    /// An empty registry that keeps all in memory.
    #[must_use]
    pub fn new(options: RegistryOptions) -> Self {
        Self::empty(options, Box::new(Memory::default()))
    }

    /// A registry that has what the storage has.
    ///
    /// # Errors
    /// Where the storage cannot be read.
    pub fn with_storage(options: RegistryOptions, mut storage: Box<dyn Storage>) -> Result<Self, StorageError> {
        let records = storage.load()?;
        let mut registry = Self::empty(options, storage);
        for record in records {
            registry.restore(record);
        }
        for contents in registry.state.repositories.values_mut() {
            contents.tags.retain(|_, digest| contents.manifests.contains_key(digest));
        }
        Ok(registry)
    }

    fn empty(options: RegistryOptions, storage: Box<dyn Storage>) -> Self {
        let random = Random::new(options.seed);
        Self {
            state: State::default(),
            options,
            storage,
            random,
            now: Instant::default(),
            tokens: Tokens::default(),
            passwords: VerifiedPasswords::default(),
            judge: Judge::default(),
            struck: Vec::new(),
            pending: BTreeMap::new(),
            requests: 0,
            faults_from: 0,
            requests_of: BTreeMap::new(),
        }
    }

    fn restore(&mut self, record: Record) {
        let visible_from = self.now;
        match record {
            Record::Blob { repository, digest, size } => {
                self.state.contents(&repository).blobs.insert(digest, crate::state::Blob { size, visible_from });
            }
            Record::Manifest { repository, digest, content: (media_type, bytes) } => {
                let stored = crate::manifests::restore(media_type, bytes);
                self.state.contents(&repository).manifests.insert(digest, stored);
            }
            Record::Tag { repository, tag, digest } => {
                self.state.contents(&repository).tags.insert(tag, digest);
            }
        }
    }

    /// Has this go wrong from now on: requests are counted from here, and what struck so far is forgotten.
    pub fn inject_faults(&mut self, faults: FaultPlan) {
        self.options.faults = faults;
        self.faults_from = self.requests;
        self.requests_of.clear();
        self.struck.clear();
    }

    /// Makes ids, signatures and tokens from another seed from now on.
    pub fn reseed(&mut self, seed: [u8; 32]) {
        self.options.seed = seed;
        self.random = Random::new(seed);
    }

    /// Takes the head of a request.
    pub fn open(&mut self, now: Instant, head: Parts) -> Opened {
        self.advance(now);
        let method = head.method.clone();
        let mut request = match self.parse(head) {
            Ok(request) => request,
            Err(refusal) => return Opened::Answer(self.sent(&method, self.refused(Row::Other, refusal))),
        };
        let effect = match self.strike(&request) {
            Ok(effect) => effect,
            Err(answer) => return Opened::Answer(self.sent(&method, answer)),
        };
        let judged = JudgedRequest::of(self.requests, &request);
        self.judge_head(&judged, &request);
        let begun = self.check_origin(&request).and_then(|()| {
            request.caller = self.authorize(&request, effect.token_expired)?;
            self.begin(&request, &effect)
        });
        let answer = match begun {
            Ok(Step::Answer(answer)) => answer,
            Ok(Step::Receive(receiver)) => {
                let id = RequestId(self.requests);
                self.pending.insert(
                    id,
                    PendingRequest { judged, effect, received: 0, receiver, good_until: request.caller.good_until },
                );
                return Opened::Body(id);
            }
            Err(refusal) => self.refused(request.row, refusal),
        };
        Opened::Answer(self.leave(&judged, &method, answer, effect.delivery))
    }

    /// Takes the next piece of a body.
    pub fn piece(&mut self, id: RequestId, bytes: &Bytes) -> Progress {
        let Some(mut pending) = self.pending.remove(&id) else { return Progress::Answer(self.over()) };
        let allowed = pending.effect.body_cut.unwrap_or(u64::MAX).saturating_sub(pending.received);
        let taken = bytes.slice(..bytes.len().min(usize::try_from(allowed).unwrap_or(usize::MAX)));
        pending.received = pending.received.saturating_add(taken.len() as u64);
        let done = match &mut pending.receiver {
            Receiver::Upload(writing) => self.take_upload(writing, &taken),
            Receiver::Manifest(receiving) => self.take_manifest(receiving, &taken),
            Receiver::Token(asking) => asking.take(&taken),
        };
        if let Err(refusal) = done {
            return Progress::Answer(self.last(&pending.judged, pending.effect.delivery, Err(refusal)));
        }
        if taken.len() < bytes.len() {
            return Progress::Answer(self.end(pending, BodyEnd::Cut));
        }
        self.pending.insert(id, pending);
        Progress::More
    }

    /// Ends a body, and answers. The answer to a body that was cut can reach nobody; it says what would be said.
    pub fn close(&mut self, now: Instant, id: RequestId, how: BodyEnd) -> Answer {
        self.advance(now);
        match self.pending.remove(&id) {
            Some(pending) => self.end(pending, how),
            None => self.over(),
        }
    }

    fn end(&mut self, pending: PendingRequest, how: BodyEnd) -> Answer {
        let PendingRequest { mut judged, mut effect, receiver, good_until, .. } = pending;
        let late = self.options.behaviour.auth.checked_at_end && good_until.is_some_and(|until| until <= self.now);
        let how = if late { BodyEnd::Cut } else { how };
        if effect.body_cut.is_some() {
            // The body was no longer than the cut is late: all came, and then the connection was lost.
            effect.delivery = Delivery::Lost;
        }
        let done = match receiver {
            Receiver::Upload(writing) => self.finish_upload(&writing, how),
            Receiver::Manifest(receiving) => self.finish_manifest(receiving, how, effect.blobs_hidden, &mut judged),
            Receiver::Token(asking) => self.finish_token(&asking, how),
        };
        let done = if late { Err(self.ended_too_late()) } else { done };
        self.last(&judged, effect.delivery, done)
    }

    /// The answer to a request with a body.
    fn last(&mut self, judged: &JudgedRequest, delivery: Delivery, done: Result<Answer, Refusal>) -> Answer {
        let answer = done.unwrap_or_else(|refusal| self.refused(judged.row, refusal));
        self.leave(judged, &judged.row.method_of_body(), answer, delivery)
    }

    /// An answer on its way out.
    fn leave(&mut self, judged: &JudgedRequest, method: &Method, answer: Answer, delivery: Delivery) -> Answer {
        let answer = delivered(self.sent(method, answer), delivery);
        self.learn(judged, &answer);
        answer
    }

    /// All three steps at once, for a request and an answer that fit in memory.
    pub fn answer(&mut self, now: Instant, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let answer = match self.open(now, head) {
            Opened::Answer(answer) => answer,
            Opened::Body(id) => match self.piece(id, &body) {
                Progress::Answer(answer) => answer,
                Progress::More => self.close(now, id, BodyEnd::Complete),
            },
        };
        self.response(answer)
    }

    /// An answer with its body read into memory.
    #[must_use]
    pub fn response(&self, answer: Answer) -> Response<Bytes> {
        let (status, headers, body) = (answer.status, answer.headers, self.read(&answer.body));
        let mut response = Response::new(body.unwrap_or_default());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// Reads a whole body into memory.
    ///
    /// # Errors
    /// Where the storage fails.
    pub fn read(&self, body: &Body) -> Result<Bytes, StorageError> {
        let (digest, range) = match body {
            Body::Bytes(bytes) => return Ok(bytes.clone()),
            Body::Blob { digest, range } => (digest, range),
        };
        let mut blob = self.blob_bytes(digest)?;
        let mut all = BytesMut::new();
        let mut at = range.start;
        while at < range.end {
            let piece = blob.read(at, usize::try_from(range.end - at).unwrap_or(usize::MAX))?;
            if piece.is_empty() {
                return Err(StorageError::Missing(format!("{digest} from byte {at}")));
            }
            at += piece.len() as u64;
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    /// Opens a blob to be read piece by piece, as the answer that names it is delivered.
    ///
    /// # Errors
    /// Where the storage has no such blob, or fails.
    pub fn blob_bytes(&self, digest: &longshore_core::Digest) -> Result<Box<dyn BlobBytes>, StorageError> {
        self.storage.blob(digest)
    }

    /// Lets time pass: uploads that lay too long are gone.
    pub fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.tokens.advance(self.now);
        self.expire_untagged();
        let (now, lifetime) = (self.now, self.options.limits.upload_lifetime);
        let storage = &mut self.storage;
        self.state.uploads.retain(|id, upload| {
            let alive = upload.busy || upload.touched.after(lifetime) > now;
            if !alive {
                storage.discard(id);
            }
            alive
        });
    }

    fn begin(&mut self, request: &ParsedRequest, effect: &FaultEffect) -> Result<Step, Refusal> {
        if self.pending.len() >= self.options.limits.pending {
            let message = "too many requests are on their way in";
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, Code::TooManyRequests, message));
        }
        self.dispatch(request, effect)
    }

    /// For a caller that goes on with a request which is over.
    fn over(&self) -> Answer {
        self.refused(Row::Other, Refusal::bad_request(Code::Unknown, "this request is over"))
    }

    /// Whether one more repository may begin to exist.
    pub(crate) fn check_room(&self, repository: &Repository) -> Result<(), Refusal> {
        let known = &self.state.repositories;
        if known.len() >= self.options.limits.repositories && !known.contains_key(repository) {
            return Err(StorageError::Full.into());
        }
        Ok(())
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("state", &self.state).field("now", &self.now).finish_non_exhaustive()
    }
}
