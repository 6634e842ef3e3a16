//! A request that writes to an upload, on its way in.

use longshore_core::{Digest, Digester, Row};

use crate::state::UploadId;

/// A request that writes to an upload.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) row: Option<Row>,
    pub(super) id: UploadId,
    /// The upload as it was before.
    pub(super) before: Digester,
    pub(super) admitted: Admitted,
    /// How many bytes came, those that are dropped too.
    pub(super) received: u64,
    /// What the upload becomes at the end of the body, if it ends with it.
    pub(super) becomes: Option<Digest>,
}

/// What is done with a body that may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Admitted {
    /// How many bytes were announced, where that is checked.
    pub(super) announced: Option<u64>,
    /// How many of the first bytes are dropped, because they are there already.
    pub(super) skip: u64,
    /// Whether there was no `Content-Range`.
    pub(super) streamed: bool,
}
