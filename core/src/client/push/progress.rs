//! The progress of a push, in bytes of its blobs.

use super::blobs::BlobNode;
use super::{Node, PushJob};
use crate::driver::Key;

/// The progress of a push. Neither number ever decreases, not even if an attempt fails or a stored blob must be sent
/// again.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Bytes that are stored or were being sent.
    done: u64,
    /// All known bytes: more may be added as long as the push is open or a blob's size is unknown.
    total: u64,
}

impl Progress {
    /// A blob of this size was given.
    pub(super) const fn add(&mut self, size: u64) {
        self.total = self.total.saturating_add(size);
    }

    /// This many bytes of a blob are stored or being sent. A blob of unknown size counts as far as it was sent.
    pub(super) fn reach<K>(&mut self, node: &mut BlobNode<K>, bytes: u64) {
        let more = bytes.saturating_sub(node.reached);
        node.reached = node.reached.saturating_add(more);
        self.done = self.done.saturating_add(more);
        if node.size.is_none() {
            self.total = self.total.saturating_add(more);
        }
    }

    /// The whole blob is stored, or need not be.
    pub(super) fn done<K>(&mut self, node: &mut BlobNode<K>) {
        let size = node.size.unwrap_or(node.reached);
        self.reach(node, size);
    }
}

impl<K: Key> PushJob<K> {
    /// This many bytes of a blob are being sent. Returns the progress of the push, if it has changed.
    pub(in crate::client) fn sending(&mut self, node: &Node, sent: u64) -> Option<(u64, Option<u64>)> {
        let Node::Blob(number) = node else { return None };
        let blob = self.blobs.get_mut(*number).filter(|blob| blob.reached < sent)?;
        self.progress.reach(blob, sent);
        Some(self.progress())
    }

    /// The bytes that are stored or being sent, and all bytes if their number is known.
    pub(in crate::client) const fn progress(&self) -> (u64, Option<u64>) {
        let is_known = !self.is_open && self.blobs.unidentified() == 0;
        (self.progress.done, if is_known { Some(self.progress.total) } else { None })
    }
}

#[cfg(test)]
mod tests;
