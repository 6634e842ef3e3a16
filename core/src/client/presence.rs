//! Which content repositories are known to have: one record for each repository and digest, shared by all pushes of a
//! client.
//!
//! Only a 201, or a 200 to a HEAD, makes a record. What a push reads in a served manifest stays in that push. A running
//! push has its own knowledge: nothing is copied from here into it, and nothing that is dropped here is dropped there.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{Deletion, RepositoryRef};
use crate::{Digest, Instant};

/// How long content that was deleted or lost is not assumed to exist because a served manifest refers to it.
const DOUBTED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A point in the order of a client's events. The answer to a request that was sent before a record was voided does not
/// restore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Moment(u64);

/// Which content repositories are known to have.
///
/// There are two generations. Records are added to the newer one; when it is full, the older one is dropped and the
/// newer one takes its place. So the number of records never exceeds the maximum, and dropping costs constant time for
/// each record.
pub(super) struct Presence {
    /// How many records a generation has at most.
    capacity: usize,
    /// How long a record that content exists is used.
    believed_for: Duration,
    newer: Generation,
    older: Generation,
    last: Moment,
    /// The last moment of all voided records that were dropped.
    floor: Moment,
}

#[derive(Default)]
struct Generation {
    repositories: BTreeMap<RepositoryRef, Known>,
    records: usize,
}

/// What is known about one repository.
#[derive(Default)]
struct Known {
    records: BTreeMap<Digest, Record>,
    /// When something was last deleted from it. Content that was seen before may be deleted with it.
    deleted: Moment,
}

#[derive(Clone, Copy)]
struct Record {
    is_there: bool,
    /// When the answer came.
    at: Instant,
    /// When the request was sent, in the order of events.
    moment: Moment,
}

impl Presence {
    /// Keeps at most `entries` records, each used for `believed_for`.
    pub(super) fn new(entries: usize, believed_for: Duration) -> Self {
        Self {
            capacity: (entries / 2).max(1),
            believed_for,
            newer: Generation::default(),
            older: Generation::default(),
            last: Moment::default(),
            floor: Moment::default(),
        }
    }

    /// The current point in the order of events.
    pub(super) const fn moment(&self) -> Moment {
        self.last
    }

    /// The registry answered that it has this content, to a request that was sent at `asked` or later.
    pub(super) fn acknowledge(&mut self, place: &RepositoryRef, digest: Digest, asked: Moment, now: Instant) {
        let voided = self.find(place, &digest).map_or(Moment::default(), |record| match record.is_there {
            true => Moment::default(),
            false => record.moment,
        });
        if asked < voided.max(self.deleted(place)).max(self.floor) {
            return;
        }
        self.insert(place, digest, Record { is_there: true, at: now, moment: asked });
    }

    /// The registry says that it does not have this content.
    pub(super) fn lose(&mut self, place: &RepositoryRef, digest: Digest, now: Instant) {
        let moment = self.next_moment();
        self.insert(place, digest, Record { is_there: false, at: now, moment });
    }

    /// This client deletes something, or may have done so. Content that was seen in the repository before may be
    /// deleted with it.
    pub(super) fn delete(&mut self, place: &RepositoryRef, what: &Deletion, now: Instant) {
        let moment = self.next_moment();
        if let Deletion::Manifest(digest) | Deletion::Blob(digest) = what {
            self.insert(place, *digest, Record { is_there: false, at: now, moment });
        }
        self.newer.known(place).deleted = moment;
        // A repository counts as a record too, so that the number of repositories is limited.
        self.newer.records = self.newer.records.saturating_add(1);
        self.rotate();
    }

    /// Whether the registry has acknowledged it recently and no later event contradicts that.
    pub(super) fn is_there(&self, place: &RepositoryRef, digest: &Digest, now: Instant) -> bool {
        self.was_acknowledged_within(self.believed_for, place, digest, now)
    }

    /// The same, for another length of time.
    pub(super) fn was_acknowledged_within(
        &self,
        time: Duration,
        place: &RepositoryRef,
        digest: &Digest,
        now: Instant,
    ) -> bool {
        self.find(place, digest).is_some_and(|record| {
            record.is_there && now.since(record.at) <= time && record.moment >= self.deleted(place)
        })
    }

    /// Whether it was deleted or reported as missing, and not seen since. Then a manifest that refers to it does not
    /// prove that it exists.
    pub(super) fn is_doubted(&self, place: &RepositoryRef, digest: &Digest, now: Instant) -> bool {
        self.find(place, digest).is_some_and(|record| !record.is_there && now.since(record.at) <= DOUBTED_FOR)
    }

    fn next_moment(&mut self) -> Moment {
        self.last = Moment(self.last.0.saturating_add(1));
        self.last
    }

    fn find(&self, place: &RepositoryRef, digest: &Digest) -> Option<&Record> {
        self.newer.find(place, digest).or_else(|| self.older.find(place, digest))
    }

    fn deleted(&self, place: &RepositoryRef) -> Moment {
        let in_one = |generation: &Generation| generation.repositories.get(place).map(|known| known.deleted);
        in_one(&self.newer).max(in_one(&self.older)).unwrap_or_default()
    }

    fn insert(&mut self, place: &RepositoryRef, digest: Digest, record: Record) {
        if self.newer.known(place).records.insert(digest, record).is_none() {
            self.newer.records = self.newer.records.saturating_add(1);
            self.rotate();
        }
    }

    fn rotate(&mut self) {
        if self.newer.records < self.capacity {
            return;
        }
        let dropped = std::mem::replace(&mut self.older, std::mem::take(&mut self.newer));
        for known in dropped.repositories.values() {
            let voided = known.records.values().filter(|record| !record.is_there).map(|record| record.moment);
            self.floor = voided.chain([known.deleted, self.floor]).max().unwrap_or_default();
        }
    }
}

impl Generation {
    fn find(&self, place: &RepositoryRef, digest: &Digest) -> Option<&Record> {
        self.repositories.get(place)?.records.get(digest)
    }

    fn known(&mut self, place: &RepositoryRef) -> &mut Known {
        self.repositories.entry(place.clone()).or_default()
    }
}

#[cfg(test)]
mod tests;
