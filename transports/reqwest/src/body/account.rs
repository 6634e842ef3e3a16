//! What the exchange and the network know of a body.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_core::driver::NoAnswer;
use tokio::time::{Instant, timeout_at};

use super::pieces::Pieces;
use crate::lock::lock;

/// What both ends of a body know of it.
pub(super) struct Account {
    pub(super) pieces: Mutex<Pieces>,
    /// When a byte last moved, either way.
    pub(super) moved: Mutex<Instant>,
    /// Whether the network waits for the source.
    pub(super) is_reading: AtomicBool,
    pub(super) failure: Mutex<Option<NoAnswer>>,
}

/// A body as the exchange sees it. When this is dropped, what is left of the body is not sent any more.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(super) account: Arc<Account>,
}

impl Outgoing {
    /// A byte moved now.
    pub(crate) fn touch(&self) {
        *lock(&self.account.moved) = Instant::now();
    }

    /// Why the source failed, if it did.
    pub(crate) fn failure(&self) -> Option<NoAnswer> {
        lock(&self.account.failure).clone()
    }

    /// Waits for a future for as long as bytes move now and then, either way. A slow source is not the other side's silence.
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
    /// Ends the thread, and with that the body, which breaks the connection off where the body was not at its end.
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
