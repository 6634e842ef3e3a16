//! The state of a body that the exchange and the network share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_core::driver::NoAnswer;
use tokio::time::{Instant, timeout_at};

use super::pieces::Pieces;
use crate::lock::lock;

/// The shared state of a body.
pub(super) struct Account {
    pub(super) pieces: Mutex<Pieces>,
    /// When a byte was last transferred, in either direction.
    pub(super) moved: Mutex<Instant>,
    /// Whether the network is waiting for the source.
    pub(super) is_reading: AtomicBool,
    pub(super) failure: Mutex<Option<NoAnswer>>,
}

/// The exchange's handle to a body. When it is dropped, the rest of the body is not sent.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(super) account: Arc<Account>,
}

impl Outgoing {
    /// Records that a byte was transferred now.
    pub(crate) fn touch(&self) {
        *lock(&self.account.moved) = Instant::now();
    }

    /// Why the source failed, if it did.
    pub(crate) fn failure(&self) -> Option<NoAnswer> {
        lock(&self.account.failure).clone()
    }

    /// Waits for a future, as long as no more than `silence` passes without a byte in either direction. The time in
    /// which the source is slow does not count.
    pub(crate) async fn unless_silent<T>(&self, silence: Duration, future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        loop {
            let deadline = *lock(&self.account.moved) + silence;
            match timeout_at(deadline, future.as_mut()).await {
                Ok(done) => return Some(done),
                Err(_) if self.account.is_reading.load(Ordering::Relaxed) => self.touch(),
                Err(_) if *lock(&self.account.moved) + silence > Instant::now() => {}
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Outgoing {
    /// Ends the thread and the body. If the body was not complete, this closes the connection.
    fn drop(&mut self) {
        match &mut *lock(&self.account.pieces) {
            Pieces::Read(incoming) => incoming.close(),
            pieces => *pieces = Pieces::GivenUp,
        }
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            pieces: Mutex::default(),
            moved: Mutex::new(Instant::now()),
            is_reading: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }
}
