//! One push: its graph of blobs, manifests and tags, what of it may start, and what follows from what has ended.
//!
//! | file | what it holds |
//! |---|---|
//! | `job` | the push under way, and what the client calls |
//! | `graph` | what waits for what, by digest; what is there, and why that is believed |
//! | `intake` | what is given: held against what was given before |
//! | `standing` | what stands in the repository already |
//! | `sending`, `blobs` | which blobs go now, what each is asked before it is sent, and what one tells about the others |
//! | `manifests`, `tags`, `lists` | when manifests, tags and lists of referrers are written |
//! | `checks`, `recovery` | what is asked about, and what is sent again |
//! | `keys` | the keys of blobs that can be read only once |
//! | `report`, `progress` | what the push did, and how far it is |

mod blobs;
mod checks;
mod graph;
mod intake;
mod job;
mod keys;
mod lists;
mod manifests;
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
use crate::config::{Learned, OperationId, Options, RepositoryRef};
use crate::outcome::{Event, Failure};
use crate::{Digest, Instant, Repository, Target};
use blobs::Blobs;
use checks::Doubt;
use graph::{ContentId, Graph};
pub(super) use keys::OneShotKeys;
use lists::Lists;
use manifests::ManifestNode;
use progress::Progress;
use report::Report;
use sending::{Asking, Scouting};
use standing::Reads;
use tags::Tags;

/// One thing to do in a push.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    /// Reading what stands under the push's first tag.
    Standing,
    /// Reading what stands under a tag that may hold something like it.
    Like(usize),
    /// Reading the root, or a manifest that a standing index refers to, by its digest.
    ByDigest(Digest),
    /// Finding out whether a mount from the repository itself answers questions.
    Probe,
    /// Sending a blob, by its number.
    Blob(usize),
    /// Asking for content.
    Check(ContentId),
    /// Sending a manifest, by its number.
    Manifest(usize),
    /// Putting a further tag on the root, by its number.
    Tag(usize),
    /// Entering manifests into the list of this subject's referrers.
    List(Digest),
}

/// A node that may start now.
pub(super) struct Start<K> {
    pub(super) node: Node,
    pub(super) flow: AnyFlow<K>,
    /// How often what it is about was asked for in vain: it waits before it is asked for again, longer each time.
    pub(super) tries: u32,
}

/// What a push may look at and write to while it moves.
pub(super) struct PushContext<'a, K> {
    pub(super) operation: OperationId,
    pub(super) options: &'a Options,
    pub(super) learned: &'a mut Learned,
    pub(super) presence: &'a mut Presence,
    pub(super) keys: &'a mut OneShotKeys<K>,
    pub(super) events: &'a mut Vec<Event<K>>,
    pub(super) now: Instant,
}

/// A push under way.
pub(super) struct PushJob<K> {
    place: RepositoryRef,
    root: Option<Digest>,
    graph: Graph,
    blobs: Blobs<K>,
    manifests: Vec<ManifestNode>,
    /// Documents that are not looked into, and wait for all else.
    opaque: Vec<ContentId>,
    tags: Tags,
    lists: Lists,
    reads: Reads,
    asking: Asking,
    scouting: Scouting,
    /// What has to be asked about.
    doubted: VecDeque<Doubt>,
    /// Manifests, by number, that were refused because one of these may be missing.
    suspected_by: BTreeMap<ContentId, Vec<usize>>,
    /// What is being asked about, and when that began.
    checks: BTreeMap<ContentId, (Doubt, Moment)>,
    /// What an earlier process stored.
    resumed: BTreeSet<Digest>,
    /// Uploads that an earlier process left open, and how many bytes were acknowledged in each.
    left_open: BTreeMap<Digest, (Target, u64)>,
    /// Repositories to mount what is not given from.
    mounts: Vec<Repository>,
    is_open: bool,
    is_rechecked: bool,
    /// How many nodes are under way.
    running: usize,
    failure: Option<Failure>,
    /// Why a list of referrers could not be changed: all else is pushed before that is told.
    unlisted: Option<Failure>,
    report: Report,
    progress: Progress,
}
