//! Signs requests, and makes them wait for credentials and tokens.
//!
//! The driver is asked for credentials only after the registry's own answer has asked for authentication. Only
//! [`Authorization::authorize`](crate::Authorization::authorize) puts a secret into a request, and it checks the
//! origin. A task is signed when it takes a place, so a token is fetched only for a request that can be sent.

use super::denied;
use super::state::{AuthDecision, RequiredLifetime, SentCredential};
use crate::auth::{Credentials, Scopes, TokenKey};
use crate::client::Client;
use crate::client::any_flow::AnyFlow;
use crate::client::task::{Phase, Queued, SharedTask, Task};
use crate::client::task_id::TaskId;
use crate::driver::{AskFailed, AskId, Key, OperationId, Output};
use crate::flow::Outcome;
use crate::outcome::{Failure, FailureKind};
use crate::{Origin, text};

/// How often one request waits for a new token because the one that came had already expired.
const MAX_FETCHES: u32 = 4;

/// What an operation waits for before its request can be signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::client) enum Awaited {
    /// The driver's answer with credentials.
    Credentials(AskId),
    /// A token.
    Token(TokenKey),
    /// A free place among the requests to this token service.
    TokenService(Origin),
    /// The answer to a ping of this registry.
    Ping(Origin),
}

/// An operation that waits in the queue of this lane, and its task that could not be signed.
#[derive(Debug)]
pub(in crate::client) struct Parked {
    pub(super) lane: Origin,
    pub(super) operation: OperationId,
    pub(super) task: TaskId,
}

impl<K: Key> Client<K> {
    /// Signs a request. `None` means that the operation waits for something that is needed to sign it.
    pub(in crate::client) fn sign(
        &mut self,
        id: TaskId,
        task: &mut Task<K>,
        queued: &mut Queued<K>,
    ) -> Result<Option<SentCredential>, Failure> {
        let row = queued.exchange.row;
        let is_guest = self.is_guest(task, row, &queued.target);
        let is_ping = matches!(task.purpose.shared(), Some(SharedTask::Ping));
        if is_ping || !(queued.may_sign || is_guest) {
            return Ok(Some(SentCredential::Nothing));
        }
        if is_guest {
            // Only a challenge of that origin can name the repository there.
            queued.exchange.scopes = Scopes::none();
        }
        let origin = queued.target.origin().clone();
        let required = if task.login.fetched_at == Some(self.now) {
            RequiredLifetime::Now
        } else {
            RequiredLifetime::for_body(queued.exchange.request.body().len())
        };
        let Some(registry) = self.registries.get_mut(&task.registry) else { return Ok(Some(SentCredential::Nothing)) };
        let auth = registry.auth_of(&origin);
        let awaited = match auth.decide(&queued.exchange.scopes, required, self.now) {
            AuthDecision::Send(sent) => {
                match auth.signature(&sent) {
                    None => {}
                    Some(Ok(signature)) => signature
                        .authorize(&queued.target, queued.exchange.request.headers_mut())
                        .map_err(|error| denied(text::shown(&error.to_string())))?,
                    Some(Err(why)) => return Err(denied(text::shown(&why))),
                }
                return Ok(Some(sent));
            }
            AuthDecision::Denied(failure) => return Err(*failure),
            AuthDecision::Wait(id) => Awaited::Credentials(id),
            AuthDecision::Ask { stale } => {
                let id = AskId(self.last_id.saturating_add(1));
                self.last_id = id.0;
                self.asking.insert(id, task.registry.clone());
                auth.ask(id, self.now);
                let repository = queued.exchange.scopes.iter().next().map(|scope| scope.repository().clone());
                let registry = registry.registry.clone();
                self.outbox.push_back(Output::Ask { id, registry, repository, stale });
                Awaited::Credentials(id)
            }
            AuthDecision::Fetch(key) => self.fetch(task, key),
        };
        self.park(awaited, Parked { lane: origin, operation: task.operation, task: id });
        Ok(None)
    }

    /// Starts the request for a token. Returns what the operation waits for: the token, or a free place if there are
    /// too many requests to that token service.
    fn fetch(&mut self, task: &Task<K>, key: TokenKey) -> Awaited {
        let service = key.service().realm().origin().clone();
        if self.awaiting.contains_key(&Awaited::Token(key.clone())) {
            return Awaited::Token(key);
        }
        let now = self.now;
        let places = self.lane(&service).places(now);
        let fetching = self.fetching.entry(service.clone()).or_default();
        if *fetching >= places {
            return Awaited::TokenService(service);
        }
        *fetching = fetching.saturating_add(1);
        if let Some(registry) = self.registries.get_mut(&task.registry) {
            let auth = registry.auth_of(key.service().registry());
            let (flow, generation) = (AnyFlow::Token(Box::new(auth.fetch(&key))), auth.generation());
            let shared = SharedTask::Token { key: key.clone(), asked: self.now, generation };
            self.add_shared(flow, task.registry.clone(), shared, task.operation);
        }
        Awaited::Token(key)
    }

    pub(in crate::client) fn park(&mut self, awaited: Awaited, parked: Parked) {
        if let Some(lane) = self.lanes.get_mut(&parked.lane) {
            lane.queue.park(parked.operation);
        }
        self.awaiting.entry(awaited).or_default().push_back(parked);
    }

    /// The driver has answered with credentials, or could not look them up.
    pub(in crate::client) fn credentials_came(&mut self, id: AskId, answer: Result<Option<Credentials>, AskFailed>) {
        let asked = self.asking.remove(&id).and_then(|origin| self.registries.get_mut(&origin));
        let Some(registry) = asked.filter(|registry| registry.auth.is_asking(id)) else { return };
        let failure = match answer {
            Ok(credentials) => registry.auth.answered(credentials).err().map(|failure| *failure),
            Err(error) => {
                registry.auth.not_found_out();
                Some(Failure::new(FailureKind::AskFailed(text::shown(&error.0))))
            }
        };
        self.let_go_on(&Awaited::Credentials(id), failure.as_ref());
    }

    /// The request for a token has ended.
    pub(in crate::client) fn token_came(
        &mut self,
        registry: &Origin,
        (key, asked, generation): (TokenKey, crate::Instant, u64),
        result: Result<crate::auth::Token, Failure>,
        is_refused: bool,
    ) {
        let service = key.service().realm().origin().clone();
        if let Some(fetching) = self.fetching.get_mut(&service) {
            *fetching = fetching.saturating_sub(1);
            if *fetching == 0 {
                self.fetching.remove(&service);
            }
        }
        let failure = match (self.registries.get_mut(registry), result) {
            (None, _) => None,
            (Some(state), Ok(token)) => {
                let auth = state.auth_of(key.service().registry());
                auth.keep(key.clone(), token, asked);
                let is_good = auth.has_token(&key, self.now);
                self.note_fetched(&Awaited::Token(key.clone()), is_good)
            }
            (Some(state), Err(failure)) => {
                let auth = state.auth_of(key.service().registry());
                // If the token is for several repositories, its refusal says nothing about the credentials.
                let is_of_one = key.scopes().iter().count() <= 1;
                let is_about_credentials = is_refused && is_of_one;
                let is_renewed = is_about_credentials && auth.was_refused(generation, &failure, self.now);
                let is_guess = is_of_one && !is_about_credentials && auth.doubt(&key);
                (!is_renewed && !is_guess).then_some(failure)
            }
        };
        self.let_go_on(&Awaited::Token(key), failure.as_ref());
        // Each fetches if there is a place and it still needs a token, and waits again if not.
        self.let_go_on(&Awaited::TokenService(service), None);
    }

    /// The tasks that waited for a token use it even if it expires soon. If it has already expired, they wait for
    /// another one, at most [`MAX_FETCHES`] times.
    fn note_fetched(&mut self, awaited: &Awaited, is_good: bool) -> Option<Failure> {
        let ids = self.awaiting.get(awaited).into_iter().flatten().map(|parked| parked.task);
        let mut most = 0;
        for id in ids {
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            task.login.fetched_at = Some(self.now);
            if !is_good {
                task.login.fetched = task.login.fetched.saturating_add(1);
            }
            most = most.max(task.login.fetched);
        }
        (most >= MAX_FETCHES).then(|| denied("the registry's tokens expire before they can be used".to_owned()))
    }

    /// Continues the operations that waited for this, or fails their tasks with this failure.
    pub(in crate::client) fn let_go_on(&mut self, awaited: &Awaited, failure: Option<&Failure>) {
        for parked in self.awaiting.remove(awaited).unwrap_or_default().into_iter().rev() {
            if let Some(failure) = failure
                && let Some(mut task) = self.tasks.remove(&parked.task)
            {
                if matches!(task.phase, Phase::Queued(_) | Phase::Waiting) {
                    self.leave_lane(parked.task, &mut task);
                    task.phase = Phase::Moved;
                    self.settle(&mut task, Outcome::Failed(failure.clone()));
                }
                self.put_back(parked.task, task);
            }
            if let Some(task) = self.tasks.get_mut(&parked.task).filter(|task| matches!(task.phase, Phase::Waiting)) {
                task.phase = Phase::Moved;
                self.moved.insert(parked.task);
            }
            self.unpark(&parked);
        }
    }

    fn unpark(&mut self, parked: &Parked) {
        if let Some(lane) = self.lanes.get_mut(&parked.lane) {
            lane.queue.unpark(parked.operation);
            self.woken.insert(parked.lane.clone());
        }
    }
}

#[cfg(test)]
mod tests;
