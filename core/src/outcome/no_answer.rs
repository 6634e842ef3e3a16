//! Why no answer came to a request.

use thiserror::Error;

/// Why no answer came. Each holds the reason as one sentence to show.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoAnswer {
    /// Nothing of the request left this machine (no address, refused, TLS failed): it was not applied. Tried again.
    #[error("the request was not sent: {0}")]
    NotSent(String),
    /// The other side is not known to be who it should be: its certificate is not trusted, or no certificate authority is
    /// configured. Nothing was sent; not tried again.
    #[error("{0}")]
    Untrusted(String),
    /// The connection ended, or fell silent, after some of the request was sent: it may have been applied.
    /// Tried again where that is harmless; otherwise the registry is asked first.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The source of the body failed; the request was given up. It was not applied. Not tried again: the operation fails.
    #[error("the content could not be read: {0}")]
    Source(String),
    /// The sink of a pull cannot be written; the rest of the answer was given up. Not tried again: the operation fails.
    #[error("what was pulled could not be written: {0}")]
    Sink(String),
    /// The stack cannot send this request as it is. Nothing was sent; not tried again.
    #[error("this HTTP stack cannot send the request as it is: {0}")]
    Unsendable(String),
}
