//! The state of a body that the driver and the network share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use longshore_core::driver::NoAnswer;
use tokio::time::{Instant, timeout_at};

use crate::pieces::Pieces;

/// The driver's handle to a request's body. Keep it until the answer is read: when it is dropped, the rest of the body
/// is not sent.
#[derive(Debug)]
pub struct Transfer {
    pub(crate) shared: Arc<Shared>,
}

impl Transfer {
    /// Records that bytes of the answer were received now. What is sent is recorded by the body, and what is received by
    /// [`receive`](crate::receive).
    pub(crate) fn touch(&self) {
        self.shared.touch();
    }

    /// Why the source of the body failed, if it did. It says more than the error of the HTTP stack, to which a body
    /// that failed is a broken one.
    pub fn failure(&self) -> Option<NoAnswer> {
        self.shared.failure.get().cloned()
    }

    /// Waits for a future, as long as no more than `silence` passes without a byte in either direction; `None` if more
    /// has passed. The time in which the source is slow does not count. For
    /// [`Limits::silence`](longshore_core::driver::Limits::silence).
    pub async fn unless_silent<T>(&self, silence: Duration, future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        loop {
            let deadline = self.shared.moved() + silence;
            match timeout_at(deadline, future.as_mut()).await {
                Ok(done) => return Some(done),
                Err(_) if self.shared.is_reading.load(Ordering::Relaxed) => self.touch(),
                Err(_) if self.shared.moved() + silence > Instant::now() => {}
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Transfer {
    /// Ends the thread and the body. If the body was not complete, this closes the connection.
    fn drop(&mut self) {
        match &mut *self.shared.pieces() {
            Pieces::Read(incoming) => incoming.close(),
            pieces => *pieces = Pieces::GivenUp,
        }
    }
}

/// What a body and its handle share.
#[derive(Debug)]
pub(crate) struct Shared {
    pieces: Mutex<Pieces>,
    start: Instant,
    /// When a byte was last transferred, in either direction: microseconds since the start.
    moved: AtomicU64,
    /// Whether the network is waiting for the source.
    pub(crate) is_reading: AtomicBool,
    pub(crate) failure: OnceLock<NoAnswer>,
}

impl Shared {
    pub(crate) fn new(pieces: Pieces) -> Self {
        Self {
            pieces: Mutex::new(pieces),
            start: Instant::now(),
            moved: AtomicU64::new(0),
            is_reading: AtomicBool::new(false),
            failure: OnceLock::new(),
        }
    }

    /// A poisoned lock is no problem: whatever panicked has left pieces that can be read or dropped.
    pub(crate) fn pieces(&self) -> MutexGuard<'_, Pieces> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn touch(&self) {
        let micros = self.start.elapsed().as_micros();
        self.moved.store(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn moved(&self) -> Instant {
        self.start + Duration::from_micros(self.moved.load(Ordering::Relaxed))
    }
}
