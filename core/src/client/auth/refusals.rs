//! Handles an answer that asks for authentication: learns from its challenge, and decides whether the request is
//! repeated.

use bytes::Bytes;
use http::{Method, Response, StatusCode};

use super::denied;
use super::signing::{Awaited, Parked};
use super::state::{RegistryAuth, Renewal, SentCredential};
use crate::Instant;
use crate::auth::{Answered, ForeignChallenge, Next};
use crate::client::Client;
use crate::client::any_flow::AnyFlow;
use crate::client::operation::Job;
use crate::client::task::{Flight, Login, Phase, SharedTask, Task};
use crate::client::task_id::TaskId;
use crate::driver::Key;
use crate::endpoint::Row;
use crate::flow::{IfLost, Outcome, Ping};
use crate::outcome::Failure;

/// How often one request is repeated because its token or credentials were no longer the newest when they were refused.
const MAX_OUTDATED: u32 = 5;

impl RegistryAuth {
    /// The credentials of this generation were refused. Returns whether the refused request may wait for other
    /// credentials.
    pub(super) fn was_refused(&mut self, generation: u64, denial: &Failure, now: Instant) -> bool {
        self.refused(generation, denial, now) == Renewal::Other
    }

    /// Whether the request would be signed differently now, so that its refusal shows nothing about the current
    /// credentials.
    fn is_outdated(&mut self, sent: &SentCredential, now: Instant) -> bool {
        match sent {
            SentCredential::Nothing => false,
            SentCredential::Basic(generation) | SentCredential::Given(generation) => *generation < self.generation(),
            SentCredential::Token(key, asked, _) => sent.has_ended(now) || self.forget_token(key, *asked),
        }
    }
}

impl<K: Key> Client<K> {
    /// Handles an answer that asks for authentication. Returns `false`, without any change, if the answer does not.
    pub(in crate::client) fn take_challenge(
        &mut self,
        id: TaskId,
        task: &mut Task<K>,
        flight: &Flight,
        response: &Response<Bytes>,
    ) -> bool {
        // Another origin redirected the request back to the registry, so it had no credentials. That the registry wants
        // some shows nothing.
        if !flight.may_sign && *flight.target.origin() == task.registry {
            return false;
        }
        let is_guest = self.is_guest(task, flight.row, &flight.target);
        let Some(registry) = self.registries.get_mut(&task.registry) else { return false };
        let auth = registry.auth_of(if is_guest { flight.target.origin() } else { &task.registry });
        let may_be_refusal = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let is_outdated =
            may_be_refusal && task.login.outdated < MAX_OUTDATED && auth.is_outdated(&flight.sent_credential, self.now);
        let answered = Answered {
            from: &flight.target,
            response,
            scopes: &flight.scopes,
            sent: flight.sent_credential.as_sent(),
            tries: if is_outdated { 0 } else { task.login.tries },
            limit: self.options.logins,
        };
        let next = match auth.access.after(&self.options.policy, &answered) {
            Ok(Some(next)) => next,
            Ok(None) => return false,
            // A challenge that cannot be used is ignored if the request succeeded without it.
            Err(_) if response.status().is_success() => return false,
            Err(error) => {
                self.fail(task, flight, denied(error.to_string()));
                return true;
            }
        };
        // The challenge in a ping's answer has been read, and cleanup is not repeated.
        if matches!(task.purpose.shared(), Some(SharedTask::Ping)) || flight.if_lost == IfLost::Forget {
            self.settle(task, Outcome::Unknown { answer: None });
            return true;
        }
        if is_outdated {
            task.login.outdated = task.login.outdated.saturating_add(1);
        } else {
            task.login.tries = task.login.tries.saturating_add(1);
        }
        if self.follows(id, task, flight, next, is_guest) {
            self.ask_what_counted(task, flight, is_outdated);
        }
        true
    }

    /// Carries out the decision about a refusal. Returns whether the request is repeated at once.
    fn follows(&mut self, id: TaskId, task: &mut Task<K>, flight: &Flight, next: Next, is_guest: bool) -> bool {
        let is_question_of_push = self.is_question_of_push(task, flight);
        let has_expired = matches!(next, Next::Renew(_));
        let Some(registry) = self.registries.get_mut(&task.registry) else { return false };
        let auth = registry.auth_of(if is_guest { flight.target.origin() } else { &task.registry });
        match next {
            Next::Token { service, challenged } => auth.challenged(&flight.scopes, service, challenged),
            Next::Basic => {}
            Next::Ping if is_guest => {
                let (registry, from) = (task.registry.clone(), flight.target.origin().clone());
                self.fail(task, flight, denied(ForeignChallenge { registry, from }.to_string()));
                return false;
            }
            Next::Ping => {
                self.ping(id, task);
                return false;
            }
            Next::Renew(why) | Next::Denied(why) => {
                let failure = denied(why.to_string()).at(flight.row, flight.target.clone());
                let counts = has_expired || !is_question_of_push && says_who_we_are_not(flight, why.status);
                let generation = refused_generation(auth, flight, is_guest).filter(|_| counts);
                let is_renewed = generation.is_some_and(|generation| auth.was_refused(generation, &failure, self.now));
                // The driver is asked for other credentials only once for each request.
                if !is_renewed || task.login.is_renewed {
                    self.settle(task, Outcome::Failed(failure));
                    return false;
                }
                task.login.is_renewed = true;
            }
        }
        true
    }

    /// Whether the request is a GET of a push. Registries answer 401 to it for content that does not exist (quirk
    /// `head-needs-push-scope`); the first request that writes will show whether the credentials are valid.
    fn is_question_of_push(&self, task: &Task<K>, flight: &Flight) -> bool {
        let job = self.operations.get(&task.operation).map(|operation| &operation.job);
        flight.method == Method::GET && matches!(job, Some(Job::Push(_)))
    }

    /// Some registries check the token only after the body, so the flow asks the registry how many bytes it has stored.
    /// This is not needed after a single POST: it stores the whole blob or nothing, and may be repeated.
    fn ask_what_counted(&mut self, task: &mut Task<K>, flight: &Flight, is_outdated: bool) {
        let is_body = flight.if_lost == IfLost::Ask && flight.has_body;
        if is_body && (flight.row != Row::PostBlob || is_outdated) {
            let login = std::mem::take(&mut task.login);
            self.unknown(task, None);
            // The token expired while the body was sent. The flow may choose a faster way to send it.
            task.login = if is_outdated { Login::default() } else { login };
        }
    }

    /// Makes the operation wait for a ping of the registry, whose answer may have the challenge.
    fn ping(&mut self, id: TaskId, task: &mut Task<K>) {
        let awaited = Awaited::Ping(task.registry.clone());
        if !self.awaiting.contains_key(&awaited) {
            let flow = AnyFlow::Ping(Ping::new(task.registry.clone()));
            self.add_shared(flow, task.registry.clone(), SharedTask::Ping, task.operation);
        }
        task.phase = Phase::Waiting;
        let parked = Parked { lane: task.registry.clone(), operation: task.operation, task: id };
        self.awaiting.entry(awaited).or_default().push_back(parked);
    }

    fn fail(&mut self, task: &mut Task<K>, flight: &Flight, failure: Failure) {
        self.settle(task, Outcome::Failed(failure.at(flight.row, flight.target.clone())));
    }
}

/// The generation of the credentials that a refusal is about: those that were sent, or the absence of credentials.
fn refused_generation(auth: &RegistryAuth, flight: &Flight, is_guest: bool) -> Option<u64> {
    match &flight.sent_credential {
        _ if is_guest => None,
        SentCredential::Basic(generation) | SentCredential::Given(generation) => Some(*generation),
        SentCredential::Token(..) | SentCredential::Nothing => auth.is_anonymous().then(|| auth.generation()),
    }
}

/// Whether a refusal means that the credentials are wrong. To HEAD, and to a mount from another repository, registries
/// also answer 401 if the content does not exist or access is not allowed (quirks `blob-head-401-means-missing`,
/// `mount-unauthorised-401`).
fn says_who_we_are_not(flight: &Flight, status: u16) -> bool {
    let is_mount_across = flight.row == Row::MountBlob && flight.scopes.iter().count() > 1;
    status == StatusCode::UNAUTHORIZED.as_u16() && flight.method != Method::HEAD && !is_mount_across
}

#[cfg(test)]
mod tests;
