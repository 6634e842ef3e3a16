//! Counts what a push did, for its receipt.

use crate::outcome::Stored;

/// The counters of a push.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) uploaded: u64,
    pub(super) mounted: u64,
    pub(super) existing: u64,
    pub(super) requests: u64,
    pub(super) bytes: u64,
}

impl Report {
    /// Counts a blob that is in the repository.
    pub(super) const fn stored(&mut self, how: &Stored) {
        let count = match how {
            Stored::Existing => &mut self.existing,
            Stored::Mounted(_) => &mut self.mounted,
            Stored::Uploaded => &mut self.uploaded,
        };
        *count = count.saturating_add(1);
    }

    /// Counts a request that was sent.
    pub(super) const fn sent(&mut self, bytes: u64) {
        self.requests = self.requests.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}
