//! What a push consists of, and what of it may start.

mod blobs;
mod job;
mod manifests;
mod nondistributable;
mod progress;

pub(super) use job::{Node, PushJob};
