//! Starts tasks, shares them between operations, and gives their results to the operations that wait.

use super::Client;
use super::any_flow::{AnyFlow, FlowOutput};
use super::cleanup::Ending;
use super::operation::{Job, Part};
use super::push::Node;
use super::task::{Phase, Purpose, SharedTask, Task};
use super::task_id::TaskId;
use crate::driver::{Key, NoAnswer, OperationId, Output};
use crate::flow::{Context, Unseen};
use crate::outcome::{Event, Failure, FailureKind};
use crate::{Instant, Origin};

impl<K: Key> Client<K> {
    /// Starts a task for a part of an operation, or lets the part wait for another operation's upload of the same blob
    /// or update of the same list.
    pub(super) fn add_task(
        &mut self,
        operation: OperationId,
        registry: Origin,
        part: Part,
        mut flow: AnyFlow<K>,
        not_before: Option<Instant>,
    ) {
        let shared = flow.shared_upload().and_then(|upload| self.uploads.get(&upload).copied());
        if let Some(id) = shared
            && let Some(Task { purpose: Purpose::Operations(owners), .. }) = self.tasks.get_mut(&id)
        {
            owners.push((operation, part.clone()));
            self.note_task(operation, id);
            // It is being sent, so the repository does not have it.
            self.tell_unseen(operation, &part, Unseen::Sent);
            return;
        }
        if self.join_change(operation, &part, &mut flow) {
            return;
        }
        let id = TaskId(self.fresh_id());
        if let Some(upload) = flow.shared_upload() {
            self.uploads.insert(upload, id);
        }
        let line = flow.list();
        let mut task = Task::new(flow, registry.clone(), operation, Purpose::Operations(vec![(operation, part)]));
        self.note_task(operation, id);
        self.with_context(&mut task, AnyFlow::begin);
        if let Some(until) = not_before {
            task.phase = Phase::Resting { until, origin: registry };
        }
        // A client makes only one update of a list of referrers at a time.
        if let Some(list) = line {
            let line = self.lines.entry(list).or_default();
            if !line.is_empty() {
                task.phase = Phase::Waiting;
            }
            line.push_back(id);
        }
        self.put_back(id, task);
    }

    /// Joins the update of a list of referrers to another one that has not written yet.
    fn join_change(&mut self, operation: OperationId, part: &Part, flow: &mut AnyFlow<K>) -> bool {
        let last = flow.list().and_then(|list| self.lines.get(&list)?.back().copied());
        let Some((id, task)) = last.and_then(|id| Some((id, self.tasks.get_mut(&id)?))) else { return false };
        let Purpose::Operations(owners) = &mut task.purpose else { return false };
        if !task.flow.join(flow) {
            return false;
        }
        owners.push((operation, part.clone()));
        self.note_task(operation, id);
        true
    }

    fn note_task(&mut self, operation: OperationId, id: TaskId) {
        if let Some(state) = self.operations.get_mut(&operation) {
            state.tasks.insert(id);
        }
    }

    /// Starts a task that several operations may wait for. Its requests are counted for the first operation that needs
    /// it.
    pub(super) fn add_shared(
        &mut self,
        flow: AnyFlow<K>,
        registry: Origin,
        shared: SharedTask,
        operation: OperationId,
    ) {
        let id = TaskId(self.fresh_id());
        self.put_back(id, Task::new(flow, registry, operation, Purpose::Shared(shared)));
    }

    /// Starts a task whose result no operation waits for.
    pub(super) fn add_cleanup(&mut self, flow: AnyFlow<K>, registry: Origin, operation: OperationId) {
        let id = TaskId(self.fresh_id());
        self.cleanups.insert(id);
        self.put_back(id, Task::new(flow, registry, operation, Purpose::Cleanup));
    }

    /// No other operation may join this upload any more.
    pub(super) fn no_longer_shared(&mut self, id: TaskId, task: &Task<K>) {
        if let Some(upload) = task.flow.shared_upload()
            && self.uploads.get(&upload) == Some(&id)
        {
            self.uploads.remove(&upload);
        }
    }

    /// The next update of the same list of referrers may continue.
    pub(super) fn leave_line(&mut self, id: TaskId, task: &Task<K>) {
        let Some(list) = task.flow.list() else { return };
        let Some(line) = self.lines.get_mut(&list) else { return };
        line.retain(|waiting| *waiting != id);
        match line.front().copied() {
            None => {
                self.lines.remove(&list);
            }
            Some(next) => {
                if let Some(task) = self.tasks.get_mut(&next).filter(|task| matches!(task.phase, Phase::Waiting)) {
                    task.phase = Phase::Moved;
                    self.moved.insert(next);
                }
            }
        }
    }

    /// Calls `act` with a flow's context.
    pub(super) fn with_context<R>(
        &mut self,
        task: &mut Task<K>,
        act: impl FnOnce(&mut AnyFlow<K>, &mut Context<'_, K>) -> R,
    ) -> Option<R> {
        let mut events = Vec::new();
        let (mut pause, mut unseen) = (0, None);
        let registry = self.registries.get_mut(&task.registry)?;
        let mut context = Context {
            options: &self.options,
            now: self.now,
            learned: &mut registry.learned,
            events: &mut events,
            pause: &mut pause,
            unseen: &mut unseen,
        };
        let result = act(&mut task.flow, &mut context);
        if pause > 0 {
            let (options, origin) = (self.options.clone(), task.registry.clone());
            let wait = self.lane(&origin).backoff.throttled(pause, &options);
            task.phase = Phase::Resting { until: self.now.after(wait), origin };
        }
        self.outbox.extend(events.into_iter().map(Output::Event));
        if let Some(unseen) = unseen {
            task.purpose.owners().iter().for_each(|(owner, part)| self.tell_unseen(*owner, part, unseen));
        }
        Some(result)
    }

    /// The registry was asked for a blob and did not say that it has it: the blobs that wait for this answer continue.
    fn tell_unseen(&mut self, owner: OperationId, part: &Part, unseen: Unseen) {
        let job = self.operations.get_mut(&owner).map(|operation| &mut operation.job);
        if let (Some(Job::Push(job)), Part::Node(Node::Blob(blob))) = (job, part) {
            job.unseen(*blob, unseen);
            self.news.insert(owner);
        }
    }

    /// The uploads of this operation that wait in [`Next::Hold`] can continue.
    pub(super) fn end_holds(&mut self, operation: OperationId) {
        let tasks = self.operations.get(&operation).map(|state| state.tasks.clone()).unwrap_or_default();
        for id in tasks {
            // Other tasks, whose requests may be in flight, are not changed.
            let is_upload = self.tasks.get(&id).is_some_and(|task| matches!(task.flow, AnyFlow::Upload(_)));
            if is_upload && let Some(mut task) = self.tasks.remove(&id) {
                self.end_hold(&mut task);
                self.put_back(id, task);
            }
        }
    }

    /// Continues an upload that waits in [`Next::Hold`].
    pub(super) fn end_hold(&mut self, task: &mut Task<K>) {
        if matches!(task.phase, Phase::Waiting) {
            task.phase = Phase::Moved;
            self.with_context(task, AnyFlow::end_hold);
        }
    }

    /// Gives the result of a task to every operation that waits for it.
    pub(super) fn finish(&mut self, id: TaskId, task: Task<K>) {
        self.no_longer_shared(id, &task);
        self.leave_line(id, &task);
        let was_refused = task.flow.was_refused();
        let attempts = task.made();
        let result = task.flow.finish().map_err(|failure| failure.after(attempts));
        let owners = match task.purpose {
            Purpose::Operations(owners) => owners,
            Purpose::Shared(shared) => return self.shared_done(&task.registry, shared, result, was_refused),
            Purpose::Cleanup => {
                self.cleanups.remove(&id);
                return;
            }
        };
        self.tell_all(id, task.operation, &owners, result);
    }

    /// Gives the result of a flow at once if only cleanup is left, so that no operation waits for the cleanup.
    pub(super) fn finish_early(&mut self, id: TaskId, task: &mut Task<K>) {
        let Some(result) = task.flow.early_result().filter(|_| matches!(task.purpose, Purpose::Operations(_))) else {
            return;
        };
        let result = result.map_err(|failure| failure.after(task.made()));
        self.no_longer_shared(id, task);
        self.cleanups.insert(id);
        if let Purpose::Operations(owners) = std::mem::replace(&mut task.purpose, Purpose::Cleanup) {
            self.tell_all(id, task.operation, &owners, result);
        }
    }

    /// Gives the result of a task to each of its owners. `operation` is the one whose source gave the bytes.
    fn tell_all(
        &mut self,
        id: TaskId,
        operation: OperationId,
        owners: &[(OperationId, Part)],
        result: Result<FlowOutput, Failure>,
    ) {
        let is_of_source = result.as_ref().is_err_and(is_of_the_source);
        let mut result = Some(result);
        for (at, (owner, part)) in (1_usize..).zip(owners) {
            if let Some(state) = self.operations.get_mut(owner) {
                state.tasks.remove(&id);
            }
            self.news.insert(*owner);
            if is_of_source && operation != *owner {
                self.send_again(*owner, part);
                continue;
            }
            // The last owner gets the result itself, the others a copy.
            let shared = if at == owners.len() { result.take() } else { result.as_ref().and_then(shared_result) };
            if let Some(result) = shared {
                self.tell(*owner, part, result);
            }
        }
    }

    fn tell(&mut self, owner: OperationId, part: &Part, result: Result<FlowOutput, Failure>) {
        let job = self.operations.get_mut(&owner).map(|operation| &mut operation.job);
        match (job, part) {
            (Some(Job::Simple(job)), _) => {
                // The deletion may have been applied, whatever the answer was.
                if let Some(what) = &job.deletes {
                    self.presence.delete(&job.place, what, self.now);
                }
                job.finished(result, &self.options);
            }
            (Some(Job::Push(_)), Part::Node(node)) => {
                let told = self.with_push(owner, |job, context| {
                    let had_failed = job.has_failed();
                    job.finished(node, result, context);
                    (job.has_failed() && !had_failed, job.progress())
                });
                let Some((has_failed, (done, total))) = told else { return };
                self.outbox.push_back(Output::Event(Event::Progress { operation: owner, done, total }));
                if has_failed {
                    self.abandon(owner, Ending::Cancelled);
                }
            }
            _ => {}
        }
    }

    /// A task that several operations wait for has ended.
    fn shared_done(
        &mut self,
        registry: &Origin,
        shared: SharedTask,
        result: Result<FlowOutput, Failure>,
        was_refused: bool,
    ) {
        match (shared, result) {
            (SharedTask::Ping, _) => self.let_go_on(&super::auth::Awaited::Ping(registry.clone()), None),
            (SharedTask::Token { key, asked, generation }, result) => {
                let token = match result {
                    Ok(FlowOutput::Token(token)) => Ok(token),
                    Ok(_) => Err(Failure::lost()),
                    Err(failure) => Err(failure),
                };
                self.token_came(registry, (key, asked, generation), token, was_refused);
            }
        }
    }
}

/// A copy of a result, for another operation that waits for the same upload.
fn shared_result(result: &Result<FlowOutput, Failure>) -> Option<Result<FlowOutput, Failure>> {
    match result {
        Ok(output) => output.shared().map(Ok),
        Err(failure) => Some(Err(failure.clone())),
    }
}

/// Whether an upload failed because of its source, which belongs to one operation only.
fn is_of_the_source(failure: &Failure) -> bool {
    failure.blames_the_bytes()
        || matches!(
            &failure.kind,
            FailureKind::NoAnswer(NoAnswer::Source(_))
                | FailureKind::Unreadable(_)
                | FailureKind::NotReplayable
                | FailureKind::DigestMismatch { .. }
                | FailureKind::SizeMismatch { .. }
        )
}
