//! A running push: which tasks may start now, and what follows from the results of tasks.
//!
//! A manifest is sent only after the registry has acknowledged everything that it refers to. `graph` counts what each
//! manifest waits for; `standing` reads what the repository already has; `sending` chooses the blobs to send now,
//! `manifests` the manifests and tags; `checks` asks about content that was not given, `recovery` about content that
//! the registry says is missing; `intake` adds what the caller gives.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::blobs::{BlobNode, Blobs};
use super::graph::Graph;
use super::lists::Lists;
use super::progress::Progress;
use super::report::Report;
use super::sending::{Asking, Scouting};
use super::standing::Reads;
use super::tags::Tags;
use super::{Node, PushContext, PushJob, Start};
use crate::Digest;
use crate::client::any_flow::{AnyFlow, FlowOutput};
use crate::config::{Checkpoint, LeftOpen, Options, Push, RepositoryRef, Supply};
use crate::driver::Key;
use crate::endpoint::OpenUpload;
use crate::flow::{Committed, Upload};
use crate::outcome::{Failure, FailureKind, Pushed};

impl<K: Key> PushJob<K> {
    pub(in crate::client) fn new(push: Push<K>, context: &mut PushContext<'_, K>) -> Self {
        let place = RepositoryRef { origin: push.registry.origin(), repository: push.repository };
        let is_rechecked = push.is_rechecked || context.options.recheck;
        let mut job = Self {
            graph: Graph::default(),
            blobs: Blobs::new(),
            manifests: Vec::new(),
            opaque: Vec::new(),
            root: push.root,
            tags: Tags::new(push.tags),
            lists: Lists::default(),
            reads: Reads::new(push.like),
            asking: Asking::Undecided,
            scouting: Scouting::default(),
            doubted: VecDeque::new(),
            suspected_by: BTreeMap::new(),
            checks: BTreeMap::new(),
            resumed: BTreeSet::new(),
            left_open: BTreeMap::new(),
            mounts: push.mounts,
            is_open: push.is_open,
            is_rechecked,
            running: 0,
            failure: None,
            unlisted: None,
            report: Report::default(),
            progress: Progress::default(),
            place,
        };
        if let Some(checkpoint) = &push.checkpoint {
            job.resume(checkpoint);
        }
        job.take_in(push.manifests, push.blobs, context);
        job
    }

    /// Continues what an earlier process has saved.
    fn resume(&mut self, checkpoint: &Checkpoint) {
        if !self.is_rechecked {
            self.resumed = checkpoint.stored().iter().copied().collect();
        }
        self.left_open = checkpoint.uploads(&self.place.origin).collect();
    }

    /// Adds something to a push that was left open.
    ///
    /// # Errors
    /// If the push is not open, or if the addition contradicts what was given before. Then nothing is added.
    pub(in crate::client) fn supply(
        &mut self,
        supply: Supply<K>,
        context: &mut PushContext<'_, K>,
    ) -> Result<(), FailureKind> {
        if !self.is_open {
            let text = "nothing can be added to a push that was not left open, or was ended";
            return Err(FailureKind::Misuse(text.to_owned()));
        }
        match supply {
            Supply::Blob(blob) => self.add_blob(blob, context)?,
            Supply::Manifest(manifest) => self.add_manifest(manifest, context)?,
            Supply::Root(manifest) => {
                let digest = manifest.digest();
                if self.root.is_some_and(|root| root != digest) {
                    return Err(FailureKind::Misuse("the push has another root already".to_owned()));
                }
                self.add_manifest(manifest, context)?;
                self.root = Some(digest);
            }
            Supply::End => self.is_open = false,
        }
        Ok(())
    }

    pub(in crate::client) const fn place(&self) -> &RepositoryRef {
        &self.place
    }

    /// The tasks that may start now, because everything that they depend on is done.
    pub(in crate::client) fn advance(&mut self, context: &mut PushContext<'_, K>) -> Vec<Start<K>> {
        let mut starts = Vec::new();
        if self.failure.is_some() {
            return starts;
        }
        self.read_standing(context, &mut starts);
        if self.reads.are_under_way() {
            return starts;
        }
        self.start_ready(context, &mut starts);
        if starts.is_empty() && self.is_quiet() {
            // A document that is not parsed may refer to anything, so it is sent after everything else.
            std::mem::take(&mut self.opaque).into_iter().for_each(|id| self.graph.free(id));
            self.start_ready(context, &mut starts);
        }
        starts
    }

    /// Starts tasks until none is ready. A step that needs no request may make others ready.
    fn start_ready(&mut self, context: &mut PushContext<'_, K>, starts: &mut Vec<Start<K>>) {
        loop {
            let before = starts.len();
            self.start_manifests(context, starts);
            self.start_lists(context, starts);
            self.start_tags(context, starts);
            self.start_checks(context, starts);
            self.start_blobs(context, starts);
            if starts.len() == before {
                return;
            }
        }
    }

    /// Whether no task is running and nothing more will be given.
    fn is_quiet(&self) -> bool {
        !self.is_open && self.running == 0 && self.failure.is_none() && self.blobs.unfinished() == 0
    }

    /// How many more tasks may start. The number is limited so that a push does not have a task for each of its blobs,
    /// but high enough that the client can always choose one.
    pub(super) fn room(&self, options: &Options) -> usize {
        let bounded = self.running.saturating_sub(self.blobs.open_pipes());
        options.in_flight.saturating_mul(2).max(2).saturating_sub(bounded)
    }

    pub(super) fn start(&mut self, node: Node, flow: AnyFlow<K>, tries: u32) -> Start<K> {
        self.running = self.running.saturating_add(1);
        Start { node, flow, tries }
    }

    /// Handles the result of a task.
    pub(in crate::client) fn finished(
        &mut self,
        node: &Node,
        result: Result<FlowOutput, Failure>,
        context: &mut PushContext<'_, K>,
    ) {
        self.running = self.running.saturating_sub(1);
        self.stop(node);
        match result {
            Ok(output) => self.succeeded(node, output, context),
            Err(failure) => self.not_done(node, failure),
        }
    }

    /// The task for this node has ended.
    fn stop(&mut self, node: &Node) {
        match node {
            Node::Standing | Node::Like(_) | Node::ByDigest(_) => self.reads.ended(),
            Node::Blob(number) => self.blob_stopped(*number),
            Node::Probe => self.probe_ended(),
            Node::Tag(number) => self.tags.stop(*number),
            Node::Manifest(number) if self.is_root(*number) => self.tags.stop_all(),
            Node::Check(_) | Node::Manifest(_) | Node::List(_) => {}
        }
    }

    fn succeeded(&mut self, node: &Node, output: FlowOutput, context: &mut PushContext<'_, K>) {
        match (node, output) {
            (Node::Standing, FlowOutput::Fetched(Some(standing))) => self.stands_under_tag(&standing, context),
            (Node::Like(_), FlowOutput::Fetched(Some(standing))) => self.stands(&standing, context),
            (Node::ByDigest(_), FlowOutput::Fetched(Some(standing))) => self.stands(&standing, context),
            (Node::Blob(number), FlowOutput::Uploaded(uploaded)) => self.blob_stored(*number, uploaded, context),
            (Node::Check(id), FlowOutput::Exists(found)) => self.checked(*id, found, context),
            (Node::Manifest(number), FlowOutput::Committed(Committed::Stored(stored))) => {
                self.manifest_sent(*number, &stored, context);
            }
            (Node::Manifest(number), FlowOutput::Committed(Committed::Missing(failure))) => {
                self.lacks(*number, failure, context);
            }
            (Node::Tag(number), FlowOutput::Committed(Committed::Stored(stored))) => {
                self.tag_stored(*number, &stored, context);
            }
            (Node::Tag(_), FlowOutput::Committed(Committed::Missing(failure))) => match self.root_number() {
                Some(root) => self.lacks(root, failure, context),
                None => self.fail(failure),
            },
            (Node::List(subject), FlowOutput::Listed(listed)) => self.listed(*subject, listed.fallback, context),
            _ => {}
        }
    }

    fn not_done(&mut self, node: &Node, failure: Failure) {
        match node {
            Node::List(subject) => {
                self.lists.changed(*subject);
                self.unlisted.get_or_insert(failure);
            }
            // The first failure is reported. The tasks that it cancels fail after it.
            _ => self.fail(failure),
        }
    }

    /// Another push was sending a blob and has failed: this push sends the blob itself.
    pub(in crate::client) fn again(&mut self, node: &Node) {
        self.running = self.running.saturating_sub(1);
        self.stop(node);
        if let Node::Blob(number) = node {
            self.blobs.again(*number);
            self.answered_about(*number, false);
        }
    }

    /// Counts a request that was sent for this push.
    pub(in crate::client) const fn count(&mut self, bytes: u64) {
        self.report.sent(bytes);
    }

    /// Blobs of unknown digest that are open.
    pub(in crate::client) const fn open_pipes(&self) -> usize {
        self.blobs.open_pipes()
    }

    /// The key of the blob that this node sends.
    pub(in crate::client) fn key_of(&self, node: &Node) -> Option<&K> {
        let Node::Blob(number) = node else { return None };
        self.blobs.get(*number).map(|node| &node.key)
    }

    /// The uploads that an earlier process left open, and that this push has not continued.
    pub(in crate::client) const fn left_open(&self) -> &BTreeMap<Digest, LeftOpen> {
        &self.left_open
    }

    /// Flows that cancel the uploads that an earlier process left open, and that this push did not need.
    pub(in crate::client) fn cancel_left_open(&mut self) -> Vec<AnyFlow<K>> {
        let mut flows = Vec::new();
        for (digest, left) in std::mem::take(&mut self.left_open) {
            // An upload of a blob that this push does not have is left to a push that has it.
            let is_its = |node: &BlobNode<K>| node.id.and_then(|id| self.graph.digest(id)) == Some(digest);
            let Some(node) = self.blobs.find(is_its) else { continue };
            let (key, content) = (node.key.clone(), node.content(&self.graph));
            let mut upload = Upload::new(key, self.place.clone(), content, Vec::new());
            upload.cancel_open(OpenUpload::at(left.target));
            flows.push(AnyFlow::Upload(Box::new(upload)));
        }
        flows
    }

    pub(in crate::client) fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    pub(in crate::client) const fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The result, once no task is running and none can start.
    pub(in crate::client) fn result(&self) -> Option<Result<Pushed, Failure>> {
        // A push that failed has no tasks left now; other pushes own those that they continue.
        if let Some(failure) = &self.failure {
            return Some(Err(failure.clone()));
        }
        if self.running > 0 || self.is_open || self.blobs.has_pipe() {
            return None;
        }
        if let Some(digest) = self.graph.first_unstored().filter(|_| self.graph.unstored() > 0) {
            return Some(Err(Failure::new(FailureKind::Incomplete { digest })));
        }
        match self.root {
            None if !self.tags.all().is_empty() => {
                let text = "the push has tags, but no root manifest for them to name";
                return Some(Err(Failure::new(FailureKind::Misuse(text.to_owned()))));
            }
            Some(digest) if !self.tags.are_done() => {
                return Some(Err(Failure::new(FailureKind::Incomplete { digest })));
            }
            _ => {}
        }
        Some(self.unlisted.clone().map_or_else(|| Ok(self.pushed()), Err))
    }

    fn pushed(&self) -> Pushed {
        let Report { uploaded, mounted, existing, requests, bytes } = self.report;
        let unverified = self.graph.unverified().collect();
        let (digest, tags) = (self.root, self.tags.all().to_vec());
        Pushed { digest, tags, requests, bytes, uploaded, mounted, existing, unverified }
    }

    /// The blobs of the push that the registry has acknowledged, for a checkpoint.
    pub(in crate::client) fn acknowledged(&self) -> impl Iterator<Item = Digest> {
        self.graph.acknowledged_blobs()
    }
}
