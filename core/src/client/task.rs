//! A task: a flow, the operations that it works for, and what it waits for.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{Method, StatusCode};

use super::any_flow::AnyFlow;
use super::auth::SentCredential;
use super::lane::Ticket;
use super::operation::Part;
use crate::auth::{Scopes, TokenKey};
use crate::driver::{OperationId, RequestId};
use crate::endpoint::Row;
use crate::flow::{Exchange, IfLost, Outcome};
use crate::outcome::{Event, NoAnswer};
use crate::target::Target;
use crate::{Instant, Origin};

/// A flow, the operations that it works for, and what it waits for.
pub(super) struct Task<K> {
    pub(super) flow: AnyFlow<K>,
    /// The registry that it works on.
    pub(super) registry: Origin,
    pub(super) purpose: Purpose,
    /// The operation whose turn it uses, whose source gives the bytes, and whose receipt counts the requests.
    pub(super) operation: OperationId,
    pub(super) phase: Phase<K>,
    /// Whether one of its requests was ever sent. Such tasks are continued before others start.
    pub(super) is_begun: bool,
    /// How many attempts have failed, by row. The count of a row is reset when a request of it is answered.
    pub(super) troubles: BTreeMap<Row, u32>,
    /// The number of attempts of the last request whose outcome the flow was given.
    pub(super) attempts: u32,
    /// How often the registry asked to wait before the current request.
    pub(super) waits: u32,
    /// How long the registry asked to wait, by row. The time of a row is reset when a request of it is answered.
    pub(super) waited: BTreeMap<Row, Duration>,
    /// The last refusal by an overloaded origin that stated no wait.
    pub(super) throttled: Option<Throttled>,
    /// The last transient refusal of the current request by the registry itself.
    pub(super) refusal: Option<(Row, Outcome)>,
    /// Why there was no answer to the last attempt of the current request that may have reached the registry.
    pub(super) lost: Option<(Row, NoAnswer)>,
    /// The redirect of the current request.
    pub(super) redirect: Option<Redirect>,
    pub(super) login: Login,
}

/// A refusal by an overloaded origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Throttled {
    pub(super) row: Row,
    /// When the request was first refused for this reason.
    pub(super) since: Instant,
    /// How many requests of the same kind (safe, or not) the origin had served at the last such refusal, and for this
    /// task since.
    pub(super) served: u64,
}

/// What a task works for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// These operations, and the part of each that it does. Pushes that need the same blob share its upload.
    Operations(Vec<(OperationId, Part)>),
    /// All operations that wait for its result.
    Shared(SharedTask),
    /// No operation: it cleans up after an operation that has ended.
    Cleanup,
}

/// A result that several operations may wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SharedTask {
    /// A token with this key, requested at this moment, with the credentials of this generation.
    Token { key: TokenKey, asked: Instant, generation: u64 },
    /// The challenge in the answer to a ping.
    Ping,
}

impl Purpose {
    pub(super) const fn shared(&self) -> Option<&SharedTask> {
        if let Self::Shared(shared) = self { Some(shared) } else { None }
    }

    /// The operations that wait for it, and the part of each that it does.
    pub(super) fn owners(&self) -> &[(OperationId, Part)] {
        if let Self::Operations(owners) = self { owners } else { &[] }
    }
}

/// What a task waits for.
pub(super) enum Phase<K> {
    /// Nothing: its flow has changed and will be asked for its next step.
    Moved,
    /// Other updates of the same list of referrers, a ping, or the results of other tasks of its operation.
    Waiting,
    /// A place in the lane of the origin that its request goes to.
    Queued(Box<Queued<K>>),
    /// A moment: its last request to this origin has failed and will be retried.
    Resting { until: Instant, origin: Origin },
    /// Bytes of its blob, which the driver reads.
    Reading,
    /// The answer to its request.
    Flying(Box<Flight>),
}

/// A request that waits for a place.
pub(super) struct Queued<K> {
    pub(super) exchange: Exchange<K>,
    /// The target, which the flow or a redirect named.
    pub(super) target: Target,
    /// Whether the registry itself named the target, so that credentials may be sent there.
    pub(super) may_sign: bool,
    pub(super) ticket: Ticket,
}

/// How often the current request was repeated for authentication.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Login {
    /// How often it was refused with current credentials.
    pub(super) tries: u32,
    /// How often it was refused with a token or credentials that were no longer the newest.
    pub(super) outdated: u32,
    /// Whether the driver was asked for other credentials because of its refusal.
    pub(super) is_renewed: bool,
    /// How often a token that it waited for had already expired when it came.
    pub(super) fetched: u32,
    /// When the last token that it waited for came.
    pub(super) fetched_at: Option<Instant>,
}

/// A request in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) id: RequestId,
    pub(super) row: Row,
    pub(super) method: Method,
    pub(super) attempt: u32,
    /// The length of its body in bytes, if it is known.
    pub(super) len: Option<u64>,
    /// When the driver was given it.
    pub(super) sent_at: Instant,
    pub(super) target: Target,
    pub(super) if_lost: IfLost,
    /// Whether its body comes directly from a one-shot source.
    pub(super) is_poured: bool,
    pub(super) has_body: bool,
    /// Whether its body is from a blob, so that the driver was given the caller's key.
    pub(super) has_blob: bool,
    /// Whether its body is large.
    pub(super) is_large: bool,
    pub(super) scopes: Scopes,
    /// Whether the registry itself named the target, so that credentials may be sent there.
    pub(super) may_sign: bool,
    pub(super) sent_credential: SentCredential,
}

impl Flight {
    /// The event about the end of the request.
    pub(super) fn exchanged<K>(&self, now: Instant, status: Option<StatusCode>, received: u64) -> Event<K> {
        Event::Exchanged {
            row: Some(self.row),
            method: self.method.clone(),
            target: self.target.clone(),
            attempt: self.attempt,
            sent: self.len,
            took: self.took(now),
            status,
            received,
        }
    }

    pub(super) fn took(&self, now: Instant) -> Duration {
        now.since(self.sent_at)
    }
}

/// The target of a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redirect {
    pub(super) target: Target,
    pub(super) followed: usize,
    pub(super) credentials_may_follow: bool,
}

impl<K> Task<K> {
    pub(super) fn new(flow: AnyFlow<K>, registry: Origin, operation: OperationId, purpose: Purpose) -> Self {
        Self {
            flow,
            registry,
            // A task that several operations wait for is first.
            is_begun: matches!(purpose, Purpose::Shared(_)),
            purpose,
            operation,
            phase: Phase::Moved,
            troubles: BTreeMap::new(),
            attempts: 0,
            waits: 0,
            waited: BTreeMap::new(),
            throttled: None,
            refusal: None,
            lost: None,
            redirect: None,
            login: Login::default(),
        }
    }

    /// The highest number of attempts of a row, for the failure.
    pub(super) fn made(&self) -> u32 {
        self.troubles.values().copied().max().unwrap_or_default().max(self.attempts)
    }
}

/// Whether the answers of a row have content, so that one with an incomplete body cannot be used.
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
