//! Why credentials that were set up could not be read.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use longshore_core::driver::AskFailed;
use longshore_core::text::shown;
use thiserror::Error;

/// Why credentials could not be read. No text of a file or a helper is quoted, because it may be a secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A file that exists, or must exist, cannot be read.
    #[error("cannot read the credentials in {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A file that is too large to hold credentials.
    #[error("{} is larger than {limit} bytes: it does not look like a file of credentials", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A file, or the variable `DOCKER_AUTH_CONFIG`, is not the expected JSON.
    #[error("{} does not hold credentials as Docker writes them: see line {line}, column {column}", path.display())]
    Malformed {
        /// The file, or the variable's name.
        path: PathBuf,
        /// The line, from 1; 0 for the whole document.
        line: usize,
        /// The column, from 1; 0 for the whole line.
        column: usize,
    },
    /// An entry is not a user name and a password.
    #[error("the entry for {} in {} {why}: log in again to write it anew", shown(key), path.display())]
    Entry {
        /// The file, or the variable's name.
        path: PathBuf,
        /// The entry's key.
        key: String,
        /// What is wrong with it.
        why: EntryError,
    },
    /// A helper failed or gave no valid answer.
    #[error("the credential helper docker-credential-{} {failure}", shown(helper))]
    Helper {
        /// The helper, without `docker-credential-`.
        helper: String,
        /// What went wrong.
        failure: HelperFailure,
    },
}

/// What is wrong with an entry of a file of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Its `auth` is not `user:password` in Base64.
    #[error("is not user:password in base64")]
    NotAPair,
    /// It is no object of texts; a helper's name is no text.
    #[error("is not what Docker writes there")]
    Malformed,
    /// Its `auth` holds a user name or a password that is not UTF-8, as Latin-1 is not.
    #[error("has a user name or password that is not UTF-8")]
    NotUtf8,
    /// It has a user name without a password, or a password without a user name.
    #[error("has a user name without a password, or a password without a user name")]
    Half,
    /// A user name that is empty, or holds a colon or a control character.
    #[error("has a user name that is empty, or holds a colon or a control character")]
    User,
    /// The password contains a control character other than a line break or a tab.
    #[error("has a password that holds a control character other than a line break or a tab")]
    Password,
    /// The token contains a control character.
    #[error("has a token that holds a control character")]
    Token,
}

/// What went wrong with a credential helper.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HelperFailure {
    /// The helper's name is not a plain file name.
    #[error("cannot be run: its name in the file must be letters, digits, and . _ - between them")]
    Name,
    /// The program is not in `PATH`.
    #[error("is not installed: no absolute folder in PATH has it")]
    NotInstalled,
    /// The system could not start it.
    #[error("cannot be started: {0}")]
    Start(io::Error),
    /// It ended with an error.
    #[error("failed for {server} ({status}): run it by hand to see why")]
    Failed {
        /// What it was asked for.
        server: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// It did not end within the limit, and was stopped.
    #[error("did not answer for {server} within {limit:?}: it was stopped")]
    TimedOut {
        /// What it was asked for.
        server: String,
        /// How long it had.
        limit: Duration,
    },
    /// It wrote more than the limit.
    #[error("said more than {limit} bytes: that is not an answer")]
    TooMuch {
        /// How much it may say, in bytes.
        limit: usize,
    },
    /// Its output is not a valid answer.
    #[error("did not answer with a ServerURL, a Username and a Secret as JSON")]
    Garbage,
    /// Its user name holds a colon, which ends a user name where it is sent (RFC 7617, section 2).
    #[error("answered for {server} with a user name that holds a colon, which cannot be sent")]
    User {
        /// What it was asked for.
        server: String,
    },
    /// Its answer is for another registry.
    #[error("was asked for {server} and answered for another server")]
    OtherServer {
        /// What it was asked for.
        server: String,
    },
}

/// What a driver answers to [`Output::Ask`](longshore_core::driver::Output::Ask) in place of credentials.
impl From<CredentialsError> for AskFailed {
    fn from(error: CredentialsError) -> Self {
        Self(error.to_string())
    }
}
