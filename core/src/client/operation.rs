//! A running operation, and the part of it that a task does.

use std::collections::BTreeSet;

use super::any_flow::{AnyFlow, FlowOutput};
use super::push::{Node, PushJob};
use super::task_id::TaskId;
use crate::Origin;
use crate::config::{Checkpoint, Deletion, ManifestReference, Operation, Options, RepositoryRef};
use crate::driver::Key;
use crate::flow::{Delete, ListReferrers, ListTags, Probe, PullBlob, PullManifest, UpdateReferrers};
use crate::outcome::{Failure, Receipt};

/// The part of an operation that a task does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// A node of a push.
    Node(Node),
    /// The whole operation.
    Whole,
}

/// A running operation.
pub(super) enum Job<K> {
    Push(Box<PushJob<K>>),
    Simple(Box<SimpleJob<K>>),
}

/// An operation and its tasks, and how the caller ended it, if so.
pub(super) struct OperationState<K> {
    pub(super) job: Job<K>,
    pub(super) registry: Origin,
    /// The tasks that work for it.
    pub(super) tasks: BTreeSet<TaskId>,
    /// What it had done when it was suspended.
    pub(super) suspended: Option<Checkpoint>,
}

impl<K> OperationState<K> {
    pub(super) const fn new(job: Job<K>, registry: Origin) -> Self {
        Self { job, registry, tasks: BTreeSet::new(), suspended: None }
    }
}

impl<K: Key> OperationState<K> {
    /// Whether it has failed or was ended by the caller. Its `Done` may not have been given yet.
    pub(super) fn has_ended(&self) -> bool {
        match &self.job {
            Job::Push(job) => self.suspended.is_some() || job.has_failed(),
            Job::Simple(job) => job.result().is_some(),
        }
    }
}

/// An operation that has one task at a time.
pub(super) struct SimpleJob<K> {
    pub(super) place: RepositoryRef,
    /// What it deletes, if it is a deletion.
    pub(super) deletes: Option<Deletion>,
    /// The flow to start next.
    next: Option<AnyFlow<K>>,
    sink: Option<K>,
    result: Option<Result<Receipt<K>, Failure>>,
}

impl<K: Key> SimpleJob<K> {
    /// The state of every operation except a push.
    pub(super) fn new(operation: Operation<K>) -> Option<Self> {
        let place = operation.place();
        let mut sink_of_blob = None;
        let deletes = if let Operation::Delete { what, .. } = &operation { Some(what.clone()) } else { None };
        let flow = match operation {
            Operation::Push(_) => return None,
            Operation::PullManifest { reference: ManifestReference::Tag(tag), .. } => {
                AnyFlow::PullManifest(PullManifest::by_tag(place.clone(), tag))
            }
            Operation::PullManifest { reference: ManifestReference::Digest(digest), .. } => {
                AnyFlow::PullManifest(PullManifest::by_digest(place.clone(), digest))
            }
            Operation::PullBlob { digest, size, sink, .. } => {
                sink_of_blob = Some(sink.clone());
                AnyFlow::PullBlob(PullBlob::new(place.clone(), digest, size, sink))
            }
            Operation::CheckPush { .. } => AnyFlow::Probe(Probe::permission(place.clone())),
            Operation::Delete { what: Deletion::Tag(tag), .. } => AnyFlow::Delete(Delete::tag(place.clone(), tag)),
            Operation::Delete { what: Deletion::Manifest(digest), .. } => {
                AnyFlow::Delete(Delete::manifest(place.clone(), digest))
            }
            Operation::Delete { what: Deletion::Blob(digest), .. } => {
                AnyFlow::Delete(Delete::blob(place.clone(), digest))
            }
            Operation::ListTags { .. } => AnyFlow::ListTags(ListTags::new(place.clone())),
            Operation::ListReferrers { subject, artifact_type, .. } => {
                AnyFlow::ListReferrers(ListReferrers::new(place.clone(), subject, artifact_type))
            }
        };
        Some(Self { place, deletes, next: Some(flow), sink: sink_of_blob, result: None })
    }

    pub(super) const fn start(&mut self) -> Option<AnyFlow<K>> {
        self.next.take()
    }

    pub(super) fn finished(&mut self, result: Result<FlowOutput, Failure>, options: &Options) {
        let output = match result {
            Ok(output) => output,
            Err(failure) => return self.fail(failure),
        };
        let receipt = match (output, &self.sink) {
            (FlowOutput::Pulled(manifest), _) => Receipt::Pulled(manifest),
            (FlowOutput::Poured(len), Some(sink)) => Receipt::Poured { blob: sink.clone(), len },
            (FlowOutput::Tags(tags), _) => Receipt::Tags(tags),
            (FlowOutput::Referrers(referrers), _) => Receipt::Referrers(referrers),
            (FlowOutput::Probed, _) => Receipt::Allowed,
            (FlowOutput::Deleted(deleted), _) => {
                if let Some((subject, referrer)) =
                    deleted.referrer.and_then(|gone| Some((gone.subject()?.digest, gone.digest())))
                {
                    let update = UpdateReferrers::remove(self.place.clone(), subject, referrer, options.referrers);
                    self.next = Some(AnyFlow::Referrers(Box::new(update)));
                    return;
                }
                Receipt::Deleted
            }
            // The entry of the deleted manifest has been removed from its subject's list.
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
