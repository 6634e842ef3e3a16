//! The end of an operation, and the cleanup after it: open uploads that nothing uses any more are cancelled, and the
//! client waits for an answer that may open one. An operation that was cancelled is done at once; its cleanup continues
//! until the client is idle.

use super::Client;
use super::any_flow::AnyFlow;
use super::operation::{Job, OperationState, Part};
use super::task::{Phase, Purpose, Task};
use super::task_id::TaskId;
use crate::config::Checkpoint;
use crate::driver::{Key, OperationId, Output};
use crate::flow::IfLost;
use crate::outcome::Failure;

/// How the caller ends an operation early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its uploads are cancelled.
    Cancelled,
    /// Its uploads are kept, so that another process can continue them.
    Suspended,
}

impl<K: Key> Client<K> {
    /// Ends the operations that the caller has ended since the last poll. Inputs that came meanwhile are handled first,
    /// because they may open an upload that must be cancelled, or ask for a wait.
    pub(super) fn end_what_was_ended(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        while let Some(input) = self.inbox.pop_front() {
            self.take_in(input);
        }
        self.lose_patience();
        for (operation, ending) in std::mem::take(&mut self.ended) {
            // What has ended already does not end in another way.
            if self.operations.get(&operation).is_none_or(OperationState::has_ended) {
                continue;
            }
            let checkpoint = if ending == Ending::Suspended { self.save(operation) } else { None };
            let Some(state) = self.operations.get_mut(&operation) else { continue };
            state.suspended = checkpoint;
            match &mut state.job {
                Job::Push(job) => job.fail(Failure::cancelled()),
                Job::Simple(job) => job.fail(Failure::cancelled()),
            }
            self.abandon(operation, ending);
        }
    }

    /// Saves what a push has done so far, so that another process can continue it
    /// ([`Push::resume`](crate::Push::resume)). `None` if there is no such push. An upload that other pushes wait for
    /// is left out, because they continue it.
    #[must_use]
    pub fn save(&self, operation: OperationId) -> Option<Checkpoint> {
        let state = self.operations.get(&operation)?;
        let Job::Push(job) = &state.job else { return None };
        let mut checkpoint = Checkpoint::new(job.place(), job.acknowledged());
        for task in state.tasks.iter().filter_map(|id| self.tasks.get(id)) {
            if let (AnyFlow::Upload(upload), [_]) = (&task.flow, task.purpose.owners())
                && let Some((digest, size, open, acknowledged)) = upload.progress()
            {
                checkpoint.add(digest, size, open.target(), acknowledged);
            }
        }
        for (digest, left) in job.left_open() {
            checkpoint.add(*digest, left.size, &left.target, left.acknowledged);
        }
        Some(checkpoint)
    }

    /// Ends all tasks of this operation.
    pub(super) fn abandon(&mut self, operation: OperationId, ending: Ending) {
        self.news.insert(operation);
        let Some(state) = self.operations.get_mut(&operation) else { return };
        for id in std::mem::take(&mut state.tasks) {
            let Some(mut task) = self.tasks.remove(&id) else { continue };
            let Purpose::Operations(owners) = &mut task.purpose else { continue };
            owners.retain(|(owner, _)| *owner != operation);
            if let Some((next, part)) = owners.first().cloned() {
                if task.operation == operation {
                    self.hand_over(id, &mut task, next, &part);
                }
                self.put_back(id, task);
            } else {
                self.leave_behind(id, task, ending);
            }
        }
    }

    /// Continues an upload that other pushes wait for, with the source of one of them, after the bytes that the
    /// registry has acknowledged.
    fn hand_over(&mut self, id: TaskId, task: &mut Task<K>, next: OperationId, part: &Part) {
        self.leave_lane(id, task);
        task.operation = next;
        let key = match (self.operations.get(&next).map(|operation| &operation.job), part) {
            (Some(Job::Push(job)), Part::Node(node)) => job.key_of(node).cloned(),
            _ => None,
        };
        if let (AnyFlow::Upload(upload), Some(key)) = (&mut task.flow, key) {
            upload.read_from(key);
            // Nothing else answers the question that it waits for.
            self.end_hold(task);
        }
        if let Phase::Flying(flight) = &task.phase
            && flight.has_blob
        {
            self.abort(&flight.clone());
            task.phase = Phase::Moved;
            self.unknown(task, None);
        }
    }

    /// Lets a task that nothing waits for clean up, or drops it at once.
    fn leave_behind(&mut self, id: TaskId, mut task: Task<K>, ending: Ending) {
        self.leave_lane(id, &mut task);
        self.no_longer_shared(id, &task);
        let is_kept =
            ending == Ending::Suspended && matches!(&task.flow, AnyFlow::Upload(upload) if upload.progress().is_some());
        task.purpose = Purpose::Cleanup;
        self.cleanups.insert(id);
        task.redirect = None;
        if let Phase::Flying(flight) = &mut task.phase {
            let is_here = |output: &Output<K>| matches!(output, Output::Send { id, .. } if *id == flight.id);
            let was_sent = !self.outbox.iter().any(is_here);
            // The answer may open an upload that must be cancelled, or decide about a list, so the task waits for it
            // once.
            if !is_kept && was_sent && task.flow.leave() {
                flight.if_lost = IfLost::Forget;
                self.tasks.insert(id, task);
                return;
            }
            let flight = flight.clone();
            self.abort(&flight);
        }
        self.leave_line(id, &task);
        match &mut task.flow {
            AnyFlow::Upload(upload) if is_kept => upload.keep_open(),
            flow => flow.cancel(),
        }
        task.phase = Phase::Moved;
        self.put_back(id, task);
    }

    /// This operation waited for the upload of another one, and now sends the blob itself.
    pub(super) fn send_again(&mut self, owner: OperationId, part: &Part) {
        let job = self.operations.get_mut(&owner).map(|operation| &mut operation.job);
        if let (Some(Job::Push(job)), Part::Node(node)) = (job, part) {
            job.again(node);
            self.news.insert(owner);
        }
    }
}
