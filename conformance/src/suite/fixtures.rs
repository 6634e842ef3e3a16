//! Content that is stored once in a run, because many checks only read it.

use std::sync::Mutex;

use super::content::{Blob, Document};
use super::stop::Stop;

/// The content that is stored once in a run.
#[derive(Debug, Default)]
pub(super) struct Fixtures {
    pub(super) blobs: Mutex<Option<Result<(Blob, Blob), Stop>>>,
    pub(super) image: Mutex<Option<Result<(Document, String), Stop>>>,
}
