//! How the command ends: a status for scripts and one sentence for people.

use std::fmt;
use std::process::ExitCode;

use longshore_core::endpoint::Refused;
use longshore_core::{Failure, FailureKind};

/// What `--help` says about the status.
pub(crate) const HELP: &str = "Exit status: 0 done, 1 refused or failed, 2 misuse, 130 stopped by Ctrl-C.";

/// Why a command did not do what it was asked for: one sentence, and whose doing it is.
#[derive(Debug)]
pub(crate) struct Error {
    status: u8,
    sentence: String,
    failure: Option<Box<Failure>>,
}

impl Error {
    /// Something was refused or went wrong: status 1.
    pub(crate) fn failed(sentence: impl fmt::Display) -> Self {
        Self { status: 1, sentence: sentence.to_string(), failure: None }
    }

    /// The command was called in a way that makes no sense: status 2.
    pub(crate) fn misuse(sentence: impl fmt::Display) -> Self {
        Self { status: 2, sentence: sentence.to_string(), failure: None }
    }

    /// A signal stopped it: 128 and the signal's number, as shells have it.
    pub(crate) fn stopped(signal: Signal, sentence: impl fmt::Display) -> Self {
        Self { status: 128 + signal as u8, sentence: sentence.to_string(), failure: None }
    }

    /// An operation failed, which this sentence tells: status 1.
    pub(crate) const fn of(failure: Box<Failure>, sentence: String) -> Self {
        Self { status: 1, sentence, failure: Some(failure) }
    }

    /// The same, with what it is about before it.
    pub(crate) fn about(self, what: impl fmt::Display) -> Self {
        Self { sentence: format!("{what}: {}", self.sentence), ..self }
    }

    /// The registry's refusal, where that is what went wrong.
    pub(crate) fn refused(&self) -> Option<&Refused> {
        self.failure.as_ref()?.refused()
    }

    /// Whether what answered did not answer as a registry does: neither with what was asked for nor with a refusal.
    pub(crate) fn is_no_registry(&self) -> bool {
        match self.failure().map(|failure| &failure.kind) {
            Some(FailureKind::Answer(_)) => self.refused().is_none(),
            Some(_) => false,
            // What this command itself finds wrong with an answer.
            None => true,
        }
    }

    /// Why the operation failed, where one did.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.as_deref()
    }

    pub(crate) fn status(&self) -> ExitCode {
        ExitCode::from(self.status)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// A wish to stop, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt = 2,
    /// SIGTERM: a service manager.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has it"))]
    Terminate = 15,
}
