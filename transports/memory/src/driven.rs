//! What a simulation drives.

use longshore_core::driver::{Input, Key, Output};
use longshore_core::{Client, Instant};

/// What a simulation drives: a client, or a wrapper around a client that changes its outputs and inputs.
pub trait Driven<K> {
    /// Returns what the driver must do next: [`Client::poll`].
    fn poll(&mut self, now: Instant) -> Output<K>;

    /// Takes an input from the driver: [`Client::handle`].
    fn handle(&mut self, input: Input<K>);
}

impl<K: Key> Driven<K> for Client<K> {
    fn poll(&mut self, now: Instant) -> Output<K> {
        Self::poll(self, now)
    }

    fn handle(&mut self, input: Input<K>) {
        Self::handle(self, input);
    }
}
