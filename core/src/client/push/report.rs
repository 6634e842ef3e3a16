//! What a push did and how far it is, for its receipt and its progress.

use crate::outcome::Stored;

/// What a push did.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) uploaded: u64,
    pub(super) mounted: u64,
    pub(super) existing: u64,
    pub(super) requests: u64,
    pub(super) bytes: u64,
}

impl Report {
    /// A blob is in the repository.
    pub(super) const fn stored(&mut self, how: &Stored) {
        let count = match how {
            Stored::Existing => &mut self.existing,
            Stored::Mounted(_) => &mut self.mounted,
            Stored::Uploaded => &mut self.uploaded,
        };
        *count = count.saturating_add(1);
    }

    /// A request was sent.
    pub(super) const fn sent(&mut self, bytes: u64) {
        self.requests = self.requests.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}
