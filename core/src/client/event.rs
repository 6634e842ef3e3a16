//! What happens on the way, to show.

use crate::driver::OperationId;
use crate::endpoint::Row;
use crate::{Digest, Instant, Origin, Repository, Tag};

/// Something that happened. Nothing has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<K> {
    /// A blob is being sent; `sent` counts from its beginning and falls back when an attempt fails.
    BlobSending {
        /// Which blob.
        blob: K,
        /// Bytes handed to the network or stored.
        sent: u64,
        /// Its length in bytes, where it is known.
        total: Option<u64>,
    },
    /// A blob of unknown digest has been read to its end: now a manifest can name it.
    BlobDigested {
        /// Which blob.
        blob: K,
        /// Its digest.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// The registry has acknowledged a blob.
    BlobStored {
        /// Which blob.
        blob: K,
        /// Its digest.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
        /// How it got there.
        how: Stored,
    },
    /// The registry has acknowledged a manifest.
    ManifestStored {
        /// Its digest.
        digest: Digest,
        /// Whether it stood there before.
        existed: bool,
    },
    /// A tag now names this manifest.
    Tagged {
        /// The tag.
        tag: Tag,
        /// The manifest's digest.
        digest: Digest,
    },
    /// The list of a subject's referrers holds this manifest.
    ReferrerListed {
        /// The subject.
        subject: Digest,
        /// The manifest that refers to it.
        referrer: Digest,
        /// Whether the list is kept under a tag, because the registry has no referrers API.
        fallback: bool,
    },
    /// A request is made again.
    Retrying {
        /// What was asked.
        row: Row,
        /// Of whom.
        origin: Origin,
        /// Which attempt comes next: 2 is the first repetition.
        attempt: u32,
        /// When.
        at: Instant,
        /// Why, in one sentence.
        why: String,
    },
    /// The registry warns. Each text is told once.
    Warning {
        /// Who.
        origin: Origin,
        /// Its words, made harmless to print.
        text: String,
    },
    /// How far an operation is. Neither number ever falls.
    Progress {
        /// Which operation.
        operation: OperationId,
        /// Bytes that need not be sent any more, or are on their way.
        done: u64,
        /// Bytes in all that are known of.
        total: u64,
    },
}

/// How a blob got where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// It was there already.
    Existing,
    /// It was mounted from this repository.
    Mounted(Repository),
    /// Its bytes were sent.
    Uploaded,
}
