//! The registry: its state and options.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use longshore_core::{Instant, Origin, Repository};

use crate::answer::Body;
#[cfg(feature = "server")]
use crate::auth::PasswordCheck;
use crate::auth::{Tokens, VerifiedPasswords};
use crate::fault::{FaultCounters, Faults, Struck};
use crate::judge::Judge;
use crate::options::RegistryOptions;
use crate::progress::{PendingRequest, RequestId};
use crate::random::Random;
use crate::refusal::Refusal;
use crate::state::State;
use crate::storage::{BlobBytes, Memory, Storage, StorageError};

/// The first second of 2026, in seconds since 1970.
const CALENDAR_START: Duration = Duration::from_secs(1_767_225_600);

/// A registry: state, behaviour and storage, without I/O.
///
/// A request comes in three steps. [`Registry::open`] takes its head and may answer at once; otherwise
/// [`Registry::piece`] takes the body piece by piece and may answer before it ends; [`Registry::close`] ends it. The
/// caller supplies the time. An earlier time than before counts as the time before.
pub struct Registry {
    /// Its content, its uploads and its tokens.
    pub state: State,
    /// Its options, which may be changed between requests.
    pub options: RegistryOptions,
    pub(crate) storage: Box<dyn Storage>,
    pub(crate) random: Random,
    pub(crate) now: Instant,
    pub(crate) tokens: Tokens,
    pub(crate) passwords: VerifiedPasswords,
    /// The judge of its clients.
    pub judge: Judge,
    /// The faults that have occurred so far, at most 100,000 of them.
    pub struck: Vec<Struck>,
    pub(crate) pending: BTreeMap<RequestId, PendingRequest>,
    pub(crate) requests: u64,
    /// The number of requests before the faults were set. Faults do not count these.
    pub(crate) faults_from: u64,
    /// The origins under which clients reach it. An answer names the one that its request came to.
    pub(crate) own_origins: Vec<Origin>,
    /// The one that the current request came to.
    pub(crate) asked_at: Option<Origin>,
    /// The earliest time at which an untagged manifest can expire; `None` if it must be computed.
    pub(crate) untagged_check: Option<Instant>,
    pub(crate) fault_counters: FaultCounters,
    /// The time at the instant 0, since 1970. Dates in answers are this plus the instant.
    pub(crate) calendar_start: Duration,
}

impl Registry {
    /// An empty registry that stores everything in memory.
    #[must_use]
    pub fn new(options: RegistryOptions) -> Self {
        Self::empty(options, Box::new(Memory::default()))
    }

    pub(crate) fn empty(options: RegistryOptions, storage: Box<dyn Storage>) -> Self {
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
            own_origins: Vec::new(),
            asked_at: None,
            untagged_check: None,
            fault_counters: FaultCounters::default(),
            calendar_start: CALENDAR_START,
        }
    }

    /// Sets the faults from now on. Their count of requests begins at the next one, and the record of faults that struck is emptied.
    pub fn inject_faults(&mut self, faults: Faults) {
        self.options.faults = faults;
        self.faults_from = self.requests;
        self.fault_counters = FaultCounters::default();
        self.struck.clear();
    }

    /// Sets the time at the instant 0, since 1970, from which the dates in answers are computed. The default is the beginning
    /// of 2026.
    pub fn set_calendar_start(&mut self, since_1970: Duration) {
        self.calendar_start = since_1970;
    }

    /// The number of requests so far.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Deletes everything: content, uploads, tokens, breaches and the record of faults that struck. The options stay, and
    /// ids and tokens are made from the seed as at the beginning.
    ///
    /// # Errors
    /// If the storage cannot be emptied.
    pub fn reset(&mut self) -> Result<(), StorageError> {
        self.storage.clear()?;
        self.state = State::default();
        self.random = Random::new(self.options.seed);
        self.tokens = Tokens::default();
        self.judge = Judge::default();
        self.pending.clear();
        self.requests = 0;
        self.untagged_check = None;
        let faults = std::mem::take(&mut self.options.faults);
        self.inject_faults(faults);
        Ok(())
    }

    /// Sets another seed, from which ids, signatures and tokens are made from now on.
    pub fn reseed(&mut self, seed: [u8; 32]) {
        self.options.seed = seed;
        self.random = Random::new(seed);
    }

    /// The slow check of the password in a request's head, which must be made before the request is opened.
    #[cfg(feature = "server")]
    pub(crate) fn unverified_head(&self, headers: &http::HeaderMap) -> Option<PasswordCheck> {
        self.passwords.unverified_head(self.options.auth.as_ref()?, headers)
    }

    /// The origin for the URLs in an answer: the own name that the current request used, or the configured origin.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.asked_at.as_ref().or(self.options.origin.as_ref())
    }

    /// Reads a whole body into memory.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn read(&self, body: &Body) -> Result<Bytes, StorageError> {
        let (digest, range) = match body {
            Body::Bytes(bytes) => return Ok(bytes.clone()),
            Body::Spaces(_) => {
                return body.spaces().ok_or_else(|| StorageError::Failed("a body is too long for memory".to_owned()));
            }
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

    /// Opens a blob, which is read in pieces while its answer is sent.
    ///
    /// # Errors
    /// If the storage does not have the blob, or fails.
    pub fn blob_bytes(&self, digest: &longshore_core::Digest) -> Result<Box<dyn BlobBytes>, StorageError> {
        self.storage.blob(digest)
    }

    /// Sets the time, and removes the uploads whose lifetime has passed.
    pub fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.tokens.advance(self.now);
        self.expire_untagged();
        for id in self.state.expired_uploads(self.now, self.options.limits.upload_lifetime) {
            self.storage.discard(&id);
        }
    }

    /// Whether one more repository may begin to exist.
    pub(crate) fn check_room(&self, repository: &Repository) -> Result<(), Refusal> {
        let known = &self.state.repositories;
        if known.len() >= self.options.limits.repositories && !known.contains_key(repository) {
            return Err(Refusal::limit("repositories", self.options.limits.repositories, "--max-repositories"));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("state", &self.state).field("now", &self.now).finish_non_exhaustive()
    }
}
