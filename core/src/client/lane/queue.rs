//! The tasks whose request can be sent to one origin, in the order in which they take a place.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::client::task_id::TaskId;
use crate::driver::OperationId;

/// The order within an operation: first tasks that have sent a request, then those without a blob, then the largest
/// blob. The smallest value is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::client) struct Priority {
    is_new: bool,
    size: Reverse<u64>,
}

impl Priority {
    /// The priority of a task that sends a blob of this size in bytes, or none (`None`).
    pub(in crate::client) fn new(is_begun: bool, size: Option<u64>) -> Self {
        Self { is_new: !is_begun, size: Reverse(size.unwrap_or(u64::MAX)) }
    }
}

/// The position of a task in a [`ReadyQueue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::client) struct Ticket {
    /// The operation whose turn it uses.
    pub(in crate::client) operation: OperationId,
    pub(in crate::client) priority: Priority,
    /// Whether its body is large.
    pub(in crate::client) is_large: bool,
}

/// The ready tasks of one lane. Operations take turns. An operation that waits to be signed is parked, and is first
/// when it is unparked.
#[derive(Debug, Default)]
pub(in crate::client) struct ReadyQueue {
    /// Tasks that several operations wait for (tokens, pings). They are first.
    shared: VecDeque<TaskId>,
    operations: BTreeMap<OperationId, Ready>,
    /// The operations that have a task and are not parked, in turn.
    turns: BTreeSet<(i64, OperationId)>,
    /// The same for operations that have a task without a large body.
    turns_of_small: BTreeSet<(i64, OperationId)>,
    first_turn: i64,
    last_turn: i64,
}

/// The ready tasks of one operation.
#[derive(Debug)]
struct Ready {
    turn: i64,
    is_parked: bool,
    small: BTreeSet<(Priority, TaskId)>,
    large: BTreeSet<(Priority, TaskId)>,
}

impl Ready {
    fn is_empty(&self) -> bool {
        self.small.is_empty() && self.large.is_empty()
    }

    fn first(&self, with_large: bool) -> Option<TaskId> {
        let large = self.large.first().filter(|_| with_large);
        [self.small.first(), large].into_iter().flatten().min().map(|(_, task)| *task)
    }
}

impl ReadyQueue {
    pub(in crate::client) fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.turns.is_empty()
    }

    /// Whether it has no tasks, not even parked ones.
    pub(in crate::client) fn is_idle(&self) -> bool {
        self.shared.is_empty() && self.operations.is_empty()
    }

    /// All tasks in it, parked or not.
    pub(in crate::client) fn tasks(&self) -> impl Iterator<Item = TaskId> {
        let own = self.operations.values().flat_map(|ready| ready.small.iter().chain(&ready.large));
        self.shared.iter().copied().chain(own.map(|(_, task)| *task))
    }

    pub(in crate::client) fn push_shared(&mut self, task: TaskId) {
        self.shared.push_back(task);
    }

    pub(in crate::client) fn push(&mut self, task: TaskId, ticket: Ticket) {
        let next_turn = self.last_turn.saturating_add(1);
        let ready = self.operations.entry(ticket.operation).or_insert_with(|| {
            self.last_turn = next_turn;
            Ready { turn: next_turn, is_parked: false, small: BTreeSet::new(), large: BTreeSet::new() }
        });
        let tasks = if ticket.is_large { &mut ready.large } else { &mut ready.small };
        tasks.insert((ticket.priority, task));
        if !ready.is_parked {
            self.turns.insert((ready.turn, ticket.operation));
            if !ticket.is_large {
                self.turns_of_small.insert((ready.turn, ticket.operation));
            }
        }
    }

    /// Removes a task that is not sent.
    pub(in crate::client) fn remove(&mut self, task: TaskId, ticket: &Ticket) {
        self.shared.retain(|shared| *shared != task);
        let Some(ready) = self.operations.get_mut(&ticket.operation) else { return };
        let tasks = if ticket.is_large { &mut ready.large } else { &mut ready.small };
        tasks.remove(&(ticket.priority, task));
        self.tidy(ticket.operation);
    }

    /// The next task, which stays in the queue. `with_large` states whether it may have a large body.
    pub(in crate::client) fn first(&self, with_large: bool) -> Option<TaskId> {
        if let Some(shared) = self.shared.front() {
            return Some(*shared);
        }
        let turns = if with_large { &self.turns } else { &self.turns_of_small };
        let (_, operation) = turns.first()?;
        self.operations.get(operation)?.first(with_large)
    }

    /// Removes a task that is sent now. Its operation has the last turn then.
    pub(in crate::client) fn take(&mut self, task: TaskId, ticket: &Ticket) {
        self.remove(task, ticket);
        self.last_turn = self.last_turn.saturating_add(1);
        self.give_turn(ticket.operation, self.last_turn);
    }

    /// The operation waits to be signed: [`Self::first`] returns none of its tasks before [`Self::unpark`].
    pub(in crate::client) fn park(&mut self, operation: OperationId) {
        if let Some(ready) = self.operations.get_mut(&operation) {
            ready.is_parked = true;
            self.turns.remove(&(ready.turn, operation));
            self.turns_of_small.remove(&(ready.turn, operation));
        }
    }

    /// The operation can be signed now, and has the next turn.
    pub(in crate::client) fn unpark(&mut self, operation: OperationId) {
        if let Some(ready) = self.operations.get_mut(&operation) {
            ready.is_parked = false;
            self.first_turn = self.first_turn.saturating_sub(1);
            self.give_turn(operation, self.first_turn);
        }
    }

    fn give_turn(&mut self, operation: OperationId, turn: i64) {
        if let Some(ready) = self.operations.get_mut(&operation) {
            self.turns.remove(&(ready.turn, operation));
            self.turns_of_small.remove(&(ready.turn, operation));
            ready.turn = turn;
        }
        self.tidy(operation);
    }

    /// Updates the turns of an operation after its tasks have changed.
    fn tidy(&mut self, operation: OperationId) {
        let Some(ready) = self.operations.get(&operation) else { return };
        let turn = (ready.turn, operation);
        set(&mut self.turns, turn, !ready.is_parked && !ready.is_empty());
        set(&mut self.turns_of_small, turn, !ready.is_parked && !ready.small.is_empty());
        // A parked operation keeps its entry even without tasks, so that it stays parked if a task is added.
        if ready.is_empty() && !ready.is_parked {
            self.operations.remove(&operation);
        }
    }
}

fn set<T: Ord>(all: &mut BTreeSet<T>, value: T, is_in: bool) {
    if is_in {
        all.insert(value);
    } else {
        all.remove(&value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: OperationId = OperationId(1);
    const B: OperationId = OperationId(2);

    fn ticket(operation: OperationId, size: Option<u64>, is_large: bool) -> Ticket {
        Ticket { operation, priority: Priority::new(false, size), is_large }
    }

    /// Takes everything out, in turn.
    fn drain(queue: &mut ReadyQueue, tickets: &[(u64, Ticket)], with_large: bool) -> Vec<u64> {
        let mut order = Vec::new();
        while let Some(TaskId(task)) = queue.first(with_large) {
            order.push(task);
            match tickets.iter().find(|(id, _)| *id == task) {
                Some((_, ticket)) => queue.take(TaskId(task), ticket),
                None => queue.remove(TaskId(task), &ticket(A, None, false)),
            }
        }
        order
    }

    #[test]
    fn operations_take_turns_and_within_one_the_largest_blob_goes_first() {
        let tickets = [
            (1, ticket(A, Some(10), false)),
            (2, ticket(A, Some(30), false)),
            (3, ticket(A, None, false)),
            (4, Ticket { operation: A, priority: Priority::new(true, Some(5)), is_large: false }),
            (5, ticket(B, Some(1), false)),
            (6, ticket(B, Some(2), false)),
        ];
        let mut queue = ReadyQueue::default();
        tickets.iter().for_each(|(id, ticket)| queue.push(TaskId(*id), *ticket));
        queue.push_shared(TaskId(9));
        assert_eq!(drain(&mut queue, &tickets, true), [9, 4, 6, 3, 5, 2, 1]);
        assert!(queue.is_idle());
    }

    #[test]
    fn where_no_large_body_may_go_the_small_ones_of_every_operation_do() {
        let tickets =
            [(1, ticket(A, Some(1 << 30), true)), (2, ticket(A, Some(10), false)), (3, ticket(B, Some(1 << 30), true))];
        let mut queue = ReadyQueue::default();
        tickets.iter().for_each(|(id, ticket)| queue.push(TaskId(*id), *ticket));
        assert_eq!(drain(&mut queue, &tickets, false), [2]);
        assert_eq!(drain(&mut queue, &tickets, true), [3, 1]);
    }

    #[test]
    fn who_is_parked_waits_and_then_comes_first() {
        let tickets = [(1, ticket(A, None, false)), (2, ticket(B, None, false)), (3, ticket(B, None, false))];
        let mut queue = ReadyQueue::default();
        tickets.iter().take(2).for_each(|(id, ticket)| queue.push(TaskId(*id), *ticket));
        queue.park(B);
        assert_eq!(queue.first(true), Some(TaskId(1)));
        queue.park(A);
        queue.push(TaskId(3), tickets[2].1);
        assert!(queue.is_empty() && !queue.is_idle());
        queue.unpark(A);
        queue.unpark(B);
        assert_eq!(drain(&mut queue, &tickets, true), [2, 1, 3]);
    }

    #[test]
    fn all_tasks_are_known_parked_or_not_shared_or_not() {
        let mut queue = ReadyQueue::default();
        queue.push_shared(TaskId(9));
        queue.push(TaskId(1), ticket(A, None, false));
        queue.push(TaskId(2), ticket(A, Some(1 << 30), true));
        queue.push(TaskId(3), ticket(B, None, false));
        queue.park(B);
        assert_eq!(queue.tasks().map(|TaskId(task)| task).collect::<BTreeSet<_>>(), BTreeSet::from([1, 2, 3, 9]));
    }

    #[test]
    fn what_is_removed_is_not_next() {
        let tickets = [(1, ticket(A, None, false)), (2, ticket(B, Some(1 << 30), true))];
        let mut queue = ReadyQueue::default();
        tickets.iter().for_each(|(id, ticket)| queue.push(TaskId(*id), *ticket));
        queue.park(A);
        queue.remove(TaskId(1), &tickets[0].1);
        queue.unpark(A);
        queue.remove(TaskId(2), &tickets[1].1);
        assert!(queue.first(true).is_none() && queue.is_idle());
    }
}
