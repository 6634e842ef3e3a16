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
    /// How many requests may be in flight at once, at least 1. Default 8.
    pub in_flight: usize,
    /// How often a request is made before it counts as failed, at least 1. Default 5.
    pub attempts: u32,
    /// The longest wait before the first repetition; it doubles with each. Default 200 milliseconds.
    pub backoff: Duration,
    /// The same after 429 and 503. Default 1 second.
    pub backoff_throttled: Duration,
    /// The longest wait that is chosen here. Default 20 seconds.
    pub backoff_limit: Duration,
    /// The longest `Retry-After` that is obeyed; a longer one is an error at once. Default 5 minutes.
    pub retry_after_limit: Duration,
    /// How much trouble a client takes in all: a lost request costs 14, a throttled one 5, a success pays back 1. Default 500.
    pub retry_budget: u32,
    /// The size of a chunk where chunks are chosen, in bytes. A registry's minimum and maximum count for more. Default 8 MiB.
    pub chunk: u64,
    /// Blobs of more bytes than this are sent in chunks, so that an upload that breaks off goes on where it was. Default never:
    /// one request for everything is faster, and more registries take it.
    pub chunk_above: u64,
    /// Blobs up to this many bytes are sent in one POST where the registry is known to take it. Default 4 MiB.
    pub single_post: u64,
    /// Blobs of more bytes than this are asked about before they are sent. Default 4 MiB.
    pub ask_above: u64,
    /// How often the upload of one blob may be begun, at least 1. Default 5.
    pub sessions: u32,
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
            in_flight: 8,
            attempts: 5,
            backoff: Duration::from_millis(200),
            backoff_throttled: Duration::from_secs(1),
            backoff_limit: Duration::from_secs(20),
            retry_after_limit: Duration::from_secs(300),
            retry_budget: 500,
            chunk: 8 * MIB,
            chunk_above: u64::MAX,
            single_post: 4 * MIB,
            ask_above: 4 * MIB,
            sessions: 5,
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
