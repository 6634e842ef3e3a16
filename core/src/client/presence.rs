//! What repositories were seen to hold: one record a repository and digest, shared by all pushes of a client.
//!
//! Only a 201, or the 200 to a HEAD, makes a record. What a manifest that the registry serves says stays in the push that
//! read it, and what a live push knows is its own: nothing here is copied into it, and nothing that is dropped here is
//! taken from it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{Deletion, RepositoryRef};
use crate::{Digest, Instant};

/// For how long content that was deleted or lost is not believed to be there because a served manifest refers to it.
const DOUBTED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A point in the order of what happened to a client: evidence of a request that was sent before something was voided does
/// not restore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Moment(u64);

/// What repositories were seen to hold.
///
/// It has two generations. Records are made in the newer one; when that is full, the older one is dropped and the newer one
/// takes its place. So there are never more records than was asked for, and dropping costs each record once.
pub(super) struct Presence {
    /// The most records of a generation.
    capacity: usize,
    /// For how long a record that something is there is believed.
    believed_for: Duration,
    newer: Generation,
    older: Generation,
    last: Moment,
    /// The last moment of anything that was voided and whose record is dropped.
    floor: Moment,
}

#[derive(Default)]
struct Generation {
    repositories: BTreeMap<RepositoryRef, Known>,
    records: usize,
}

/// What is known of one repository.
#[derive(Default)]
struct Known {
    records: BTreeMap<Digest, Record>,
    /// When something was deleted from it last: whatever was seen before may be gone with it.
    deleted: Moment,
}

#[derive(Clone, Copy)]
struct Record {
    is_there: bool,
    /// When the answer came that says so.
    at: Instant,
    /// When it was asked for, in the order of what happened.
    moment: Moment,
}

impl Presence {
    /// At most `entries` records, each believed for so long.
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

    /// Now, in the order of what happened.
    pub(super) const fn moment(&self) -> Moment {
        self.last
    }

    /// The registry answered, to a request that was sent at `asked` or later, that it has this.
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

    /// The registry says that it lacks this.
    pub(super) fn lose(&mut self, place: &RepositoryRef, digest: Digest, now: Instant) {
        let moment = self.next_moment();
        self.insert(place, digest, Record { is_there: false, at: now, moment });
    }

    /// This client deletes something, or may have: what was seen in the repository before may be gone with it.
    pub(super) fn delete(&mut self, place: &RepositoryRef, what: &Deletion, now: Instant) {
        let moment = self.next_moment();
        if let Deletion::Manifest(digest) | Deletion::Blob(digest) = what {
            self.insert(place, *digest, Record { is_there: false, at: now, moment });
        }
        self.newer.known(place).deleted = moment;
        // A repository counts as a record, so that there are not more of them than records.
        self.newer.records = self.newer.records.saturating_add(1);
        self.rotate();
    }

    /// Whether the registry acknowledged it a short while ago, and nothing has spoken against it since.
    pub(super) fn is_there(&self, place: &RepositoryRef, digest: &Digest, now: Instant) -> bool {
        self.was_acknowledged_within(self.believed_for, place, digest, now)
    }

    /// The same with another length of time.
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

    /// Whether it was deleted or said to be lost, and not seen since: then a manifest that refers to it proves nothing.
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
