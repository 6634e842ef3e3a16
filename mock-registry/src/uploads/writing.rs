//! A request that writes to an upload, while its body is received.

use longshore_core::{Digest, Digester, Row};

use crate::state::UploadId;

/// A request that writes to an upload.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) row: Option<Row>,
    pub(super) id: UploadId,
    /// The state of the upload before the request.
    pub(super) before: Digester,
    pub(super) admitted: Admitted,
    /// The number of bytes that were received, including those that are dropped.
    pub(super) received: u64,
    /// The digest of the blob, if the request closes the upload.
    pub(super) becomes: Option<Digest>,
}

/// How a body that was admitted is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admitted {
    /// The announced number of bytes, if it is checked.
    pub(super) announced: Option<u64>,
    /// The number of bytes at the beginning that are dropped, because the upload already has them.
    pub(super) skip: u64,
    /// Whether there was no `Content-Range`.
    pub(super) streamed: bool,
}
