//! Sending what may be sent, in the order that serves the push best.

use super::Client;
use super::registry_auth::SentCredential;
use super::task::{Flight, FlowOutput, Phase, SharedTask, Task, TaskId};
use crate::auth::Scopes;
use crate::driver::{Body, Key, Output, RequestId};
use crate::endpoint::Row;
use crate::flow::{Context, Exchange, IfLost, Next, Outcome};
use crate::outcome::{Event, Failure, FailureKind, NoAnswer};
use crate::target::{Source, Target, admit};

impl<K: Key> Client<K> {
    /// Lets every task go as far as it can. Says whether anything happened.
    pub(super) fn schedule(&mut self) -> bool {
        self.wake();
        let mut candidates: Vec<(TaskId, (bool, u64))> = Vec::new();
        for (id, task) in &self.tasks {
            // A task that stands where it stood can only go on if there is room for its request.
            if task.phase == Phase::Ready && (task.has_moved || self.may_send(task)) && self.is_first_in_line(*id, task)
            {
                candidates.push((*id, task.weight()));
            }
        }
        candidates.sort_by(|(a_id, a), (b_id, b)| b.cmp(a).then(a_id.cmp(b_id)));
        candidates.into_iter().filter(|(id, _)| self.go_on(*id)).count() > 0
    }

    fn wake(&mut self) {
        for task in self.tasks.values_mut() {
            if matches!(task.phase, Phase::Resting(until) if until <= self.now) {
                task.phase = Phase::Ready;
            }
        }
    }

    /// Whether no other task changes the same list of referrers: in one client, one change is read and written at a time.
    fn is_first_in_line(&self, id: TaskId, task: &Task<K>) -> bool {
        task.list().is_none_or(|list| self.tasks.range(..id).all(|(_, other)| other.list() != Some(list)))
    }

    /// Whether there is room for a request of this task now.
    fn may_send(&self, task: &Task<K>) -> bool {
        let Some(registry) = self.registries.get(&task.registry) else { return false };
        let is_alone =
            || !self.flights.values().any(|id| self.tasks.get(id).is_some_and(|t| t.registry == task.registry));
        self.flights.len() < self.options.in_flight.max(1)
            && registry.paused_until <= self.now
            && (registry.is_known || is_alone())
    }

    fn go_on(&mut self, id: TaskId) -> bool {
        let Some(mut task) = self.tasks.remove(&id) else { return false };
        // Nothing has come for it, and there is no room for its request.
        if !task.has_moved && !self.may_send(&task) {
            self.tasks.insert(id, task);
            return false;
        }
        if !task.is_begun {
            self.with_context(&mut task, super::task::AnyFlow::reconsider);
        }
        task.has_moved = false;
        match task.flow.next(&self.options) {
            Next::Done => {
                self.finish(task);
                return true;
            }
            Next::Read { from, up_to } => {
                task.phase = Phase::Reading;
                if let Some((operation, blob)) = task.source_of.zip(task.blob().cloned()) {
                    self.outbox.push_back(Output::Read { operation, blob, from, up_to });
                }
            }
            Next::Send(exchange) => {
                if !self.may_send(&task) {
                    self.tasks.insert(id, task);
                    return false;
                }
                match exchange {
                    Ok(exchange) => self.send(id, &mut task, *exchange),
                    Err(failure) => self.settle(&mut task, Outcome::Failed(failure)),
                }
            }
        }
        self.tasks.insert(id, task);
        true
    }

    fn send(&mut self, id: TaskId, task: &mut Task<K>, exchange: Exchange<K>) {
        let Exchange { row, target, mut request, keep, mut scopes, if_lost, named_by } = exchange;
        let (target, may_sign) = match self.admitted(task, row, target, named_by) {
            Ok(admitted) => admitted,
            Err(failure) => {
                return self.settle(task, Outcome::Failed(failure.at(row, Target::root(task.registry.clone()))));
            }
        };
        match target.uri() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => return self.settle(task, Outcome::Failed(Failure::new(error).at(row, target))),
        }
        let (len, has_body) = (request.body().len(), !request.body().is_empty());
        let is_guest = self.is_guest(task, row, &target);
        if is_guest {
            // What the repository is called there, only its challenge says.
            scopes = Scopes::none();
        }
        let carried = if (may_sign || is_guest) && row != Row::FetchToken {
            match self.sign(task, &target, &scopes, len, request.headers_mut()) {
                Ok(Some(carried)) => carried,
                Ok(None) => return,
                Err(failure) => return self.settle(task, Outcome::Failed(failure.at(row, target))),
            }
        } else {
            SentCredential::Nothing
        };
        if let Some(SharedTask::Token(_, since)) = &mut task.errand {
            *since = self.now;
        }
        let request_id = RequestId(self.fresh_id());
        let is_poured = matches!(request.body(), Body::Rest { .. });
        self.count(task, len.unwrap_or(0));
        if let Body::Blob { key, range } = request.body()
            && row != Row::CheckBlob
        {
            let event = Event::BlobSending { blob: key.clone(), sent: range.start, total: task.total() };
            self.outbox.push_back(Output::Event(event));
        }
        task.is_begun = true;
        let attempt = task.troubles.get(&row).copied().unwrap_or_default().saturating_add(1);
        let (method, began) = (request.method().clone(), self.now);
        let flight = Flight {
            id: request_id,
            row,
            method,
            attempt,
            len,
            began,
            target,
            if_lost,
            is_poured,
            has_body,
            scopes,
            may_sign,
            carried,
        };
        task.phase = Phase::Flying(flight);
        self.flights.insert(request_id, id);
        self.outbox.push_back(Output::Send { id: request_id, request, keep, limits: self.options.limits });
    }

    /// Whether the request is that of nobody, at a redirect's target.
    pub(super) fn is_guest(&self, task: &Task<K>, row: Row, target: &Target) -> bool {
        let is_elsewhere = task.redirect.is_some() && *target.origin() != task.registry;
        self.options.policy.guest_tokens() && is_elsewhere && row != Row::FetchToken
    }

    /// Where the request really goes, and whether the registry's credentials may go with it.
    fn admitted(
        &self,
        task: &Task<K>,
        row: Row,
        target: Target,
        named_by: Option<Target>,
    ) -> Result<(Target, bool), Failure> {
        if let Some(redirect) = &task.redirect {
            return Ok((redirect.target.clone(), redirect.credentials_may_follow));
        }
        // A token service was admitted when its challenge was read.
        if row == Row::FetchToken {
            return Ok((target, false));
        }
        let named_by = named_by.unwrap_or_else(|| Target::root(task.registry.clone()));
        match admit(&self.options.policy, &task.registry, &named_by, target, Source::Location) {
            Ok(admitted) => Ok((admitted.target, admitted.credentials_may_follow)),
            Err(refusal) => Err(Failure::new(FailureKind::Refused(refusal.to_string()))),
        }
    }

    /// Counts a request for the operation that the task was begun for.
    fn count(&mut self, task: &Task<K>, bytes: u64) {
        if let Some(owner) = task.owners.keys().next().or(task.source_of.as_ref())
            && let Some(super::Job::Push(job)) = self.jobs.get_mut(owner)
        {
            job.count(bytes);
        }
    }

    /// Calls into a flow, with what it may look at and write to.
    pub(super) fn with_context<R>(
        &mut self,
        task: &mut Task<K>,
        act: impl FnOnce(&mut super::task::AnyFlow<K>, &mut Context<'_, K>) -> R,
    ) -> Option<R> {
        let mut events = Vec::new();
        let (mut pause, mut absent) = (false, false);
        let registry = self.registries.get_mut(&task.registry)?;
        let mut context = Context {
            options: &self.options,
            learned: &mut registry.learned,
            events: &mut events,
            pause: &mut pause,
            absent: &mut absent,
        };
        let result = act(&mut task.flow, &mut context);
        if pause {
            task.phase = Phase::Resting(self.now.after(self.retry.backoff(2, true, &self.options)));
        }
        task.has_moved = true;
        self.outbox.extend(events.into_iter().map(Output::Event));
        if absent {
            task.owners.iter().for_each(|(owner, part)| self.is_absent(*owner, part));
        }
        Some(result)
    }

    /// Gives up everything that is only for this operation.
    pub(super) fn abandon(&mut self, operation: super::OperationId) {
        self.news.insert(operation);
        let ids: Vec<TaskId> =
            self.tasks.iter().filter(|(_, task)| task.owners.contains_key(&operation)).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(mut task) = self.tasks.remove(&id) else { continue };
            if task.source_of == Some(operation) {
                // It reads this operation's source. Those that joined it send the blob themselves.
                for (owner, part) in std::mem::take(&mut task.owners) {
                    if owner == operation {
                        task.owners.insert(owner, part);
                    } else {
                        self.send_again(owner, &part);
                    }
                }
            }
            if task.is_only_for(operation) {
                // Nobody joins what is being given up.
                task.uploads = None;
                if let Phase::Flying(flight) = &mut task.phase
                    && !self.take_back(flight.id)
                {
                    // The answer may name an upload that has to be cancelled: it is waited for, once.
                    if task.flow.leave() {
                        flight.if_lost = IfLost::Forget;
                        self.tasks.insert(id, task);
                        continue;
                    }
                    self.flights.remove(&flight.id);
                    self.outbox.push_back(Output::Abort { id: flight.id });
                    self.outbox.push_back(Output::Event(flight.exchanged(self.now, None, 0)));
                }
                task.flow.cancel();
                task.redirect = None;
                task.phase = Phase::Ready;
                task.has_moved = true;
            } else {
                task.owners.remove(&operation);
            }
            self.tasks.insert(id, task);
        }
    }

    /// A blob whose upload was shared is sent by this operation itself.
    fn send_again(&mut self, owner: super::OperationId, part: &super::Part) {
        if let (Some(super::Job::Push(job)), super::Part::Node(node)) = (self.jobs.get_mut(&owner), part) {
            job.again(node);
            self.news.insert(owner);
        }
    }

    /// Takes a request back that the driver has not been given yet.
    fn take_back(&mut self, request: RequestId) -> bool {
        let waiting = self.outbox.len();
        self.outbox.retain(|output| !matches!(output, Output::Send { id, .. } if *id == request));
        let is_taken = self.outbox.len() < waiting;
        if is_taken {
            self.flights.remove(&request);
        }
        is_taken
    }

    /// Tells an operation what came of one of its tasks: whether it failed by that, and how far it is.
    fn tell(
        &mut self,
        owner: super::OperationId,
        part: &super::Part,
        result: Result<FlowOutput, Failure>,
    ) -> (bool, Option<(u64, u64)>) {
        match self.jobs.get_mut(&owner) {
            Some(super::Job::Push(_)) => {
                let told = self.with_push(owner, |job, context| {
                    let had_failed = job.has_failed();
                    if let super::Part::Node(node) = part {
                        job.finished(node, result, context);
                    }
                    (job.has_failed() && !had_failed, Some(job.progress()))
                });
                told.unwrap_or_default()
            }
            Some(super::Job::Simple(job)) => {
                // It may have been applied whatever the answer was.
                if let Some(what) = &job.deletes {
                    self.presence.delete(&job.place, what, self.now);
                }
                job.finished(result, &self.options);
                (false, None)
            }
            None => (false, None),
        }
    }

    /// Tells everyone who waits for a task what came of it.
    fn finish(&mut self, task: Task<K>) {
        let result = task.flow.finish();
        if let Some(errand) = task.errand {
            return self.errand_done(&task.registry, errand, result);
        }
        let mut events = Vec::new();
        let is_sources = result.as_ref().is_err_and(|failure| is_of_the_source(&failure.kind));
        for ((owner, part), result) in shares(task.owners, result) {
            self.news.insert(owner);
            if is_sources && task.source_of != Some(owner) {
                self.send_again(owner, &part);
                continue;
            }
            let (failed, progress) = self.tell(owner, &part, result);
            if let Some((done, total)) = progress {
                events.push(Event::Progress { operation: owner, done, total });
            }
            if failed {
                self.abandon(owner);
            }
        }
        self.outbox.extend(events.into_iter().map(Output::Event));
    }
}

/// The result for each operation that waits for it. Only an upload has several.
fn shares<T>(
    owners: impl IntoIterator<Item = T>,
    result: Result<FlowOutput, Failure>,
) -> Vec<(T, Result<FlowOutput, Failure>)> {
    let mut owners = owners.into_iter();
    let Some(first) = owners.next() else { return Vec::new() };
    let copy = |owner| {
        let copy = match &result {
            Ok(output) => output.shared().ok_or_else(Failure::lost),
            Err(failure) => Err(failure.clone()),
        };
        (owner, copy)
    };
    let mut shares: Vec<_> = owners.map(copy).collect();
    shares.insert(0, (first, result));
    shares
}

/// Whether an upload failed because of the bytes that it was to send, which are the source's of one operation alone.
const fn is_of_the_source(why: &FailureKind) -> bool {
    matches!(
        why,
        FailureKind::NoAnswer(NoAnswer::Source(_))
            | FailureKind::Unreadable(_)
            | FailureKind::NotReplayable
            | FailureKind::DigestMismatch { .. }
            | FailureKind::SizeMismatch { .. }
    )
}

#[cfg(test)]
mod tests;
