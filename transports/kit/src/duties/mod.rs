//! The duties of a driver, each with its check.

mod answers;
mod bodies;
mod broken;
mod credentials;
mod flat;
mod large;
mod requests;
mod silence;
mod trust;

use crate::driver::Capabilities;
use crate::trial::{Protocol, Trial};

/// One duty.
#[derive(Clone, Copy)]
pub(crate) struct Duty {
    /// Its name in reports.
    pub(crate) name: &'static str,
    /// What a driver must do.
    pub(crate) what: &'static str,
    /// The protocols over which it is checked.
    pub(crate) over: Over,
    pub(crate) needs: Option<Needs>,
    pub(crate) check: fn(&mut Trial<'_, '_>) -> Result<(), String>,
}

/// The protocols over which a duty is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// Any: a handler in memory, or sockets.
    Any,
    /// Sockets, with each protocol that the driver speaks.
    Sockets,
    /// Sockets, with these protocols.
    Only(&'static [Protocol]),
}

/// A capability that a duty needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Tls,
    Http2,
    Concurrent,
    EarlyAnswers,
    Abort,
    TlsEnd,
}

impl Needs {
    pub(crate) const fn is_declared(self, capabilities: &Capabilities) -> bool {
        match self {
            Self::Tls => capabilities.tls,
            Self::Http2 => capabilities.http2,
            Self::Concurrent => capabilities.concurrent,
            Self::EarlyAnswers => capabilities.early_answers,
            Self::Abort => capabilities.abort,
            Self::TlsEnd => capabilities.tls_end,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Http2 => "HTTP/2",
            Self::Concurrent => "several requests in flight",
            Self::EarlyAnswers => "early answers",
            Self::Abort => "abort",
            Self::TlsEnd => "the end of TLS",
        }
    }
}

impl Over {
    /// The protocols that the driver speaks and over which the duty is checked.
    pub(crate) fn protocols(self, spoken: &[Protocol]) -> Vec<Protocol> {
        let is_meant = |protocol: &&Protocol| match self {
            Self::Any => true,
            Self::Sockets => **protocol != Protocol::Memory,
            Self::Only(these) => these.contains(protocol),
        };
        spoken.iter().filter(is_meant).copied().collect()
    }

    pub(crate) fn as_str(self) -> &'static str {
        if self == Self::Any { "any" } else { "socket" }
    }
}

/// All duties, in the order of the guide.
pub(crate) fn all() -> Vec<Duty> {
    [
        requests::DUTIES,
        bodies::DUTIES,
        answers::DUTIES,
        credentials::DUTIES,
        broken::DUTIES,
        large::DUTIES,
        silence::DUTIES,
        trust::DUTIES,
        flat::DUTIES,
    ]
    .concat()
}
