//! The blobs of a push: which ones wait, which ones are being sent, and what is known about each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::graph::{ContentId, Graph};
use crate::client::presence::Moment;
use crate::config::{Blob, Options};
use crate::driver::Key;
use crate::flow::Content;
use crate::{Algorithm, Digest, Repository};

/// A blob of a push. There may be a hundred thousand: its digest is kept once, in the graph.
pub(super) struct BlobNode<K> {
    pub(super) key: K,
    /// Its node in the graph, once its digest is known.
    pub(super) id: Option<ContentId>,
    /// Its length in bytes, once it is known.
    pub(super) size: Option<u64>,
    /// What is computed over its bytes, where its digest is not known yet.
    algorithm: Algorithm,
    /// Whether its source can be read only once.
    pub(super) is_one_shot: bool,
    /// Repositories of the same registry that it may be in already.
    pub(super) mounts: Vec<Repository>,
    pub(super) state: BlobState,
    /// Whether the registry does not have it although it had acknowledged it. Then it is sent, whatever else is known.
    pub(super) is_lacking: bool,
    /// Whether the registry answered that it has the blob, after it had said that the blob is missing.
    pub(super) was_found: bool,
    /// Whether its bytes were or will be sent a second time. They are not sent a third time.
    pub(super) was_sent_again: bool,
    /// Whether it was assumed to exist because of a served manifest, until the registry said that it is missing.
    pub(super) was_served: bool,
    /// The highest number of its bytes that were ever stored or being sent.
    pub(super) reached: u64,
    /// When its upload started.
    pub(super) begun: Moment,
    /// The content that a one-shot source can still give, after it was read.
    pub(super) left: Option<Box<Content>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlobState {
    Waiting,
    Running,
    Done,
}

impl<K> BlobNode<K> {
    /// A blob that waits.
    fn new(blob: Blob<K>, id: Option<ContentId>) -> Self {
        Self {
            key: blob.key,
            id,
            size: blob.identity.map(|(_, size)| size),
            algorithm: blob.algorithm,
            is_one_shot: blob.is_one_shot,
            mounts: blob.mounts,
            state: BlobState::Waiting,
            is_lacking: false,
            was_found: false,
            was_sent_again: false,
            was_served: false,
            reached: 0,
            begun: Moment::default(),
            left: None,
        }
    }

    /// Its digest, and its length in bytes, once they are known.
    pub(super) fn identity(&self, graph: &Graph) -> Option<(Digest, u64)> {
        graph.digest(self.id?).zip(self.size)
    }

    /// The content that can be sent.
    pub(super) fn content(&self, graph: &Graph) -> Content {
        let whole = || Content::new(self.algorithm, self.identity(graph), self.is_one_shot);
        self.left.as_deref().cloned().unwrap_or_else(whole)
    }

    /// Whether all of it can still be sent.
    pub(super) fn can_replay(&self) -> bool {
        self.left.as_deref().is_none_or(Content::can_replay)
    }

    /// Whether a question costs less than the bytes it may save.
    pub(super) fn is_worth_asking(&self, options: &Options) -> bool {
        self.size.is_some_and(|size| size > options.ask_above)
    }
}

/// The blobs of a push, numbered.
pub(super) struct Blobs<K> {
    nodes: Vec<BlobNode<K>>,
    by_key: BTreeMap<K, usize>,
    /// Blobs of known digest that wait, the largest first.
    waiting: BTreeSet<(Reverse<u64>, usize)>,
    /// Blobs of unknown digest that wait, in the order in which they were given.
    pipes: VecDeque<usize>,
    /// How many blobs of unknown digest are open.
    open_pipes: usize,
    /// Blobs that are not done.
    unfinished: usize,
    /// Those of them whose digest is not known.
    unidentified: usize,
}

impl<K: Key> Blobs<K> {
    pub(super) const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            by_key: BTreeMap::new(),
            waiting: BTreeSet::new(),
            pipes: VecDeque::new(),
            open_pipes: 0,
            unfinished: 0,
            unidentified: 0,
        }
    }

    pub(super) fn reserve(&mut self, more: usize) {
        self.nodes.reserve_exact(more);
    }

    /// The number of the next blob that is added.
    pub(super) const fn next(&self) -> usize {
        self.nodes.len()
    }

    /// Adds a blob that was not given before. It waits to be sent.
    pub(super) fn add(&mut self, blob: Blob<K>, id: Option<ContentId>) {
        let number = self.nodes.len();
        self.by_key.insert(blob.key.clone(), number);
        self.nodes.push(BlobNode::new(blob, id));
        self.unfinished = self.unfinished.saturating_add(1);
        self.unidentified = self.unidentified.saturating_add(usize::from(id.is_none()));
        self.line_up(number);
    }

    /// Adds another key of the blob with this number.
    pub(super) fn add_key(&mut self, key: K, number: usize) {
        self.by_key.entry(key).or_insert(number);
    }

    pub(super) fn by_key(&self, key: &K) -> Option<&BlobNode<K>> {
        self.nodes.get(*self.by_key.get(key)?)
    }

    /// The first blob that fits.
    pub(super) fn find(&self, fits: impl Fn(&BlobNode<K>) -> bool) -> Option<&BlobNode<K>> {
        self.nodes.iter().find(|node| fits(node))
    }

    pub(super) fn get(&self, number: usize) -> Option<&BlobNode<K>> {
        self.nodes.get(number)
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut BlobNode<K>> {
        self.nodes.get_mut(number)
    }

    /// Adds a blob to those that wait.
    fn line_up(&mut self, number: usize) {
        let Some(node) = self.nodes.get(number) else { return };
        match node.size {
            Some(size) => {
                self.waiting.insert((Reverse(size), number));
            }
            None => self.pipes.push_back(number),
        }
    }

    /// A blob that waited is being sent now.
    pub(super) fn run(&mut self, number: usize) -> Option<&mut BlobNode<K>> {
        let node = self.nodes.get_mut(number)?;
        node.state = BlobState::Running;
        match node.size {
            Some(size) => {
                self.waiting.remove(&(Reverse(size), number));
            }
            None => self.open_pipes = self.open_pipes.saturating_add(1),
        }
        Some(node)
    }

    /// A blob is not being sent any more.
    pub(super) fn stop(&mut self, number: usize) {
        if let Some(node) = self.nodes.get(number)
            && node.state == BlobState::Running
            && node.size.is_none()
        {
            self.open_pipes = self.open_pipes.saturating_sub(1);
        }
    }

    /// A blob is in the repository, or need not be.
    pub(super) fn done(&mut self, number: usize) {
        let Some(node) = self.nodes.get_mut(number) else { return };
        if node.state == BlobState::Waiting
            && let Some(size) = node.size
        {
            self.waiting.remove(&(Reverse(size), number));
        }
        if std::mem::replace(&mut node.state, BlobState::Done) != BlobState::Done {
            self.unfinished = self.unfinished.saturating_sub(1);
            self.unidentified = self.unidentified.saturating_sub(usize::from(node.id.is_none()));
        }
    }

    /// A blob must be sent or asked about once more.
    pub(super) fn again(&mut self, number: usize) {
        let Some(node) = self.nodes.get_mut(number) else { return };
        if std::mem::replace(&mut node.state, BlobState::Waiting) == BlobState::Done {
            self.unfinished = self.unfinished.saturating_add(1);
        }
        self.line_up(number);
    }

    /// Blobs of known digest that wait, the largest first.
    pub(super) fn waiting(&self) -> impl DoubleEndedIterator<Item = (usize, &BlobNode<K>)> {
        self.waiting.iter().filter_map(|(_, number)| Some((*number, self.nodes.get(*number)?)))
    }

    /// How many of them there are.
    pub(super) fn waiting_len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a blob of unknown digest waits.
    pub(super) fn has_pipe(&self) -> bool {
        !self.pipes.is_empty()
    }

    /// The next blob of unknown digest.
    pub(super) fn next_pipe(&mut self) -> Option<usize> {
        self.pipes.pop_front()
    }

    /// How many blobs of unknown digest are open.
    pub(super) const fn open_pipes(&self) -> usize {
        self.open_pipes
    }

    /// How many blobs have no known digest yet. Each may turn out to be any content.
    pub(super) const fn unidentified(&self) -> usize {
        self.unidentified
    }

    /// Blobs that are not done.
    pub(super) const fn unfinished(&self) -> usize {
        self.unfinished
    }
}
