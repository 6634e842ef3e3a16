//! State machines of exchanges with a registry, one in each file or folder. Each has one exchange at a time, which its
//! state determines.
//!
//! A flow makes its requests through [`endpoint`](crate::endpoint) and never sees a retry, a redirect or credentials:
//! the client does all of these and gives the flow the final [`Outcome`] of the exchange. [`Flow::next`] returns what
//! the state asks for and changes nothing, so the client can call it again for a retry; only [`Flow::outcome`] changes
//! the state.

mod commit;
mod delete;
mod existing;
mod exists;
mod list;
mod probe;
mod pull;
mod referrers;
#[cfg(test)]
mod stage;
mod token;
mod upload;

use bytes::Bytes;
use http::{Request, Response};

pub(crate) use commit::{Commit, Committed, Stored};
pub(crate) use delete::{Delete, Deleted};
pub(crate) use existing::FetchExisting;
pub(crate) use exists::{Exists, Found};
pub(crate) use list::{ListReferrers, ListTags};
pub(crate) use probe::Probe;
pub(crate) use pull::{PullBlob, PullManifest};
pub(crate) use referrers::{Listed, UpdateReferrers};
pub(crate) use token::{FetchToken, Ping};
pub(crate) use upload::{Content, Question, Upload, Uploaded};

use crate::Instant;
use crate::auth::Scopes;
use crate::config::{Learned, Options};
use crate::driver::{Body, End, Keep, Key};
use crate::endpoint::{Endpoint, OpenUpload, Refused, Row};
use crate::outcome::{Event, Failure};
use crate::target::Target;

/// A request, and what the client must know to send, repeat or abort it.
pub(crate) struct Exchange<K> {
    pub(crate) row: Row,
    pub(crate) target: Target,
    pub(crate) request: Request<Body<K>>,
    pub(crate) keep: Keep<K>,
    pub(crate) scopes: Scopes,
    pub(crate) if_lost: IfLost,
    /// The target whose answer named the target of this request, if it is a `Location`.
    pub(crate) named_by: Option<Target>,
}

/// What to do if it is not known whether the registry applied a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfLost {
    /// Repeat it: applied twice, it has the same effect as once.
    Repeat,
    /// Tell the flow, which asks the registry.
    Ask,
    /// Do nothing: no later request depends on it.
    Forget,
}

/// The result of an exchange, after the client's redirects, authentication and retries.
pub(crate) enum Outcome {
    /// The registry answered.
    Answer { from: Target, response: Response<Bytes>, end: End },
    /// It is not known whether the registry applied the request: either no answer came, or this one with a transient
    /// status.
    Unknown { answer: Option<Box<Refused>> },
    /// The client gave up.
    Failed(Failure),
}

/// What a flow wants next.
pub(crate) enum Next<K> {
    /// This exchange. If its request cannot be built, the failure is its outcome.
    Send(Result<Box<Exchange<K>>, Failure>),
    /// Bytes of its one-shot blob, buffered from the first position to before the second.
    Read { from: u64, up_to: u64 },
    /// Nothing, until a method other than [`Flow::outcome`] changes its state.
    Hold,
    /// Nothing: the flow has ended, and [`Flow::finish`] gives its result.
    Done,
}

/// What a flow may read and write while it moves.
pub(crate) struct Context<'a, K> {
    pub(crate) options: &'a Options,
    pub(crate) now: Instant,
    pub(crate) learned: &'a mut Learned,
    pub(crate) events: &'a mut Vec<Event<K>>,
    /// A flow sets this if its next exchange should wait as after a failure: after so many in a row, at least 1.
    pub(crate) pause: &'a mut u32,
    /// An upload sets this if the registry was asked for its blob and did not say that it has the blob.
    pub(crate) unseen: &'a mut Option<Unseen>,
}

/// What an upload does after the registry was asked for its blob and did not say that it has the blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// It sends the blob.
    Sent,
    /// It waits until the client knows whether this registry answers such a question: [`Upload::end_hold`].
    Held,
}

/// A state machine of exchanges.
pub(crate) trait Flow<K: Key>: Sized {
    type Output;

    /// What the state asks for. It is called only while no exchange of this flow is in flight, and returns the same
    /// until an outcome comes.
    fn next(&self, options: &Options) -> Next<K>;

    /// Moves to the next state, by the outcome of the exchange.
    fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>);

    /// Cancels the flow, which then only cleans up. It is called only while nothing is in flight.
    fn cancel(&mut self);

    /// The result, after [`Flow::next`] has returned [`Next::Done`]. Before that it is a failure which says that the
    /// flow was cancelled.
    fn finish(self) -> Result<Self::Output, Failure>;
}

impl<K> Exchange<K> {
    /// The exchange for one endpoint. It is repeated if its answer is lost.
    pub(crate) fn new(endpoint: &impl Endpoint, body: Body<K>, scopes: Scopes, keep: Keep<K>) -> Result<Self, Failure> {
        let (row, target) = (endpoint.row(), endpoint.target());
        match endpoint.request() {
            Ok(head) => {
                let request = head.map(|()| body);
                Ok(Self { row, target, request, keep, scopes, if_lost: IfLost::Repeat, named_by: None })
            }
            Err(error) => Err(Failure::new(error).at(row, target)),
        }
    }

    /// The same exchange, to the location of an upload.
    pub(crate) fn in_upload(mut self, upload: &OpenUpload) -> Self {
        self.named_by = Some(upload.named_by().clone());
        self
    }

    pub(crate) fn forget_if_lost(mut self) -> Self {
        self.if_lost = IfLost::Forget;
        self
    }

    pub(crate) fn ask_if_lost(mut self) -> Self {
        self.if_lost = IfLost::Ask;
        self
    }
}

impl Outcome {
    /// The failure, if the outcome is one.
    pub(crate) fn into_failure(self) -> Option<Failure> {
        if let Self::Failed(failure) = self { Some(failure) } else { None }
    }
}

impl<K> Next<K> {
    pub(crate) fn send(exchange: Result<Exchange<K>, Failure>) -> Self {
        Self::Send(exchange.map(Box::new))
    }
}

/// The result of a flow, or a failure if it has not ended.
fn ended<T>(result: Option<Result<T, Failure>>) -> Result<T, Failure> {
    result.unwrap_or_else(|| Err(Failure::cancelled()))
}
