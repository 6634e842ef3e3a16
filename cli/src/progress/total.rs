//! How far all of it is, with what is on its way just now.

use std::collections::BTreeMap;

use longshore_core::{Digest, Event};

/// Bytes that are done or on their way, of all.
#[derive(Default)]
pub(super) struct Total {
    stored: u64,
    sending: BTreeMap<Digest, u64>,
    shown: u64,
    all: u64,
}

impl Total {
    /// Bytes done and bytes in all, where the event changes them. Neither falls, also where an attempt fails.
    pub(super) fn event(&mut self, event: &Event<Digest>) -> Option<(u64, u64)> {
        match event {
            Event::BlobSending { blob, sent, .. } => {
                self.sending.insert(*blob, *sent);
            }
            Event::BlobStored { blob, .. } => {
                self.sending.remove(blob);
            }
            Event::Progress { done, total, .. } => (self.stored, self.all) = (*done, *total),
            _ => return None,
        }
        let done = self.sending.values().fold(self.stored, |done, sent| done.saturating_add(*sent));
        self.shown = self.shown.max(done.min(self.all));
        Some((self.shown, self.all))
    }
}

#[cfg(test)]
mod tests {
    use longshore_core::{Algorithm, Client, Operation, Options, Stored};

    use super::*;

    #[test]
    fn what_is_shown_never_falls() {
        let mut client = Client::<Digest>::new(Options::default());
        let (registry, repository) = ("localhost:1".parse().unwrap(), "a".parse().unwrap());
        let operation = client.start(Operation::CheckPush { registry, repository });
        let blob = Digest::of(Algorithm::Sha256, b"");
        let progress = |done| Event::Progress { operation, done, total: 100 };
        let sending = |sent| Event::BlobSending { blob, sent, total: Some(80) };
        let stored = Event::BlobStored { blob, digest: blob, size: 80, how: Stored::Uploaded };
        let mut total = Total::default();
        let events = [progress(20), sending(50), sending(10), stored, progress(100)];
        let shown: Vec<u64> = events.iter().filter_map(|event| Some(total.event(event)?.0)).collect();
        assert_eq!(shown, [20, 70, 70, 70, 100]);
    }
}
