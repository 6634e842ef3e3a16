//! How a client behaves where there is a choice.

use std::time::Duration;

use super::Limits;
use crate::auth::access::MAX_TRIES;
use crate::target::{MAX_REDIRECTS, Policy};

/// How a client behaves. The defaults are safe, and suit a push over the open network.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The seed of all randomness (the jitter of retries). The same seed and inputs give the same outputs.
    pub seed: u64,
    /// The most requests that are in flight to one origin at once, at least 1. Default 32. Within it each origin's window finds
    /// its own size: it starts at 4, doubles in each round trip until the origin shows that it has too much to do (429, 503, an
    /// answer four times as slow as its fastest), is halved then, and grows by one a round trip from there. Until an origin has
    /// answered once, one request is in flight to it.
    pub in_flight: usize,
    /// The most requests that are in flight to all origins, where each origin's first is not counted. Default 128. It beats
    /// [`in_flight`](Self::in_flight); what it leaves is given to the origins in turn.
    pub in_flight_total: usize,
    /// The most requests with a body of more than 1 MiB that are in flight to one origin, at least 1. Default 8. One place of a
    /// window of two or more is always left to other requests.
    pub large_bodies: usize,
    /// The most blobs of unknown digest that are open at once, whatever the window, at least 1: for each an upload is open and
    /// a chunk is in hand. A producer that fills several blobs in turn needs as many. Default 64.
    pub open_pipes: usize,
    /// How often a request is made before it counts as failed, at least 1. A wait that the registry asked for with
    /// `Retry-After` is not counted; nor is another 429 or 503 where the origin served others of the same kind since the last
    /// one, for as long as `patience`. Default 5.
    pub attempts: u32,
    /// The longest wait before the first repetition; it doubles with each. Default 200 milliseconds.
    pub backoff: Duration,
    /// The longest wait after a first 429 or 503 without `Retry-After`, and at least half of it: nothing is sent to that origin
    /// meanwhile. It doubles with each that follows before the origin has served anything. Default 1 second.
    pub backoff_throttled: Duration,
    /// The longest wait that is chosen here. Default 20 seconds.
    pub backoff_limit: Duration,
    /// The longest `Retry-After` that is obeyed; a longer one is an error at once. Default 5 minutes.
    pub retry_after_limit: Duration,
    /// For how long an origin may do nothing but ask for waits (429 or 503 with `Retry-After`) before what waits for it fails.
    /// The waits are added up. Default 15 minutes.
    pub patience: Duration,
    /// How much trouble one origin may give: a request that is made again costs 14, after 429 or 503 it costs 5; a success pays
    /// back 1, and in ten minutes an empty budget is full again. What is not counted among [`attempts`](Self::attempts) costs
    /// nothing. Default 500.
    pub retry_budget: u32,
    /// For how long a driver goes on after [`Output::Done`](crate::driver::Output::Done), at most, so that what an operation
    /// left behind can be cleaned up: open uploads that nobody goes on with. The client itself waits for nothing then; it is
    /// idle when it says [`Output::Wait(None)`](crate::driver::Output::Wait). Default 5 seconds.
    pub grace: Duration,
    /// For how long it is believed that content is in a repository, after the registry has said so. Default 1 hour.
    pub presence_for: Duration,
    /// The most digests of which it is remembered whether they are in a repository, in all repositories. Those that a push
    /// under way knows of are kept beyond it. Default 1,000,000, about 100 bytes each.
    pub presence_entries: usize,
    /// Whether nothing is taken on trust: a push asks about every blob and every child that it was given, and sends again what
    /// was lost. Default no.
    pub recheck: bool,
    /// The most registries, and other origins, of which something is kept while nothing is under way there. Default 1,024.
    pub registries: usize,
    /// The size of a chunk where chunks are chosen, in bytes. A registry's minimum and maximum count for more. Default 8 MiB.
    pub chunk: u64,
    /// Blobs of more bytes than this are sent in chunks, so that an upload that breaks off goes on where it was. Default never:
    /// one request for everything is faster, and more registries take it.
    pub chunk_above: u64,
    /// Blobs up to this many bytes are sent in one POST where the registry is known to take it. Default 4 MiB.
    pub single_post: u64,
    /// Blobs of more bytes than this are asked about before they are sent. Under a new tag the largest blob of a push is asked
    /// about whatever its size; with [`u64::MAX`] here, no blob is. Default 4 MiB.
    pub ask_above: u64,
    /// How often the upload of one blob may be begun, at least 1. Default 5.
    pub sessions: u32,
    /// For how long a limit on the length of a body is believed that a refusal (413) taught. At most and by default a day.
    pub limits_for: Duration,
    /// Whether the blobs of an image manifest are taken to be in the repository that serves it, so that they are not asked
    /// about. Default yes. Say no for a registry that is known to store manifests without looking at them (quirk
    /// `missing-blob-not-checked`), which cannot be seen from outside until a blob turns out to be missing.
    pub trust_manifests: bool,
    /// Whether layers that their maker forbids to distribute are pushed all the same. Default no.
    pub push_nondistributable: bool,
    /// The most bytes of an error's body that are kept. Default 64 KiB.
    pub error_body: usize,
    /// The most bytes of a manifest, index, or page of a list. Default 4 MiB.
    pub manifest_body: usize,
    /// The most bytes of a token service's answer, at most and by default 256 KiB.
    pub token_body: usize,
    /// The most pages that a list may have. Default 1,000.
    pub pages: u32,
    /// The most tags that a repository may have where they are listed. Default 1,000,000.
    pub most_tags: usize,
    /// The most referrers that a manifest may have where they are listed. Default 10,000.
    pub most_referrers: usize,
    /// The most redirects that one request follows. Default 5.
    pub redirects: usize,
    /// How often one request is repeated with other credentials. Default 2.
    pub logins: u32,
    /// Where a registry may send the client.
    pub policy: Policy,
    /// What to do for a subject where the registry has no referrers API.
    pub referrers: Referrers,
    /// What a driver may spend on one request.
    pub limits: Limits,
}

/// What to do for a manifest with a subject where the registry has no referrers API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Referrers {
    /// Keep the list under the spec's fallback tag.
    #[default]
    Fallback,
    /// Fail, and write no tag.
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
