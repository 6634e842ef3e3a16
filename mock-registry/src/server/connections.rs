//! The limit of open connections, and which of them are idle.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::connection::ConnectionState;
use super::shared::millis_since;

/// The connections of a server.
pub(super) struct Connections {
    places: Arc<Semaphore>,
    open: Mutex<BTreeMap<u64, Arc<ConnectionState>>>,
    /// Notified when a request ended, so that a connection may be idle.
    request_ended: Notify,
}

impl Connections {
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS))),
            open: Mutex::default(),
            request_ended: Notify::new(),
        }
    }

    /// A permit for one more connection. If no permit is free, the connection that is idle for the longest time is
    /// closed. If none is idle, this waits.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                return Some(place);
            }
            let mut request_ended = pin!(self.request_ended.notified());
            request_ended.as_mut().enable();
            self.close_idlest();
            tokio::select! {
                place = Arc::clone(&self.places).acquire_owned() => return place.ok(),
                () = request_ended => {}
            }
        }
    }

    fn close_idlest(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = open.iter().filter_map(|(id, state)| Some((state.idle_since()?, *id))).min();
        // It is closed only once: its permit is free as soon as its task ends.
        if let Some(state) = idle.and_then(|(_, id)| open.remove(&id)) {
            state.close();
        }
    }

    pub(super) fn enter(&self, id: u64, state: &Arc<ConnectionState>) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(state));
    }

    pub(super) fn leave(&self, id: u64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// A request that is being answered. Until it is dropped, its connection is not idle.
pub(super) struct InFlight {
    connections: Arc<Connections>,
    state: Arc<ConnectionState>,
    start: Instant,
}

impl InFlight {
    /// Begins a request. `start` is when the server started.
    pub(super) fn begin(connections: &Arc<Connections>, state: &Arc<ConnectionState>, start: Instant) -> Self {
        state.begin();
        Self { connections: Arc::clone(connections), state: Arc::clone(state), start }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.state.finish(millis_since(self.start));
        self.connections.request_ended.notify_waiters();
    }
}
