//! Any flow, and what it came to.

use crate::auth::Token;
use crate::config::{Options, RepositoryRef};
use crate::driver::Key;
use crate::flow::{
    Commit, Committed, Context, Delete, Deleted, Exists, FetchExisting, FetchToken, Flow, Found, ListReferrers,
    ListTags, Listed, Next, Outcome, Ping, Probe, PullBlob, PullManifest, UpdateReferrers, Upload, Uploaded,
};
use crate::outcome::Failure;
use crate::{Descriptor, Digest, Manifest, Tag};

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
    /// A copy for another operation that waits for the same upload, or for the same change of a list; nothing else is waited for
    /// by several.
    pub(super) fn shared(&self) -> Option<Self> {
        match self {
            Self::Uploaded(uploaded) => Some(Self::Uploaded(uploaded.clone())),
            Self::Listed(listed) => Some(Self::Listed(*listed)),
            _ => None,
        }
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

    /// An upload that is held goes on.
    pub(super) fn end_hold(&mut self, context: &mut Context<'_, K>) {
        if let Self::Upload(upload) = self {
            upload.end_hold(context);
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

    /// What it came to, where all that is left is to cancel an upload that it opened.
    pub(super) fn early_result(&self) -> Option<Result<FlowOutput, Failure>> {
        match self {
            Self::Upload(upload) => Some(upload.early_result()?.map(FlowOutput::Uploaded)),
            Self::Probe(probe) if probe.is_answered() => Some(Ok(FlowOutput::Probed)),
            _ => None,
        }
    }

    /// Gives up while a request is in flight whose answer has to be known: it may open an upload, or tell what became of a list.
    /// False where the flow can be given up at once.
    pub(super) fn leave(&mut self) -> bool {
        match self {
            Self::Probe(flow) => flow.is_asking(),
            Self::Exists(flow) => flow.is_mounting(),
            Self::Referrers(flow) => flow.leave(),
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

impl<K: Key> AnyFlow<K> {
    /// How many bytes the blob has that it sends; nothing for one that asks or commits, and for a blob of unknown length.
    pub(super) fn size(&self) -> Option<u64> {
        if let Self::Upload(upload) = self { upload.size() } else { None }
    }

    /// The blob that it sends or reads, by the caller's key.
    pub(super) fn blob(&self) -> Option<&K> {
        if let Self::Upload(upload) = self { Some(upload.key()) } else { None }
    }

    /// The first byte of its blob that its request in flight carries.
    pub(super) fn sending_from(&self) -> Option<u64> {
        if let Self::Upload(upload) = self { upload.sending_from() } else { None }
    }

    /// The blob that it uploads and where, if others that want the same may join it.
    pub(super) fn shared_upload(&self) -> Option<(RepositoryRef, Digest)> {
        if let Self::Upload(upload) = self { Some((upload.place().clone(), upload.shareable()?)) } else { None }
    }

    /// Takes over what another change of the same list of referrers puts in, if it can.
    pub(super) fn join(&mut self, other: &mut Self) -> bool {
        if let (Self::Referrers(own), Self::Referrers(other)) = (self, other) { own.join(other) } else { false }
    }

    /// The list of referrers that it changes.
    pub(super) fn list(&self) -> Option<(RepositoryRef, Digest)> {
        if let Self::Referrers(update) = self {
            let (place, subject) = update.list();
            Some((place.clone(), subject))
        } else {
            None
        }
    }

    /// Whether a token service has refused the credentials that it was asked with.
    pub(super) fn was_refused(&self) -> bool {
        if let Self::Token(fetch) = self { fetch.was_refused() } else { false }
    }
}
