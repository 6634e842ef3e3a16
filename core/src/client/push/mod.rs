//! One push: its graph of blobs, manifests and tags, which tasks may start, and what follows from their results.
//!
//! | file | what it holds |
//! |---|---|
//! | `job` | the push under way, and what the client calls |
//! | `graph` | what waits for what, by digest; what is there, and why that is believed |
//! | `intake` | what is given, compared with what was given before |
//! | `standing` | what the repository has already |
//! | `sending`, `blobs` | which blobs go now, what each is asked before it is sent, and what one tells about the others |
//! | `manifests`, `tags`, `lists` | when manifests, tags and lists of referrers are written |
//! | `checks`, `recovery` | what is asked about, and what is sent again |
//! | `keys`, `pipes` | the keys of blobs that can be read only once; how many of unknown digest are open |
//! | `report`, `progress` | what the push did, and how far it is |

mod blobs;
mod checks;
mod graph;
mod intake;
mod job;
mod keys;
mod lists;
mod manifests;
mod pipes;
mod progress;
mod recovery;
mod report;
mod sending;
mod standing;
mod tags;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::any_flow::AnyFlow;
use super::presence::{Moment, Presence};
use crate::config::{Learned, LeftOpen, OperationId, Options, RepositoryRef};
use crate::outcome::{Event, Failure};
use crate::{Digest, Instant, Repository};
use blobs::Blobs;
use checks::Doubt;
use graph::{ContentId, Graph};
pub(super) use keys::OneShotKeys;
use lists::Lists;
use manifests::ManifestNode;
pub(super) use pipes::OpenPipes;
use progress::Progress;
use report::Report;
use sending::{Asking, Scouting};
use standing::Reads;
use tags::Tags;

/// One task of a push.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    /// Read the manifest under the push's first tag.
    Standing,
    /// Read the manifest under a tag that may name a similar image ([`Push::like`](crate::Push::like)), by its number.
    Like(usize),
    /// Read the root, or a manifest that an existing index refers to, by its digest.
    ByDigest(Digest),
    /// Find out whether the registry answers a mount from the target repository itself with 201.
    Probe,
    /// Send a blob, by its number.
    Blob(usize),
    /// Ask whether the repository has this content.
    Check(ContentId),
    /// Push a manifest, by its number.
    Manifest(usize),
    /// Push the root under a further tag, by the tag's number.
    Tag(usize),
    /// Add entries to the list of this subject's referrers.
    List(Digest),
}

/// A task that may start now.
pub(super) struct Start<K> {
    pub(super) node: Node,
    pub(super) flow: AnyFlow<K>,
    /// How often its content was asked for without success. Each time the wait before the next request is longer.
    pub(super) tries: u32,
}

/// What a push may read and write while it handles a result.
pub(super) struct PushContext<'a, K> {
    pub(super) operation: OperationId,
    pub(super) options: &'a Options,
    pub(super) learned: &'a mut Learned,
    pub(super) presence: &'a mut Presence,
    pub(super) keys: &'a mut OneShotKeys<K>,
    pub(super) pipes: &'a mut OpenPipes,
    pub(super) events: &'a mut Vec<Event<K>>,
    pub(super) now: Instant,
}

/// A running push.
pub(super) struct PushJob<K> {
    place: RepositoryRef,
    root: Option<Digest>,
    graph: Graph,
    blobs: Blobs<K>,
    manifests: Vec<ManifestNode>,
    /// Documents that are not parsed. They are sent after everything else.
    opaque: Vec<ContentId>,
    tags: Tags,
    lists: Lists,
    reads: Reads,
    asking: Asking,
    scouting: Scouting,
    /// Content that must be asked about.
    doubted: VecDeque<Doubt>,
    /// The numbers of the manifests that were refused because this content may be missing.
    suspected_by: BTreeMap<ContentId, Vec<usize>>,
    /// Content that is being asked about, and when that started.
    checks: BTreeMap<ContentId, (Doubt, Moment)>,
    /// Blobs that an earlier process has stored.
    resumed: BTreeSet<Digest>,
    /// Uploads that an earlier process left open, and that this one has not continued.
    left_open: BTreeMap<Digest, LeftOpen>,
    /// Repositories to mount blobs from that are not given.
    mounts: Vec<Repository>,
    is_open: bool,
    is_rechecked: bool,
    /// How many tasks are running.
    running: usize,
    failure: Option<Failure>,
    /// Why a list of referrers could not be updated. Everything else is pushed before the push fails with it.
    unlisted: Option<Failure>,
    report: Report,
    progress: Progress,
}
