//! One line of JSON for each request that is answered, and for each that is refused.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::record::RequestRecord;

/// The number of records that are kept for the control address.
const KEPT: usize = 10_000;

/// A log with one line for each request: a [`RequestRecord`] without headers, as JSON.
pub struct Log(Option<Mutex<Box<dyn Write + Send>>>);

impl Log {
    /// No log.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// A log that writes to this writer. After a write has failed, nothing more is written.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self(Some(Mutex::new(Box::new(writer))))
    }
}

/// Records requests in the log and for the control address.
pub(super) struct Recorder {
    log: Log,
    /// The newest records, with headers, if there is a control address.
    kept: Option<Mutex<VecDeque<RequestRecord>>>,
}

impl Recorder {
    pub(super) fn new(log: Log, keep: bool) -> Self {
        Self { log, kept: keep.then(Mutex::default) }
    }

    /// Keeps records too.
    pub(super) fn keeping(self) -> Self {
        Self { kept: Some(Mutex::default()), ..self }
    }

    /// Whether requests are recorded.
    pub(super) const fn records(&self) -> bool {
        self.log.0.is_some() || self.kept.is_some()
    }

    /// Whether the records need headers.
    pub(super) const fn with_headers(&self) -> bool {
        self.kept.is_some()
    }

    pub(super) fn write(&self, mut record: RequestRecord) {
        if let Some(kept) = &self.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= KEPT {
                kept.pop_front();
            }
            kept.push_back(record.clone());
        }
        if let Some(writer) = &self.log.0 {
            record.headers.clear();
            let line = format!("{}\n", record.line());
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            if writer.write_all(line.as_bytes()).and_then(|()| writer.flush()).is_err() {
                *writer = Box::new(std::io::sink());
            }
        }
    }

    /// The newest records, in order of time.
    pub(super) fn newest(&self) -> Vec<RequestRecord> {
        let kept = self.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner));
        kept.map(|kept| kept.iter().cloned().collect()).unwrap_or_default()
    }

    /// Forgets the records.
    pub(super) fn clear(&self) {
        if let Some(kept) = &self.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}
