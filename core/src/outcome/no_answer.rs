//! Why no answer came to a request.

use thiserror::Error;

/// Why no answer came. Each variant has the reason, as one sentence to show.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// No part of the request was sent (no address, connection refused, TLS failed), so it was not applied. The client
    /// retries.
    #[error("the request was not sent: {0}")]
    NotSent(String),
    /// The server's certificate is not trusted, or no certificate authority is configured. No part of the request was
    /// sent. The operation fails without a retry.
    #[error("{0}")]
    Untrusted(String),
    /// The connection ended or timed out after a part of the request was sent, so it may have been applied. The client
    /// retries if that is harmless, and otherwise asks the registry first.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The source of the body failed and the request was aborted, so it was not applied. The operation fails without a
    /// retry.
    #[error("the content could not be read: {0}")]
    Source(String),
    /// The sink of a pull could not be written, and the rest of the answer was dropped. The operation fails without a
    /// retry.
    #[error("the pulled content could not be written: {0}")]
    Sink(String),
    /// The HTTP stack cannot send this request unchanged, and nothing was sent. The operation fails without a retry.
    #[error("this HTTP stack cannot send the request unchanged: {0}")]
    Unsendable(String),
}
