//! One push, driven to its end.

use std::collections::BTreeSet;

use longshore_core::driver::OperationId;
use longshore_core::{Client, Digest, Event, Failure, Receipt, Supply};
use longshore_memory::{Simulation, Step};

use crate::case::Interrupted;
use crate::saboteur::Sabotage;
use crate::{Image, Key, Mock};

/// The result of a case.
pub struct Run {
    /// What was pushed.
    pub image: Image,
    /// The simulation, at its end.
    pub simulation: Simulation<Key, Mock>,
    /// The client, at its end.
    pub client: Client<Key>,
    /// The events of the client, in order.
    pub events: Vec<Event<Key>>,
    /// The result of the push.
    pub result: Result<Receipt<Key>, Box<Failure>>,
    /// Content that an earlier process stored before this one resumed its push.
    pub stored_before: BTreeSet<Digest>,
    /// The number of steps.
    pub steps: u64,
    /// The number of entries in the transcript when the push was cancelled, if it was.
    pub said_before_cancel: Option<usize>,
}

impl Run {
    /// Drives the push to its end. Its manifests are supplied when the digests of this many blobs are known.
    pub(crate) fn go_on(
        &mut self,
        operation: OperationId,
        mut waits_for: usize,
        interrupted: Interrupted,
        mut sabotage: Option<Sabotage<Key>>,
    ) {
        let mut done = None;
        loop {
            if interrupted == Interrupted::CancelledAfter(self.steps) && done.is_none() {
                self.client.cancel(operation);
                self.said_before_cancel = Some(self.simulation.transcript().entries.len());
            }
            self.steps += 1;
            let step = match &mut sabotage {
                None => self.simulation.step(&mut self.client),
                Some(sabotage) => self.simulation.step(&mut sabotage.around(&mut self.client)),
            };
            match step {
                Step::Worked => {}
                Step::Event(event) => {
                    if matches!(event, Event::BlobDigested { .. }) {
                        waits_for -= 1;
                        if waits_for == 0 && self.said_before_cancel.is_none() {
                            supply(&mut self.client, operation, &self.image);
                        }
                    }
                    self.events.push(event);
                }
                Step::Done { operation: ended, result } => {
                    assert_eq!(ended, operation, "an operation ended that was never begun");
                    assert!(done.is_none(), "the operation ended twice");
                    done = Some(result);
                }
                Step::Idle => break,
            }
        }
        match done {
            Some(result) => self.result = result,
            None => self.simulation.stop("the client hangs: it waits for nothing, and the push has not ended"),
        }
    }
}

/// Completes an open push by supplying its manifests.
pub(crate) fn supply(client: &mut Client<Key>, operation: OperationId, image: &Image) {
    let manifests = image.manifests.iter().cloned().map(Supply::Manifest);
    for supply in manifests.chain([Supply::Root(image.root.clone()), Supply::End]) {
        client.supply(operation, supply).expect("the push was left open");
    }
}
