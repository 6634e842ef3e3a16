//! A flow under the client's care.

use std::collections::BTreeMap;

use http::{Method, StatusCode};

use super::operation::Part;
use super::registry_auth::SentCredential;
use crate::auth::{Scopes, Token, TokenKey};
use crate::config::Options;
use crate::config::RepositoryRef;
use crate::driver::{AskId, Key, OperationId, RequestId};
use crate::endpoint::Row;
use crate::flow::{
    Commit, Committed, Context, Delete, Deleted, Exists, FetchExisting, FetchToken, Flow, Found, IfLost, ListReferrers,
    ListTags, Listed, Next, Outcome, Ping, Probe, PullBlob, PullManifest, UpdateReferrers, Upload, Uploaded,
};
use crate::outcome::Event;
use crate::outcome::Failure;
use crate::target::Target;
use crate::{Descriptor, Digest, Instant, Manifest, Origin, Tag};

/// A flow's name in the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskId(pub(super) u64);

/// A flow, whose it is, and what keeps it from going on.
pub(super) struct Task<K> {
    pub(super) flow: AnyFlow<K>,
    pub(super) registry: Origin,
    /// Who waits for it, and as what. Pushes that need the same blob share its upload.
    pub(super) owners: BTreeMap<OperationId, Part>,
    pub(super) phase: Phase,
    /// Whether a request of it was ever sent: what was begun is finished before new things begin.
    pub(super) is_begun: bool,
    /// Whether its flow has moved since it was last looked at.
    pub(super) has_moved: bool,
    /// How often the current request was made in vain, by row: a row is forgiven when it is answered.
    pub(super) troubles: BTreeMap<Row, u32>,
    /// Where the registry sent the current request to, how often, and whether it did so by itself.
    pub(super) redirect: Option<Redirect>,
    pub(super) login: Login,
    /// The operation that it was begun for: its source gives the bytes, and its receipt counts the requests.
    pub(super) source_of: Option<OperationId>,
    pub(super) errand: Option<SharedTask>,
    /// The digest of the blob that it uploads, if it does: others that want the same one join it.
    pub(super) uploads: Option<Digest>,
}

/// What keeps a task from going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing but the cap on requests.
    Ready,
    /// A wait that was chosen or asked for.
    Resting(Instant),
    /// Bytes of its blob.
    Reading,
    /// Being let in.
    AtDoor(AtDoor),
    /// An answer.
    Flying(Flight),
}

/// What a task needs to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AtDoor {
    Credentials(AskId),
    Token(TokenKey),
    Ping(Origin),
}

/// A task that no operation owns: it is for all that wait at a registry's door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SharedTask {
    /// It fetches this token; when its request was sent.
    Token(TokenKey, Instant),
    /// It finds out how the registry wants to be asked.
    Ping,
}

/// What the current request went through to be let in.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// How often it was turned away.
    pub(super) tries: u32,
    /// How often it waited for a token.
    pub(super) fetched: u32,
}

/// A request in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) id: RequestId,
    pub(super) row: Row,
    pub(super) method: Method,
    pub(super) attempt: u32,
    /// The length of its body, where that is known.
    pub(super) len: Option<u64>,
    pub(super) began: Instant,
    pub(super) target: Target,
    pub(super) if_lost: IfLost,
    /// Whether its body can be had only once.
    pub(super) is_poured: bool,
    /// Whether it has one.
    pub(super) has_body: bool,
    pub(super) scopes: Scopes,
    /// Whether the registry itself aimed it, so that credentials may go with it.
    pub(super) may_sign: bool,
    pub(super) carried: SentCredential,
}

impl Flight {
    /// What became of it, for a trace.
    pub(super) fn exchanged<K>(&self, now: Instant, status: Option<StatusCode>, received: u64) -> Event<K> {
        Event::Exchanged {
            row: Some(self.row),
            method: self.method.clone(),
            target: self.target.clone(),
            attempt: self.attempt,
            sent: self.len,
            took: now.since(self.began),
            status,
            received,
        }
    }
}

/// Where the registry sent a request to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redirect {
    pub(super) target: Target,
    pub(super) followed: usize,
    pub(super) credentials_may_follow: bool,
}

/// Any flow.
pub(super) enum AnyFlow<K> {
    FetchExisting(FetchExisting),
    Exists(Exists),
    Probe(Probe),
    Upload(Box<Upload<K>>),
    Commit(Box<Commit>),
    Referrers(Box<UpdateReferrers>),
    PullManifest(PullManifest),
    PullBlob(PullBlob<K>),
    Delete(Delete),
    ListTags(ListTags),
    ListReferrers(ListReferrers),
    Token(Box<FetchToken>),
    Ping(Ping),
}

/// What any flow came to.
#[derive(Debug)]
pub(super) enum FlowOutput {
    Fetched(Option<Manifest>),
    Exists(Found),
    Probed,
    Uploaded(Uploaded),
    Committed(Committed),
    Listed(Listed),
    Pulled(Manifest),
    Poured(u64),
    Deleted(Deleted),
    Tags(Vec<Tag>),
    Referrers(Vec<Descriptor>),
    Token(Token),
    Pinged,
}

impl FlowOutput {
    /// A copy for another operation that waits for the same upload; nothing else is waited for by several.
    pub(super) fn shared(&self) -> Option<Self> {
        if let Self::Uploaded(uploaded) = self { Some(Self::Uploaded(uploaded.clone())) } else { None }
    }
}

impl<K: Key> AnyFlow<K> {
    /// What was learned since it was made decides its first step.
    pub(super) fn begin(&mut self, context: &mut Context<'_, K>) {
        match self {
            Self::Upload(upload) => upload.begin(context),
            Self::Referrers(update) => update.begin(context),
            _ => {}
        }
    }

    /// What was learned while it waited its turn may spare its first request.
    pub(super) fn reconsider(&mut self, context: &mut Context<'_, K>) {
        if let Self::Referrers(update) = self {
            update.begin(context);
        }
    }

    pub(super) fn next(&self, options: &Options) -> Next<K> {
        match self {
            Self::FetchExisting(flow) => flow.next(options),
            Self::Exists(flow) => flow.next(options),
            Self::Probe(flow) => flow.next(options),
            Self::Upload(flow) => flow.next(options),
            Self::Commit(flow) => flow.next(options),
            Self::Referrers(flow) => flow.next(options),
            Self::PullManifest(flow) => flow.next(options),
            Self::PullBlob(flow) => flow.next(options),
            Self::Delete(flow) => flow.next(options),
            Self::ListTags(flow) => flow.next(options),
            Self::ListReferrers(flow) => flow.next(options),
            Self::Token(flow) => flow.next(options),
            Self::Ping(flow) => flow.next(options),
        }
    }

    /// The result, once [`Self::next`] says [`Next::Done`].
    pub(super) fn finish(self) -> Result<FlowOutput, Failure> {
        match self {
            Self::FetchExisting(flow) => Flow::<K>::finish(flow).map(FlowOutput::Fetched),
            Self::Exists(flow) => Flow::<K>::finish(flow).map(FlowOutput::Exists),
            Self::Probe(flow) => Flow::<K>::finish(flow).map(|()| FlowOutput::Probed),
            Self::Upload(flow) => flow.finish().map(FlowOutput::Uploaded),
            Self::Commit(flow) => Flow::<K>::finish(*flow).map(FlowOutput::Committed),
            Self::Referrers(flow) => Flow::<K>::finish(*flow).map(FlowOutput::Listed),
            Self::PullManifest(flow) => Flow::<K>::finish(flow).map(FlowOutput::Pulled),
            Self::PullBlob(flow) => flow.finish().map(FlowOutput::Poured),
            Self::Delete(flow) => Flow::<K>::finish(flow).map(FlowOutput::Deleted),
            Self::ListTags(flow) => Flow::<K>::finish(flow).map(FlowOutput::Tags),
            Self::ListReferrers(flow) => Flow::<K>::finish(flow).map(FlowOutput::Referrers),
            Self::Token(flow) => Flow::<K>::finish(*flow).map(FlowOutput::Token),
            Self::Ping(flow) => Flow::<K>::finish(flow).map(|()| FlowOutput::Pinged),
        }
    }

    pub(super) fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        match self {
            Self::FetchExisting(flow) => flow.outcome(outcome, context),
            Self::Exists(flow) => flow.outcome(outcome, context),
            Self::Probe(flow) => flow.outcome(outcome, context),
            Self::Upload(flow) => flow.outcome(outcome, context),
            Self::Commit(flow) => flow.outcome(outcome, context),
            Self::Referrers(flow) => flow.outcome(outcome, context),
            Self::PullManifest(flow) => flow.outcome(outcome, context),
            Self::PullBlob(flow) => flow.outcome(outcome, context),
            Self::Delete(flow) => flow.outcome(outcome, context),
            Self::ListTags(flow) => flow.outcome(outcome, context),
            Self::ListReferrers(flow) => flow.outcome(outcome, context),
            Self::Token(flow) => flow.outcome(outcome, context),
            Self::Ping(flow) => flow.outcome(outcome, context),
        }
    }

    /// Gives up while a request is in flight whose answer may open an upload; false where it can be given up at once.
    pub(super) fn leave(&mut self) -> bool {
        match self {
            Self::Exists(flow) => flow.is_mounting(),
            Self::Probe(flow) => flow.is_asking(),
            Self::Upload(flow) => flow.leave(),
            _ => false,
        }
    }

    pub(super) fn cancel(&mut self) {
        match self {
            Self::FetchExisting(flow) => Flow::<K>::cancel(flow),
            Self::Exists(flow) => Flow::<K>::cancel(flow),
            Self::Probe(flow) => Flow::<K>::cancel(flow),
            Self::Upload(flow) => flow.cancel(),
            Self::Commit(flow) => Flow::<K>::cancel(&mut **flow),
            Self::Referrers(flow) => Flow::<K>::cancel(&mut **flow),
            Self::PullManifest(flow) => Flow::<K>::cancel(flow),
            Self::PullBlob(flow) => flow.cancel(),
            Self::Delete(flow) => Flow::<K>::cancel(flow),
            Self::ListTags(flow) => Flow::<K>::cancel(flow),
            Self::ListReferrers(flow) => Flow::<K>::cancel(flow),
            Self::Token(flow) => Flow::<K>::cancel(&mut **flow),
            Self::Ping(flow) => Flow::<K>::cancel(flow),
        }
    }
}

impl<K: Key> Task<K> {
    pub(super) fn new(flow: AnyFlow<K>, registry: Origin, owner: OperationId, part: Part) -> Self {
        let uploads = if let AnyFlow::Upload(upload) = &flow { upload.shareable() } else { None };
        Self {
            flow,
            registry,
            owners: BTreeMap::from([(owner, part)]),
            phase: Phase::Ready,
            is_begun: false,
            has_moved: true,
            troubles: BTreeMap::new(),
            redirect: None,
            login: Login::default(),
            source_of: Some(owner),
            errand: None,
            uploads,
        }
    }

    /// A task for all that wait at a registry's door.
    pub(super) fn errand(
        flow: AnyFlow<K>,
        registry: Origin,
        errand: SharedTask,
        operation: Option<OperationId>,
    ) -> Self {
        Self {
            flow,
            registry,
            owners: BTreeMap::new(),
            phase: Phase::Ready,
            is_begun: true,
            has_moved: true,
            troubles: BTreeMap::new(),
            redirect: None,
            login: Login::default(),
            source_of: operation,
            errand: Some(errand),
            uploads: None,
        }
    }

    /// What goes first: what was begun, then questions and commits, then the largest blob.
    pub(super) fn weight(&self) -> (bool, u64) {
        let size = if let AnyFlow::Upload(upload) = &self.flow { upload.size().unwrap_or(0) } else { u64::MAX };
        (self.is_begun, size)
    }

    /// The blob that it sends or reads, by the caller's key.
    pub(super) fn blob(&self) -> Option<&K> {
        if let AnyFlow::Upload(upload) = &self.flow { Some(upload.key()) } else { None }
    }

    /// How many bytes the blob that it sends has.
    pub(super) fn total(&self) -> Option<u64> {
        if let AnyFlow::Upload(upload) = &self.flow { upload.size() } else { None }
    }

    /// The first byte of its blob that its request in flight carries.
    pub(super) fn sending_from(&self) -> Option<u64> {
        if let AnyFlow::Upload(upload) = &self.flow { upload.sending_from() } else { None }
    }

    /// Where the blob that it sends goes.
    pub(super) fn upload_place(&self) -> Option<&RepositoryRef> {
        if let AnyFlow::Upload(upload) = &self.flow { Some(upload.place()) } else { None }
    }

    /// The list of referrers that it changes.
    pub(super) fn list(&self) -> Option<(&RepositoryRef, Digest)> {
        if let AnyFlow::Referrers(update) = &self.flow { Some(update.list()) } else { None }
    }

    /// Whether nobody but `operation` waits for it.
    pub(super) fn is_only_for(&self, operation: OperationId) -> bool {
        self.owners.keys().all(|owner| *owner == operation)
    }
}

/// The rows whose answers carry content, so that a body that was cut is no answer.
pub(super) const fn carries_content(row: Row) -> bool {
    matches!(
        row,
        Row::PullBlob
            | Row::PullManifest
            | Row::ListTags
            | Row::ListSomeTags
            | Row::ListReferrers
            | Row::ListSomeReferrers
            | Row::FetchToken
    )
}
