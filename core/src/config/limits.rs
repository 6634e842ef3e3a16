//! The limits of one request, which a driver enforces.

use std::time::Duration;

/// The limits of one request, which a driver enforces. A driver whose HTTP stack cannot enforce one says so in its
/// documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many bytes the head of the answer may have at most, all fields together.
    pub head_bytes: usize,
    /// How many header fields the answer may have at most.
    pub head_fields: usize,
    /// How long opening the connection may take at most.
    pub connect: Duration,
    /// How long the connection may transfer no byte. One clock counts both directions: while the body is being sent,
    /// the answer that has not begun is no silence. The time must be long enough for a registry to store a large blob
    /// before it answers.
    pub silence: Duration,
}

impl Default for Limits {
    /// 64 KiB and 128 fields for the head, 30 seconds to connect, 5 minutes of silence.
    fn default() -> Self {
        Self {
            head_bytes: 64 * 1024,
            head_fields: 128,
            connect: Duration::from_secs(30),
            silence: Duration::from_secs(300),
        }
    }
}
