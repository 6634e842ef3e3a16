//! What happens on the way, to show.

use std::time::Duration;

use http::{Method, StatusCode};

use super::Row;
use crate::config::OperationId;
use crate::{Digest, Instant, Origin, Repository, Tag, Target};

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
    /// A request that was sent has come to its end. One for each attempt and each redirect: all of them are the trace of a push.
    Exchanged {
        /// What was asked; nothing where it was asked of a token service.
        row: Option<Row>,
        /// How.
        method: Method,
        /// Of whom. Its `Display` leaves out what may be secret.
        target: Target,
        /// Which attempt it was, from 1.
        attempt: u32,
        /// The length of its body in bytes, where that was known.
        sent: Option<u64>,
        /// From the moment it was handed to the driver.
        took: Duration,
        /// What was answered; nothing where no answer came, or it was given up.
        status: Option<StatusCode>,
        /// Bytes of the answer's body that were taken in.
        received: u64,
    },
    /// The registry warns. Each text is told once.
    Warning {
        /// Who.
        origin: Origin,
        /// Its words, made harmless to print.
        text: String,
    },
    /// How far a push is: told while a blob is on its way, as often as the driver reports
    /// [`Input::Sent`](crate::driver::Input::Sent), and when something of the push has ended. Neither number ever falls.
    Progress {
        /// Which operation.
        operation: OperationId,
        /// Bytes of blobs that need not be sent any more, or are on their way.
        done: u64,
        /// Bytes of blobs in all that are known of. One of unknown length counts as far as it was sent.
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
