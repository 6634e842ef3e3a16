//! How far a push is, in bytes of its blobs.

use super::blobs::BlobNode;
use super::{Node, PushJob};
use crate::driver::Key;

/// How far a push is. Neither number ever falls, not even where an attempt fails or a blob that was stored has to be sent
/// again.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Bytes that are there or were on their way.
    done: u64,
    /// Bytes in all that are known of.
    total: u64,
}

impl Progress {
    /// A blob of so many bytes was given.
    pub(super) const fn add(&mut self, size: u64) {
        self.total = self.total.saturating_add(size);
    }

    /// So many bytes of a blob are there or on their way. One of unknown length counts as far as it has come.
    pub(super) fn reach<K>(&mut self, node: &mut BlobNode<K>, bytes: u64) {
        let more = bytes.saturating_sub(node.reached);
        node.reached = node.reached.saturating_add(more);
        self.done = self.done.saturating_add(more);
        if node.size.is_none() {
            self.total = self.total.saturating_add(more);
        }
    }

    /// All of a blob is there, or need not be.
    pub(super) fn done<K>(&mut self, node: &mut BlobNode<K>) {
        let size = node.size.unwrap_or(node.reached);
        self.reach(node, size);
    }
}

impl<K: Key> PushJob<K> {
    /// So many bytes of a blob are on their way: how far that makes the push, where it is news.
    pub(in crate::client) fn sending(&mut self, node: &Node, sent: u64) -> Option<(u64, u64)> {
        let Node::Blob(number) = node else { return None };
        let blob = self.blobs.get_mut(*number).filter(|blob| blob.reached < sent)?;
        self.progress.reach(blob, sent);
        Some(self.progress())
    }

    /// Bytes that need not be sent any more or are on their way, and bytes in all that are known of.
    pub(in crate::client) const fn progress(&self) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }
}

#[cfg(test)]
mod tests;
