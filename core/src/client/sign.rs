//! Being let in: what a request carries, what it waits for, and what to do when the registry turns it away.
//!
//! Credentials are asked for when a registry's own answer wants them, for that registry, and go nowhere else: the only
//! thing that puts a secret on a request is [`Authorization::authorize`](crate::Authorization::authorize), which knows for
//! which origin it is.

use bytes::Bytes;
use http::{HeaderMap, Response};

use super::Client;
use super::registry_auth::{AuthDecision, RequiredLifetime, SentCredential};
use super::task::{AnyFlow, AtDoor, Flight, FlowOutput, Login, Phase, SharedTask, Task, TaskId};
use crate::auth::{Answered, Credentials, ForeignChallenge, Next, Scopes};
use crate::driver::{AskFailed, AskId, Key, Output};
use crate::endpoint::Row;
use crate::flow::{IfLost, Outcome, Ping};
use crate::outcome::{Failure, FailureKind};
use crate::target::Target;
use crate::{Origin, text};

/// How often one request waits for a token before it can be sent.
const MAX_FETCHES: u32 = 4;

impl<K: Key> Client<K> {
    /// Signs a request, or sends the task to wait at the door (`None`).
    pub(super) fn sign(
        &mut self,
        task: &mut Task<K>,
        target: &Target,
        scopes: &Scopes,
        len: Option<u64>,
        headers: &mut HeaderMap,
    ) -> Result<Option<SentCredential>, Failure> {
        let Some(registry) = self.registries.get_mut(&task.registry) else { return Ok(Some(SentCredential::Nothing)) };
        if matches!(task.errand, Some(SharedTask::Ping)) {
            return Ok(Some(SentCredential::Nothing));
        }
        // A second one that comes as late is used, however little of its life is left.
        let lasting = if task.login.fetched < 2 { RequiredLifetime::for_body(len) } else { RequiredLifetime::Now };
        let door = registry.door_of(target.origin());
        let carried = match door.pass(scopes, lasting, self.now) {
            AuthDecision::Go(carried) => carried,
            AuthDecision::Wait(id) => {
                task.phase = Phase::AtDoor(AtDoor::Credentials(id));
                return Ok(None);
            }
            AuthDecision::Ask { stale } => {
                self.last_id = self.last_id.saturating_add(1);
                let id = AskId(self.last_id);
                door.asked(id);
                let (registry, repository) = (registry.registry.clone(), scopes.iter().next());
                let repository = repository.map(|scope| scope.repository().clone());
                self.outbox.push_back(Output::Ask { id, registry, repository, stale });
                task.phase = Phase::AtDoor(AtDoor::Credentials(id));
                return Ok(None);
            }
            AuthDecision::Fetch(key) => {
                task.login.fetched = task.login.fetched.saturating_add(1);
                if task.login.fetched > MAX_FETCHES {
                    let why = "the registry's tokens end before they can be used".to_owned();
                    return Err(Failure::new(FailureKind::Denied(why)));
                }
                let is_its =
                    |other: &Task<K>| matches!(&other.errand, Some(SharedTask::Token(other, _)) if *other == key);
                if !self.tasks.values().any(is_its) {
                    let fetch = door.fetch(&key);
                    let flow = AnyFlow::Token(Box::new(fetch));
                    self.add_errand(task, flow, SharedTask::Token(key.clone(), self.now));
                }
                task.phase = Phase::AtDoor(AtDoor::Token(key));
                return Ok(None);
            }
        };
        let refuse = |why: String| Failure::new(FailureKind::Denied(text::shown(&why)));
        match door.signature(&carried) {
            None => {}
            Some(Ok(signature)) => {
                signature.authorize(target, headers).map_err(|error| refuse(error.to_string()))?;
            }
            Some(Err(why)) => return Err(refuse(why)),
        }
        Ok(Some(carried))
    }

    /// Its requests are counted for the operation that is the first to need it.
    fn add_errand(&mut self, task: &Task<K>, flow: AnyFlow<K>, errand: SharedTask) {
        let id = TaskId(self.fresh_id());
        let operation = task.owners.keys().next().copied();
        self.tasks.insert(id, Task::errand(flow, task.registry.clone(), errand, operation));
    }

    /// Whether an answer turns the request away; if so, what follows has been set going.
    pub(super) fn is_turned_away(&mut self, task: &mut Task<K>, flight: &Flight, response: &Response<Bytes>) -> bool {
        let is_guest = self.is_guest(task, flight.row, &flight.target);
        let Some(registry) = self.registries.get_mut(&task.registry) else { return false };
        // Somebody else sent us back to the registry, without credentials: that it wants some here is no news.
        if !flight.may_sign && *flight.target.origin() == task.registry {
            return false;
        }
        // A body that outlived the token that came with it was refused for that: another way to send it may be faster, and
        // how often those are tried is bounded.
        let has_ended = flight.has_body && flight.if_lost == IfLost::Ask && flight.carried.has_ended(self.now);
        let answered = Answered {
            from: &flight.target,
            response,
            scopes: &flight.scopes,
            sent: flight.carried.as_sent(),
            tries: if has_ended { 0 } else { task.login.tries },
            limit: self.options.logins,
        };
        let origin = if is_guest { flight.target.origin() } else { &task.registry };
        let door = registry.door_of(origin);
        let next = match door.access.after(&self.options.policy, &answered) {
            Ok(Some(next)) => next,
            Ok(None) => return false,
            // A challenge that cannot be used on an answer that needs none hurts nobody.
            Err(_) if response.status().is_success() => return false,
            Err(error) => {
                let failure =
                    Failure::new(FailureKind::Denied(error.to_string())).at(flight.row, flight.target.clone());
                self.settle(task, Outcome::Failed(failure));
                return true;
            }
        };
        if matches!(task.errand, Some(SharedTask::Ping)) {
            // Its answer has taught what it could.
            self.settle(task, Outcome::Unknown { status: None });
            return true;
        }
        if flight.if_lost == IfLost::Forget {
            self.settle(task, Outcome::Unknown { status: None });
            return true;
        }
        task.login.tries = task.login.tries.saturating_add(1);
        match next {
            Next::Token { challenged, .. } => {
                door.wants(&flight.scopes, challenged);
                if let SentCredential::Token(key, asked, _) = &flight.carried {
                    door.forget_token(key, *asked);
                }
            }
            Next::Basic => {}
            Next::Renew => door.renew(&flight.carried),
            Next::Ping if is_guest => {
                let (registry, from) = (task.registry.clone(), flight.target.origin().clone());
                let failure = Failure::new(FailureKind::Denied(ForeignChallenge { registry, from }.to_string()));
                self.settle(task, Outcome::Failed(failure.at(flight.row, flight.target.clone())));
                return true;
            }
            Next::Ping => {
                if !self
                    .tasks
                    .values()
                    .any(|other| matches!(other.errand, Some(SharedTask::Ping)) && other.registry == task.registry)
                {
                    let origin = task.registry.clone();
                    self.add_errand(task, AnyFlow::Ping(Ping::new(origin)), SharedTask::Ping);
                }
                task.phase = Phase::AtDoor(AtDoor::Ping(task.registry.clone()));
                return true;
            }
            Next::Denied(denied) => {
                door.refused();
                let failure =
                    Failure::new(FailureKind::Denied(denied.to_string())).at(flight.row, flight.target.clone());
                self.settle(task, Outcome::Failed(failure));
                return true;
            }
        }
        // Some registries look at the token when the body has ended: how much of it counted, the registry is asked. A whole
        // blob in one POST counted as a whole or not at all, and counts once however often it is sent.
        if flight.if_lost == IfLost::Ask && flight.has_body && (flight.row != Row::PostBlob || has_ended) {
            let login = std::mem::take(&mut task.login);
            self.unknown(task, None);
            task.login = if has_ended { Login::default() } else { login };
        }
        true
    }

    pub(super) fn credentials_came(&mut self, id: AskId, answer: Result<Option<Credentials>, AskFailed>) {
        let Some(registry) = self.registries.values_mut().find(|registry| registry.door.is_asking(id)) else { return };
        let failure = match answer {
            Ok(credentials) => {
                registry.door.answered(credentials);
                None
            }
            Err(error) => {
                // The next one that needs them asks again; those that wait now have failed.
                registry.door.forget_credentials(false);
                Some(Failure::new(FailureKind::Denied(text::shown(&error.to_string()))))
            }
        };
        self.let_in(failure.as_ref(), &AtDoor::Credentials(id));
    }

    /// An errand has ended: what it was for goes on.
    pub(super) fn errand_done(&mut self, registry: &Origin, errand: SharedTask, result: Result<FlowOutput, Failure>) {
        match (errand, result) {
            (SharedTask::Token(key, asked), Ok(FlowOutput::Token(token))) => {
                if let Some(state) = self.registries.get_mut(registry) {
                    state.door_of(key.service().registry()).keep(key.clone(), token, asked);
                }
                self.let_in(None, &AtDoor::Token(key));
            }
            (SharedTask::Token(key, _), result) => {
                let failure = result.err().unwrap_or_else(Failure::lost);
                if let (Some(state), FailureKind::Denied(_)) = (self.registries.get_mut(registry), &failure.kind) {
                    state.door_of(key.service().registry()).refused();
                }
                self.let_in(Some(&failure), &AtDoor::Token(key));
            }
            (SharedTask::Ping, _) => self.let_in(None, &AtDoor::Ping(registry.clone())),
        }
    }

    /// Those that wait for this go on, or have failed with it.
    fn let_in(&mut self, failure: Option<&Failure>, waiting_for: &AtDoor) {
        let is_waiting = |task: &Task<K>| matches!(&task.phase, Phase::AtDoor(at) if at == waiting_for);
        let ids: Vec<TaskId> = self.tasks.iter().filter(|(_, task)| is_waiting(task)).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(mut task) = self.tasks.remove(&id) else { continue };
            task.phase = Phase::Ready;
            task.has_moved = true;
            if let Some(failure) = failure {
                self.settle(&mut task, Outcome::Failed(failure.clone()));
            }
            self.tasks.insert(id, task);
        }
    }
}
