//! A flow of any kind, and its result.

use crate::auth::Token;
use crate::config::{Options, RepositoryRef};
use crate::driver::Key;
use crate::flow::{
    Commit, Committed, Context, Delete, Deleted, Exists, FetchExisting, FetchToken, Flow, Found, ListReferrers,
    ListTags, Listed, Next, Outcome, Ping, Probe, PullBlob, PullManifest, UpdateReferrers, Upload, Uploaded,
};
use crate::outcome::Failure;
use crate::{Descriptor, Digest, Manifest, Tag};

/// A flow of any kind.
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

/// The result of a flow of any kind.
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
    /// A copy for another operation that waits for the same upload or the same change of a list. Several operations
    /// wait for no other flow.
    pub(super) fn shared(&self) -> Option<Self> {
        match self {
            Self::Uploaded(uploaded) => Some(Self::Uploaded(uploaded.clone())),
            Self::Listed(listed) => Some(Self::Listed(*listed)),
            _ => None,
        }
    }
}

impl<K: Key> AnyFlow<K> {
    /// Takes the first step. What was learned since the flow was made decides which.
    pub(super) fn begin(&mut self, context: &mut Context<'_, K>) {
        match self {
            Self::Upload(upload) => upload.begin(context),
            Self::Referrers(update) => update.begin(context),
            _ => {}
        }
    }

    /// Checks again before the first request whether what was learned meanwhile makes it unnecessary.
    pub(super) fn reconsider(&mut self, context: &mut Context<'_, K>) {
        if let Self::Referrers(update) = self {
            update.begin(context);
        }
    }

    /// Continues an upload that waits in [`Next::Hold`].
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

    /// The result, after [`Self::next`] has returned [`Next::Done`].
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

    /// The result, if only an upload is still to be cancelled.
    pub(super) fn early_result(&self) -> Option<Result<FlowOutput, Failure>> {
        match self {
            Self::Upload(upload) => Some(upload.early_result()?.map(FlowOutput::Uploaded)),
            Self::Probe(probe) if probe.is_answered() => Some(Ok(FlowOutput::Probed)),
            _ => None,
        }
    }

    /// Cancels the flow after the answer to the request in flight, if that answer must be known because it may open an
    /// upload or decides about a list. Returns `false` if the flow can be dropped at once.
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
    /// The size of the blob that it sends, in bytes; `None` for a flow that sends no blob, and for a blob of unknown
    /// size.
    pub(super) fn size(&self) -> Option<u64> {
        if let Self::Upload(upload) = self { upload.size() } else { None }
    }

    /// The caller's key of the blob that it sends or reads.
    pub(super) fn blob(&self) -> Option<&K> {
        if let Self::Upload(upload) = self { Some(upload.key()) } else { None }
    }

    /// The position of the first byte of its blob that its request in flight sends.
    pub(super) fn sending_from(&self) -> Option<u64> {
        if let Self::Upload(upload) = self { upload.sending_from() } else { None }
    }

    /// The repository and digest of the blob that it uploads, if other operations may wait for the same upload.
    pub(super) fn shared_upload(&self) -> Option<(RepositoryRef, Digest)> {
        if let Self::Upload(upload) = self { Some((upload.place().clone(), upload.shareable()?)) } else { None }
    }

    /// Takes over the entries that another update of the same list of referrers adds, if possible.
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

    /// Whether a token service has refused the credentials of its request.
    pub(super) fn was_refused(&self) -> bool {
        if let Self::Token(fetch) = self { fetch.was_refused() } else { false }
    }
}
