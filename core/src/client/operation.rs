//! What a caller can ask a client for, and what of it is under way.

use super::push::{Node, PushJob};
use super::task::{Machine, Product};
use super::{Failure, Options, Push, Receipt};
use crate::driver::Key;
use crate::flow::{Delete, ListReferrers, ListTags, Place, Probe, PullBlob, PullManifest, UpdateReferrers};
use crate::{Digest, Registry, Repository, Tag};

/// Something to do with one repository.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Operation<K> {
    /// Push blobs, manifests and tags. Gives [`Receipt::Pushed`].
    Push(Push<K>),
    /// Pull a manifest. Gives [`Receipt::Pulled`].
    PullManifest {
        /// Where it is.
        registry: Registry,
        /// Where it is in there.
        repository: Repository,
        /// What it is called.
        name: Name,
    },
    /// Pull a blob into a sink of the driver's. Gives [`Receipt::Poured`].
    PullBlob {
        /// Where it is.
        registry: Registry,
        /// Where it is in there.
        repository: Repository,
        /// What it is called.
        digest: Digest,
        /// How many bytes it should have, where that is known.
        size: Option<u64>,
        /// The driver's sink.
        sink: K,
    },
    /// Find out whether a push would be allowed, and leave nothing behind. Gives [`Receipt::Allowed`].
    CheckPush {
        /// Where.
        registry: Registry,
        /// Where in there.
        repository: Repository,
    },
    /// Delete a manifest, a tag or a blob. Gives [`Receipt::Deleted`]. A manifest's entry among its subject's referrers goes too.
    Delete {
        /// Where it is.
        registry: Registry,
        /// Where it is in there.
        repository: Repository,
        /// What.
        what: Deletion,
    },
    /// List the tags. Gives [`Receipt::Tags`].
    ListTags {
        /// Where.
        registry: Registry,
        /// Where in there.
        repository: Repository,
    },
    /// List what refers to a manifest. Gives [`Receipt::Referrers`].
    ListReferrers {
        /// Where.
        registry: Registry,
        /// Where in there.
        repository: Repository,
        /// The manifest.
        subject: Digest,
        /// Only artifacts of this type.
        artifact_type: Option<String>,
    },
}

/// What a manifest is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// By a tag.
    Tag(Tag),
    /// By its digest.
    Digest(Digest),
}

/// What to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// A tag; what it names stays.
    Tag(Tag),
    /// A manifest, with all its tags.
    Manifest(Digest),
    /// A blob.
    Blob(Digest),
}

impl<K> From<Push<K>> for Operation<K> {
    fn from(push: Push<K>) -> Self {
        Self::Push(push)
    }
}

impl<K> Operation<K> {
    pub(super) const fn registry(&self) -> &Registry {
        match self {
            Self::Push(push) => &push.registry,
            Self::PullManifest { registry, .. }
            | Self::PullBlob { registry, .. }
            | Self::CheckPush { registry, .. }
            | Self::Delete { registry, .. }
            | Self::ListTags { registry, .. }
            | Self::ListReferrers { registry, .. } => registry,
        }
    }

    pub(super) fn place(&self) -> Place {
        let repository = match self {
            Self::Push(push) => &push.repository,
            Self::PullManifest { repository, .. }
            | Self::PullBlob { repository, .. }
            | Self::CheckPush { repository, .. }
            | Self::Delete { repository, .. }
            | Self::ListTags { repository, .. }
            | Self::ListReferrers { repository, .. } => repository,
        };
        Place { origin: self.registry().origin(), repository: repository.clone() }
    }
}

/// What a task is to the operation that waits for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// A node of a push.
    Node(Node),
    /// All of it.
    Whole,
}

/// An operation under way.
pub(super) enum Job<K> {
    Push(Box<PushJob<K>>),
    Simple(Box<SimpleJob<K>>),
}

/// An operation of one task, or of one after another.
pub(super) struct SimpleJob<K> {
    pub(super) place: Place,
    /// What it deletes, if it does.
    pub(super) deletes: Option<Deletion>,
    /// What is to be started.
    next: Option<Machine<K>>,
    sink: Option<K>,
    result: Option<Result<Receipt<K>, Failure>>,
}

impl<K: Key> SimpleJob<K> {
    /// The first task of any operation but a push.
    pub(super) fn new(operation: Operation<K>) -> Option<Self> {
        let place = operation.place();
        let mut sink_of_blob = None;
        let deletes = if let Operation::Delete { what, .. } = &operation { Some(what.clone()) } else { None };
        let machine = match operation {
            Operation::Push(_) => return None,
            Operation::PullManifest { name: Name::Tag(tag), .. } => {
                Machine::PullManifest(PullManifest::by_tag(place.clone(), tag))
            }
            Operation::PullManifest { name: Name::Digest(digest), .. } => {
                Machine::PullManifest(PullManifest::by_digest(place.clone(), digest))
            }
            Operation::PullBlob { digest, size, sink, .. } => {
                sink_of_blob = Some(sink.clone());
                Machine::PullBlob(PullBlob::new(place.clone(), digest, size, sink))
            }
            Operation::CheckPush { .. } => Machine::Probe(Probe::permission(place.clone())),
            Operation::Delete { what: Deletion::Tag(tag), .. } => Machine::Delete(Delete::tag(place.clone(), tag)),
            Operation::Delete { what: Deletion::Manifest(digest), .. } => {
                Machine::Delete(Delete::manifest(place.clone(), digest))
            }
            Operation::Delete { what: Deletion::Blob(digest), .. } => {
                Machine::Delete(Delete::blob(place.clone(), digest))
            }
            Operation::ListTags { .. } => Machine::ListTags(ListTags::new(place.clone())),
            Operation::ListReferrers { subject, artifact_type, .. } => {
                Machine::ListReferrers(ListReferrers::new(place.clone(), subject, artifact_type))
            }
        };
        Some(Self { place, deletes, next: Some(machine), sink: sink_of_blob, result: None })
    }

    pub(super) const fn start(&mut self) -> Option<Machine<K>> {
        self.next.take()
    }

    pub(super) fn finished(&mut self, result: Result<Product, Failure>, options: &Options) {
        let product = match result {
            Ok(product) => product,
            Err(failure) => return self.fail(failure),
        };
        let receipt = match (product, &self.sink) {
            (Product::Pulled(manifest), _) => Receipt::Pulled(manifest),
            (Product::Poured(len), Some(sink)) => Receipt::Poured { blob: sink.clone(), len },
            (Product::Tags(tags), _) => Receipt::Tags(tags),
            (Product::Referrers(referrers), _) => Receipt::Referrers(referrers),
            (Product::Probed, _) => Receipt::Allowed,
            (Product::Deleted(deleted), _) => {
                if let Some((subject, referrer)) =
                    deleted.referrer.and_then(|gone| Some((gone.subject()?.digest, gone.digest())))
                {
                    let update = UpdateReferrers::remove(self.place.clone(), subject, referrer, options.referrers);
                    self.next = Some(Machine::Referrers(Box::new(update)));
                    return;
                }
                Receipt::Deleted
            }
            // The entry of what was deleted is out of its subject's list.
            _ => Receipt::Deleted,
        };
        self.result.get_or_insert(Ok(receipt));
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.next = None;
        self.result.get_or_insert(Err(failure));
    }

    pub(super) fn result(&self) -> Option<Result<Receipt<K>, Failure>> {
        self.result.clone()
    }
}
