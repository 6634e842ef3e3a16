//! What an answer that turns a request away changes: what is learned from its challenge, and whether the request is made again.

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

/// How often one request is made again because what it carried was no longer the newest when it was refused.
const MAX_OUTDATED: u32 = 5;

impl RegistryAuth {
    /// Credentials of this generation were refused: whether the request that shows it may wait for others.
    pub(super) fn was_refused(&mut self, generation: u64, denial: &Failure, now: Instant) -> bool {
        self.refused(generation, denial, now) == Renewal::Other
    }

    /// Whether what a request carried is no longer what it would carry now, so that its refusal is no news.
    fn is_outdated(&mut self, sent: &SentCredential, now: Instant) -> bool {
        match sent {
            SentCredential::Nothing => false,
            SentCredential::Basic(generation) | SentCredential::Given(generation) => *generation < self.generation(),
            SentCredential::Token(key, asked, _) => sent.has_ended(now) || self.forget_token(key, *asked),
        }
    }
}

impl<K: Key> Client<K> {
    /// Whether an answer turns the request away; if so, what follows has been set going.
    pub(in crate::client) fn is_turned_away(
        &mut self,
        id: TaskId,
        task: &mut Task<K>,
        flight: &Flight,
        response: &Response<Bytes>,
    ) -> bool {
        // Somebody else sent us back to the registry, without credentials: that it wants some here is no news.
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
            // A challenge that cannot be used on an answer that needs none hurts nobody.
            Err(_) if response.status().is_success() => return false,
            Err(error) => {
                self.fail(task, flight, denied(error.to_string()));
                return true;
            }
        };
        // A ping's answer has taught what it could, and cleanup is not worth a second try.
        if matches!(task.purpose.shared(), Some(SharedTask::Ping)) || flight.if_lost == IfLost::Forget {
            self.settle(task, Outcome::Unknown { status: None });
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

    /// Does what a refusal calls for. Says whether the request is made again at once.
    fn follows(&mut self, id: TaskId, task: &mut Task<K>, flight: &Flight, next: Next, is_guest: bool) -> bool {
        let is_question_of_push = self.is_question_of_push(task, flight);
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
            Next::Renew(why) => {
                let failure = denied(why.to_string()).at(flight.row, flight.target.clone());
                if let Some(generation) = refused_generation(auth, flight, is_guest)
                    && !auth.was_refused(generation, &failure, self.now)
                {
                    self.settle(task, Outcome::Failed(failure));
                    return false;
                }
            }
            Next::Denied(why) => {
                let failure = denied(why.to_string()).at(flight.row, flight.target.clone());
                let counts = !is_question_of_push && says_who_we_are_not(flight, why.status);
                let generation = refused_generation(auth, flight, is_guest).filter(|_| counts);
                let is_renewed = generation.is_some_and(|generation| auth.was_refused(generation, &failure, self.now));
                // Nobody is asked twice about one request.
                if !is_renewed || task.login.is_renewed {
                    self.settle(task, Outcome::Failed(failure));
                    return false;
                }
                task.login.is_renewed = true;
            }
        }
        true
    }

    /// Whether a push asks what is there. Registries answer 401 to that for what is not there (quirk `head-needs-push-scope`);
    /// the first request that writes will tell whether the credentials are good.
    fn is_question_of_push(&self, task: &Task<K>, flight: &Flight) -> bool {
        let job = self.operations.get(&task.operation).map(|operation| &operation.job);
        flight.method == Method::GET && matches!(job, Some(Job::Push(_)))
    }

    /// Some registries look at the token when the body has ended: how much of it counted, the registry is asked. A whole blob in
    /// one POST counted as a whole or not at all, and counts once however often it is sent.
    fn ask_what_counted(&mut self, task: &mut Task<K>, flight: &Flight, is_outdated: bool) {
        let is_body = flight.if_lost == IfLost::Ask && flight.has_body;
        if is_body && (flight.row != Row::PostBlob || is_outdated) {
            let login = std::mem::take(&mut task.login);
            self.unknown(task, None);
            // A body that outlived its token was refused for that: another way to send it may be faster.
            task.login = if is_outdated { Login::default() } else { login };
        }
    }

    /// Has the operation wait for a ping of the registry: its answer may say how it wants to be asked.
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

/// Which credentials a refusal is about: those that were sent, or nobody's.
fn refused_generation(auth: &RegistryAuth, flight: &Flight, is_guest: bool) -> Option<u64> {
    match &flight.sent_credential {
        _ if is_guest => None,
        SentCredential::Basic(generation) | SentCredential::Given(generation) => Some(*generation),
        SentCredential::Token(..) | SentCredential::Nothing => auth.is_anonymous().then(|| auth.generation()),
    }
}

/// Whether a refusal says that we are not who we should be. To HEAD and to a mount from another repository, registries answer
/// 401 for what is not there or not allowed (quirks `blob-head-401-means-missing`, `mount-unauthorised-401`).
fn says_who_we_are_not(flight: &Flight, status: u16) -> bool {
    let is_mount_across = flight.row == Row::MountBlob && flight.scopes.iter().count() > 1;
    status == StatusCode::UNAUTHORIZED.as_u16() && flight.method != Method::HEAD && !is_mount_across
}
