//! Events during an operation, for display.

use std::time::Duration;

use http::{Method, StatusCode};

use super::Row;
use crate::config::OperationId;
use crate::{Digest, Instant, Origin, Repository, Tag, Target};

/// Something that happened during an operation. The driver need not do anything about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<K> {
    /// A blob is being sent. `sent` counts from the blob's beginning, and decreases when an attempt fails.
    BlobSending {
        /// Which blob.
        blob: K,
        /// How many bytes were written to the connection or are stored.
        sent: u64,
        /// Its size in bytes, if it is known.
        total: Option<u64>,
    },
    /// A blob of unknown digest was read to its end, so a manifest can refer to it now.
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
        /// How it came to be in the repository.
        how: Stored,
    },
    /// The registry has acknowledged a manifest.
    ManifestStored {
        /// Its digest.
        digest: Digest,
        /// Whether the repository had it before.
        existed: bool,
    },
    /// A tag now names this manifest.
    Tagged {
        /// The tag.
        tag: Tag,
        /// The manifest's digest.
        digest: Digest,
    },
    /// The list of a subject's referrers contains this manifest.
    ReferrerListed {
        /// The subject.
        subject: Digest,
        /// The manifest that refers to it.
        referrer: Digest,
        /// Whether the client wrote the list under the fallback tag, because the registry has no referrers API.
        fallback: bool,
    },
    /// A request will be retried.
    Retrying {
        /// What was asked.
        row: Row,
        /// The origin that the request goes to.
        origin: Origin,
        /// The number of the next attempt: 2 is the first retry.
        attempt: u32,
        /// When it is sent again, at the earliest.
        at: Instant,
        /// Why, in one sentence.
        why: String,
    },
    /// A request that was sent has ended. There is one event for each attempt and each redirect; together they are the
    /// trace of a push.
    Exchanged {
        /// The row of the endpoint table; `None` for a request to a token service.
        row: Option<Row>,
        /// The method.
        method: Method,
        /// The target. Its `Display` omits what may be secret.
        target: Target,
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The length of the request's body in bytes, if it was known.
        sent: Option<u64>,
        /// The time since the driver was given the request.
        took: Duration,
        /// The status of the answer; `None` if no answer came, or if the request was aborted.
        status: Option<StatusCode>,
        /// How many bytes of the answer's body were read.
        received: u64,
    },
    /// The registry sent a `Warning`. Each text is reported once.
    Warning {
        /// The origin that sent it.
        origin: Origin,
        /// The text, escaped for display.
        text: String,
    },
    /// The progress of a push. It is reported with each [`Input::Sent`](crate::driver::Input::Sent), and when a part of
    /// the push is complete. `done` never decreases, and is never more than `total`.
    Progress {
        /// Which operation.
        operation: OperationId,
        /// How many bytes of blobs need not be sent any more, or were written to a connection.
        done: u64,
        /// How many bytes all blobs have. `None` as long as this is not known: the push is
        /// [open](crate::Push::open), or a blob of unknown size is not stored yet. Once it is known, it does not change.
        total: Option<u64>,
    },
}

/// How a blob came to be in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// The repository had it already.
    Existing,
    /// It was mounted from this repository.
    Mounted(Repository),
    /// Its bytes were sent.
    Uploaded,
}
