//! The end of an operation, and what is done after it: uploads that nobody goes on with are cancelled, and an answer that may
//! open one is waited for. An operation that was given up is done at once; its cleanup goes on until the client is idle.

use super::Client;
use super::any_flow::AnyFlow;
use super::operation::{Job, Part};
use super::task::{Phase, Purpose, Task};
use super::task_id::TaskId;
use crate::config::Checkpoint;
use crate::driver::{Key, OperationId, Output};
use crate::flow::IfLost;
use crate::outcome::Failure;

/// How an operation ends before it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// What it began is cleaned up.
    Cancelled,
    /// Its uploads are kept, for another process to go on with.
    Suspended,
}

impl<K: Key> Client<K> {
    /// Ends the operations that the caller has ended since the last poll. What came in meanwhile is heard first: it may name an
    /// upload that has to be cancelled, or ask to wait.
    pub(super) fn end_what_was_ended(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        while let Some(input) = self.inbox.pop_front() {
            self.take_in(input);
        }
        for (operation, ending) in std::mem::take(&mut self.ended) {
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

    /// What a push has done so far, for another process to go on with ([`Push::resume`](crate::Push::resume)); `None` where
    /// there is no such push. An upload that other pushes wait for is left out: they go on with it.
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
        Some(checkpoint)
    }

    /// Leaves everything that was done for this operation.
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

    /// An upload that other pushes wait for goes on with the source of one of them, from what the registry has acknowledged.
    fn hand_over(&mut self, id: TaskId, task: &mut Task<K>, next: OperationId, part: &Part) {
        self.leave_lane(id, task);
        task.operation = next;
        let key = match (self.operations.get(&next).map(|operation| &operation.job), part) {
            (Some(Job::Push(job)), Part::Node(node)) => job.key_of(node).cloned(),
            _ => None,
        };
        if let (AnyFlow::Upload(upload), Some(key)) = (&mut task.flow, key) {
            upload.read_from(key);
            // Nobody finds anything out for it any more.
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

    /// What nobody waits for any more cleans up behind itself, or is gone at once.
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
            // Its answer may name an upload that has to be cancelled, or tell what became of a list: it is waited for, once.
            if !is_kept && was_sent && task.flow.leave() {
                flight.if_lost = IfLost::Forget;
                self.tasks.insert(id, task);
                return;
            }
            let flight = flight.clone();
            self.abort(&flight);
        }
        self.leave_line(id, &task);
        if is_kept {
            self.cleanups.remove(&id);
            return;
        }
        task.flow.cancel();
        task.phase = Phase::Moved;
        self.put_back(id, task);
    }

    /// A blob whose upload was shared is sent by this operation itself.
    pub(super) fn send_again(&mut self, owner: OperationId, part: &Part) {
        let job = self.operations.get_mut(&owner).map(|operation| &mut operation.job);
        if let (Some(Job::Push(job)), Part::Node(node)) = (job, part) {
            job.again(node);
            self.news.insert(owner);
        }
    }
}
