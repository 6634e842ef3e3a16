//! The options of a client.

use std::time::Duration;

use super::Limits;
use crate::auth::access::MAX_TRIES;
use crate::target::{MAX_REDIRECTS, Policy};

/// The options of a client. The defaults are safe, and are meant for pushes over the internet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The seed of all randomness, which is the jitter of retries. The same seed and inputs give the same outputs.
    /// Default 0.
    pub seed: u64,
    /// How many requests are in flight to one origin at most, at least 1. Default 32.
    ///
    /// Below this maximum the window of each origin adapts: it starts at 4 and doubles in each round trip until the
    /// origin is overloaded (429, 503, or an answer four times as slow as its fastest). Then it is halved, and grows by
    /// one in each round trip. Until an origin has answered once, one request is in flight to it.
    pub in_flight: usize,
    /// How many requests are in flight to all origins together at most, without counting the first one of each origin.
    /// Default 128. It takes precedence over [`in_flight`](Self::in_flight); free places are given to the origins in
    /// turn.
    pub in_flight_total: usize,
    /// How many requests with a body of more than 1 MiB are in flight to one origin at most, at least 1. Default 8. If
    /// the window is two or more, one place is always left for other requests.
    pub large_bodies: usize,
    /// How many blobs of unknown digest are open at once at most in all pushes, independent of the window, at least 1.
    /// Default 64. Each has an open upload and one chunk in memory. A producer that writes several blobs in turn needs
    /// as many. Pushes that wait to open one take turns.
    pub open_pipes: usize,
    /// How many attempts of a request are made before it fails, at least 1. Default 5.
    ///
    /// Not counted are answers that ask for a wait with `Retry-After`, and, for at most [`patience`](Self::patience), a
    /// 429 or 503 if the origin has served another request of the same kind since the one before.
    pub attempts: u32,
    /// The longest wait before the first retry. It doubles with each further retry. Default 200 milliseconds.
    pub backoff: Duration,
    /// The longest wait after the first 429 or 503 without `Retry-After`; the shortest is half of it. Default 1 second.
    /// Nothing is sent to that origin during the wait. It doubles with each further 429 or 503, until the origin serves
    /// a request.
    pub backoff_throttled: Duration,
    /// The longest wait that the client chooses itself. Default 20 seconds.
    pub backoff_limit: Duration,
    /// The longest `Retry-After` that is followed, inclusive. A longer one is an error at once. Default 5 minutes.
    pub retry_after_limit: Duration,
    /// How long an origin may only ask for waits (429 or 503 with `Retry-After`), before the requests that wait for it
    /// fail. The waits are added up. If it serves other requests meanwhile, a request of a row for which it has only
    /// asked for waits for as long fails with its answer. Default 15 minutes.
    pub patience: Duration,
    /// The retry budget of one origin. Default 500. A retry costs 14, and one after 429 or 503 costs 5; a success adds
    /// 1, and an empty budget is full again after ten minutes. What [`attempts`](Self::attempts) does not count costs
    /// nothing.
    pub retry_budget: u32,
    /// How long a driver should continue to poll after [`Output::Done`](crate::driver::Output::Done), at most, so that
    /// the client can cancel uploads that nothing uses any more. Default 5 seconds. The cleanup is complete when the
    /// client returns [`Output::Wait(None)`](crate::driver::Output::Wait).
    pub grace: Duration,
    /// How long the client relies on a registry's statement that content is in a repository. Default 1 hour.
    pub presence_for: Duration,
    /// For how many digests, in all repositories together, the client remembers whether they are in a repository.
    /// Default 1,000,000, about 100 bytes each. What a running push needs is kept even beyond this number.
    pub presence_entries: usize,
    /// Whether every push asks the registry about every blob and every child manifest that it was given, and sends
    /// again what the registry has lost. Default `false`.
    pub recheck: bool,
    /// For how many registries and other origins the client keeps state while it has no operation there. Default 1,024.
    pub registries: usize,
    /// The size of a chunk in bytes. A registry's minimum and maximum take precedence. Default 8 MiB.
    pub chunk: u64,
    /// Blobs of more bytes than this are sent in chunks, so that an interrupted upload continues where it was. Default
    /// [`u64::MAX`], which means never: one request for the whole blob is faster, and more registries support it.
    pub chunk_above: u64,
    /// Blobs of at most this many bytes are sent in one POST, if the registry is known to support it (`end-4b`).
    /// Default 4 MiB.
    pub single_post: u64,
    /// The client asks whether the registry has a blob before it sends one of more bytes than this. Default 4 MiB.
    /// Under a new tag it asks about the largest blob of a push whatever its size; with [`u64::MAX`] it asks about no
    /// blob.
    pub ask_above: u64,
    /// How many uploads may be started for one blob, at least 1. Default 5.
    pub sessions: u32,
    /// How long a limit on the size of a body is used, after a registry's refusal (413) has shown it. Default and
    /// maximum: one day.
    pub limits_for: Duration,
    /// Whether the client assumes that a repository which serves an image manifest has the manifest's blobs, and does
    /// not ask about them. Default `true`. Set it to `false` for a registry that stores manifests without checking
    /// their blobs ([quirk](crate::quirks) `missing-blob-not-checked`): the client cannot detect that before a blob is
    /// found to be missing.
    pub trust_manifests: bool,
    /// Whether layers of a non-distributable media type are pushed. Default `false`.
    pub push_nondistributable: bool,
    /// How many bytes of an error's body are kept at most. Default 64 KiB.
    pub error_body: usize,
    /// The largest manifest, index or page of a list that is read, in bytes. Default 4 MiB.
    pub manifest_body: usize,
    /// The largest answer of a token service that is read, in bytes. Default and maximum: 256 KiB.
    pub token_body: usize,
    /// How many pages a list may have at most. Default 1,000.
    pub pages: u32,
    /// How many tags a listed repository may have at most. Default 1,000,000.
    pub most_tags: usize,
    /// How many referrers a listed manifest may have at most. Default 10,000.
    pub most_referrers: usize,
    /// How many redirects one request follows at most. Default 5.
    pub redirects: usize,
    /// How often one request is repeated with other credentials at most. Default 2.
    pub logins: u32,
    /// Which origins a registry may send the client to.
    pub policy: Policy,
    /// What to do for a manifest with a subject if the registry has no referrers API.
    pub referrers: Referrers,
    /// The limits of one request, which the driver enforces.
    pub limits: Limits,
}

/// What to do for a manifest with a subject if the registry has no referrers API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Referrers {
    /// Update the list of referrers under the spec's fallback tag.
    #[default]
    Fallback,
    /// Fail with [`FailureKind::ReferrersForbidden`](crate::FailureKind::ReferrersForbidden), and write no tag.
    Forbid,
}

impl Default for Options {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            seed: 0,
            in_flight: 32,
            in_flight_total: 128,
            large_bodies: 8,
            open_pipes: 64,
            attempts: 5,
            backoff: Duration::from_millis(200),
            backoff_throttled: Duration::from_secs(1),
            backoff_limit: Duration::from_secs(20),
            retry_after_limit: Duration::from_secs(300),
            patience: Duration::from_secs(15 * 60),
            retry_budget: 500,
            grace: Duration::from_secs(5),
            presence_for: Duration::from_secs(3600),
            presence_entries: 1_000_000,
            recheck: false,
            registries: 1024,
            chunk: 8 * MIB,
            chunk_above: u64::MAX,
            single_post: 4 * MIB,
            ask_above: 4 * MIB,
            sessions: 5,
            limits_for: Duration::from_secs(24 * 3600),
            trust_manifests: true,
            push_nondistributable: false,
            error_body: 64 * 1024,
            manifest_body: 4 * 1024 * 1024,
            token_body: 256 * 1024,
            pages: 1000,
            most_tags: 1_000_000,
            most_referrers: 10_000,
            redirects: MAX_REDIRECTS,
            logins: MAX_TRIES,
            policy: Policy::default(),
            referrers: Referrers::Fallback,
            limits: Limits::default(),
        }
    }
}
