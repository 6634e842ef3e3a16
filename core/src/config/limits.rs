//! What a driver may spend on one request.

use std::time::Duration;

/// What a driver may spend on one request. A stack that cannot hold one of these says so in its documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many bytes the head of the answer may have, all fields together.
    pub head_bytes: usize,
    /// How many header fields the answer may have.
    pub head_fields: usize,
    /// How long making the connection may take.
    pub connect: Duration,
    /// How long neither side may move a byte. A large commit may keep a registry busy for long.
    pub silence: Duration,
}

impl Default for Limits {
    /// 64 KiB and 128 fields of head, 30 seconds to connect, 5 minutes of silence.
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            head_fields: 128,
            connect: Duration::from_secs(30),
            silence: Duration::from_secs(300),
        }
    }
}
