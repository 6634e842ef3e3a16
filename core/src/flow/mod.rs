//! State machines of exchanges with a registry, one in each file or folder. Each has one exchange at a time, which its state
//! names.
//!
//! A flow makes its requests through [`endpoint`](crate::endpoint) and never sees a retry, a redirect or a credential: the
//! client above does those and hands it the final [`Outcome`] of the exchange. [`Flow::next`] says what the state asks for
//! and changes nothing, so an attempt that failed is made again by asking again; only [`Flow::outcome`] moves the state.

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
use http::{Request, Response, StatusCode};

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
use crate::endpoint::{Endpoint, OpenUpload, Row};
use crate::outcome::{Event, Failure};
use crate::target::Target;

/// A request, and what the client must know to make it, make it again, or give it up.
pub(crate) struct Exchange<K> {
    pub(crate) row: Row,
    pub(crate) target: Target,
    pub(crate) request: Request<Body<K>>,
    pub(crate) keep: Keep<K>,
    pub(crate) scopes: Scopes,
    pub(crate) if_lost: IfLost,
    /// Whose answer named the target, where it is not one of the registry's own paths.
    pub(crate) named_by: Option<Target>,
}

/// What to do when it is unknown whether a request was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfLost {
    /// Make it again: applied twice, it has the same effect as once.
    Repeat,
    /// Tell the flow, which asks the registry.
    Ask,
    /// Do nothing: no later request depends on it.
    Forget,
}

/// What came of an exchange, after the client's redirects, authentication and retries.
pub(crate) enum Outcome {
    /// The registry answered.
    Answer { from: Target, response: Response<Bytes>, end: End },
    /// It is not known whether the registry applied it: no answer came, or a transient status, which is given.
    Unknown { status: Option<StatusCode> },
    /// It was given up.
    Failed(Failure),
}

/// What a flow wants next.
pub(crate) enum Next<K> {
    /// This exchange. One that cannot be made has failed: that is its outcome.
    Send(Result<Box<Exchange<K>>, Failure>),
    /// Bytes of its one-shot blob, to be held ready: from the first, to before the second.
    Read { from: u64, up_to: u64 },
    /// Nothing, until it is called otherwise than by an outcome.
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
    /// Set by a flow whose next exchange should wait, as after a failure.
    pub(crate) pause: &'a mut bool,
    /// Set by an upload whose blob the registry was asked for, and did not say that it has it.
    pub(crate) unseen: &'a mut Option<Unseen>,
}

/// What an upload does whose blob the registry did not say that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// It sends the blob.
    Sent,
    /// It waits until it is found out whether the registry would have said it: [`Upload::end_hold`].
    Held,
}

/// A state machine of exchanges.
pub(crate) trait Flow<K: Key>: Sized {
    type Output;

    /// What the state asks for. Called only while nothing of this flow is in flight; the same until an outcome comes.
    fn next(&self, options: &Options) -> Next<K>;

    /// Moves to the next state, by what came of the exchange.
    fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>);

    /// Gives up: what is left to do is to clean up behind itself. Called only while nothing is in flight.
    fn cancel(&mut self);

    /// The result, once [`Flow::next`] says [`Next::Done`]. Before that, it is a failure: the flow was cancelled.
    fn finish(self) -> Result<Self::Output, Failure>;
}

impl<K> Exchange<K> {
    /// The exchange for one row, repeated if it is lost.
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

    /// The same, to the location of an upload.
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
    /// The failure, if it is one.
    pub(crate) fn into_failure(self) -> Option<Failure> {
        if let Self::Failed(failure) = self { Some(failure) } else { None }
    }
}

impl<K> Next<K> {
    pub(crate) fn send(exchange: Result<Exchange<K>, Failure>) -> Self {
        Self::Send(exchange.map(Box::new))
    }
}

/// The result of a flow, if it has come to its end.
fn ended<T>(result: Option<Result<T, Failure>>) -> Result<T, Failure> {
    result.unwrap_or_else(|| Err(Failure::cancelled()))
}
