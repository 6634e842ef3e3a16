//! A registry that a server shares with other users.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant as Moment;

use http::StatusCode;
use tokio::sync::Semaphore;

use super::log::{Log, Recorder};
use super::record::since_1970;
use crate::auth::PasswordCheck;
use crate::{Instant, Registry};

/// The number of password checks that may run, and the number that may wait, at the same time.
const RUNNING_CHECKS: usize = 2;
const WAITING_CHECKS: usize = 100;

/// A registry that a server shares with other users.
#[derive(Clone)]
pub struct Shared {
    registry: Arc<Mutex<Registry>>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) start: Moment,
    /// Whether the storage never blocks.
    near: bool,
    waiting_checks: Arc<Semaphore>,
    running_checks: Arc<Semaphore>,
}

impl Shared {
    pub(super) fn new(mut registry: Registry) -> Self {
        registry.set_calendar_start(since_1970());
        let near = !registry.storage.may_block();
        Self {
            registry: Arc::new(Mutex::new(registry)),
            recorder: Arc::new(Recorder::new(Log::none(), false)),
            start: Moment::now(),
            near,
            waiting_checks: Arc::new(Semaphore::new(WAITING_CHECKS)),
            running_checks: Arc::new(Semaphore::new(RUNNING_CHECKS)),
        }
    }

    pub(super) fn set_log(&mut self, log: Log) {
        self.recorder = Arc::new(Recorder::new(log, self.recorder.with_headers()));
    }

    pub(super) fn keep_records(&mut self) {
        let recorder = std::mem::replace(&mut self.recorder, Arc::new(Recorder::new(Log::none(), false)));
        // Before the server runs, there is no other reference to it.
        let recorder = Arc::into_inner(recorder).unwrap_or_else(|| Recorder::new(Log::none(), false));
        self.recorder = Arc::new(recorder.keeping());
    }

    /// The registry. No request is answered while the guard exists.
    pub fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current time of the registry: microseconds since the server was created.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// The current time in milliseconds.
    pub(super) fn millis(&self) -> u64 {
        millis_since(self.start)
    }

    pub(super) const fn is_near(&self) -> bool {
        self.near
    }

    /// Makes the slow check of a password, if one is needed, on a thread that may block. Few run at the same time. If
    /// too many are waiting, this returns an error.
    pub(super) async fn verify(
        &self,
        check: impl FnOnce(&Registry) -> Option<PasswordCheck>,
    ) -> Result<(), StatusCode> {
        let Some(check) = check(&self.lock()) else { return Ok(()) };
        let Ok(_waits) = self.waiting_checks.try_acquire() else { return Err(StatusCode::SERVICE_UNAVAILABLE) };
        let Ok(_runs) = self.running_checks.acquire().await else { return Err(StatusCode::SERVICE_UNAVAILABLE) };
        let checked = tokio::task::spawn_blocking(move || check.run()).await;
        let checked = checked.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        self.lock().passwords.remember(&checked);
        Ok(())
    }

    /// Calls the registry; on a thread that may block, if its storage may block.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Registry, Instant) -> T + Send + 'static,
    ) -> Result<T, StatusCode> {
        if self.near {
            return Ok(call(&mut self.lock(), self.now()));
        }
        let shared = self.clone();
        let done = tokio::task::spawn_blocking(move || call(&mut shared.lock(), shared.now()));
        done.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    }
}

pub(super) fn millis_since(start: Moment) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
