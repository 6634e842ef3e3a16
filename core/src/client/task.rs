//! A flow under the client's care.

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
use crate::outcome::Event;
use crate::target::Target;
use crate::{Instant, Origin};

/// A flow, whom it serves, and what keeps it from going on.
pub(super) struct Task<K> {
    pub(super) flow: AnyFlow<K>,
    /// Where it works.
    pub(super) registry: Origin,
    pub(super) purpose: Purpose,
    /// The operation whose turn it takes, whose source gives the bytes, and whose receipt counts the requests.
    pub(super) operation: OperationId,
    pub(super) phase: Phase<K>,
    /// Whether a request of it was ever sent: what was begun is finished before new things begin.
    pub(super) is_begun: bool,
    /// How often the current request was made in vain, by row: a row is forgiven when it is answered.
    pub(super) troubles: BTreeMap<Row, u32>,
    /// How often the last request was made whose outcome its flow was told.
    pub(super) attempts: u32,
    /// How often the registry asked to wait with the current request.
    pub(super) waits: u32,
    /// The last refusal of an origin that has too much to do, and did not say for how long to wait.
    pub(super) throttled: Option<Throttled>,
    /// The last answer to the current request that was a refusal, though one that may pass: the registry's own word.
    pub(super) refusal: Option<(Row, Outcome)>,
    /// Where the registry sent the current request to.
    pub(super) redirect: Option<Redirect>,
    pub(super) login: Login,
}

/// A refusal of an origin that has too much to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Throttled {
    pub(super) row: Row,
    /// When the request was first refused so.
    pub(super) since: Instant,
    /// How many requests of the same kind (asking or writing) the origin had served when it was refused last.
    pub(super) served: u64,
}

/// Whom a task serves.
#[derive(Debug)]
pub(super) enum Purpose {
    /// These operations, as this part of each. Pushes that need the same blob share its upload.
    Operations(Vec<(OperationId, Part)>),
    /// All that wait for what it brings.
    Shared(SharedTask),
    /// Nobody any more: it cleans up behind an operation that is over.
    Cleanup,
}

/// What many wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SharedTask {
    /// A token: of this key, asked for at this moment, with credentials of this generation.
    Token { key: TokenKey, asked: Instant, generation: u64 },
    /// How the registry wants to be asked.
    Ping,
}

impl Purpose {
    pub(super) const fn shared(&self) -> Option<&SharedTask> {
        if let Self::Shared(shared) = self { Some(shared) } else { None }
    }

    /// As which parts operations wait for it.
    pub(super) fn owners(&self) -> &[(OperationId, Part)] {
        if let Self::Operations(owners) = self { owners } else { &[] }
    }
}

/// What keeps a task from going on.
pub(super) enum Phase<K> {
    /// Nothing: its flow has moved, and is asked what it wants.
    Moved,
    /// Other changes of the same list of referrers, a ping, or what other tasks of its operation find out.
    Waiting,
    /// A place in the lane of the origin that its request goes to.
    Queued(Box<Queued<K>>),
    /// Time, before its next request is made: it was made in vain at this origin.
    Resting { until: Instant, origin: Origin },
    /// Bytes of its blob.
    Reading,
    /// An answer.
    Flying(Box<Flight>),
}

/// A request that waits for a place.
pub(super) struct Queued<K> {
    pub(super) exchange: Exchange<K>,
    /// Where it goes: what the flow named, or a redirect did.
    pub(super) target: Target,
    /// Whether the registry itself named that, so that credentials may go with it.
    pub(super) may_sign: bool,
    pub(super) ticket: Ticket,
}

/// What the current request went through to be let in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Login {
    /// How often it was turned away.
    pub(super) tries: u32,
    /// How often it was turned away for what was no longer the newest.
    pub(super) outdated: u32,
    /// Whether the driver was asked for other credentials because of it.
    pub(super) is_renewed: bool,
    /// How often a token that it waited for had ended when it came.
    pub(super) fetched: u32,
    /// When the last of them came.
    pub(super) fetched_at: Option<Instant>,
}

/// A request in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) id: RequestId,
    pub(super) row: Row,
    pub(super) method: Method,
    pub(super) attempt: u32,
    /// The length of its body in bytes, where that is known.
    pub(super) len: Option<u64>,
    /// When the driver was given it.
    pub(super) sent_at: Instant,
    pub(super) target: Target,
    pub(super) if_lost: IfLost,
    /// Whether its body can be had only once.
    pub(super) is_poured: bool,
    pub(super) has_body: bool,
    /// Whether its body is that of a blob, so that the caller's key was handed out.
    pub(super) has_blob: bool,
    /// Whether it takes one of the places for large bodies.
    pub(super) is_large: bool,
    pub(super) scopes: Scopes,
    /// Whether the registry itself named the target, so that credentials may go with it.
    pub(super) may_sign: bool,
    pub(super) sent_credential: SentCredential,
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
            took: self.took(now),
            status,
            received,
        }
    }

    pub(super) fn took(&self, now: Instant) -> Duration {
        now.since(self.sent_at)
    }
}

/// Where the registry sent a request to.
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
            // What others wait for goes first.
            is_begun: matches!(purpose, Purpose::Shared(_)),
            purpose,
            operation,
            phase: Phase::Moved,
            troubles: BTreeMap::new(),
            attempts: 0,
            waits: 0,
            throttled: None,
            refusal: None,
            redirect: None,
            login: Login::default(),
        }
    }

    /// How often a request was made in vain, at most, for a failure to tell.
    pub(super) fn made(&self) -> u32 {
        self.troubles.values().copied().max().unwrap_or_default().max(self.attempts)
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
