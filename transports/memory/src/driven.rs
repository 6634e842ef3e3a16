//! What a simulation drives.

use longshore_core::driver::{Input, Key, Output};
use longshore_core::{Client, Instant};

/// What a simulation drives: a client, or a client with something around it that changes what is said between the two.
pub trait Driven<K> {
    /// What the driver does next: [`Client::poll`].
    fn poll(&mut self, now: Instant) -> Output<K>;

    /// What the driver tells: [`Client::handle`].
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
