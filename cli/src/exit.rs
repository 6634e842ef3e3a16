//! How the command ends: a status for scripts and one sentence for people.

use std::fmt;
use std::process::ExitCode;

/// What `--help` says about the status.
pub(crate) const HELP: &str = "Exit status: 0 done, 1 refused or failed, 2 misuse.";

/// Why a command did not do what it was asked for: one sentence, and whose mistake it is.
#[derive(Debug)]
pub(crate) struct Error {
    is_misuse: bool,
    sentence: String,
}

impl Error {
    /// Something was refused or went wrong: status 1.
    pub(crate) fn failed(sentence: impl fmt::Display) -> Self {
        Self { is_misuse: false, sentence: sentence.to_string() }
    }

    /// The command was called in a way that makes no sense: status 2.
    pub(crate) fn misuse(sentence: impl fmt::Display) -> Self {
        Self { is_misuse: true, sentence: sentence.to_string() }
    }

    pub(crate) fn status(&self) -> ExitCode {
        ExitCode::from(if self.is_misuse { 2 } else { 1 })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}
