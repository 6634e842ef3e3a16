//! Why credentials could not be had, though something was set up for them.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use longshore_core::text::shown;
use thiserror::Error;

/// Why credentials could not be had. Nothing that a file or a helper said is quoted: it may be a secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A file that is there, or must be, cannot be read.
    #[error("cannot read the credentials in {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
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
    /// A file, or the variable `DOCKER_AUTH_CONFIG`, that is not the JSON it should be.
    #[error("{} does not hold credentials as Docker writes them: see line {line}, column {column}", path.display())]
    Malformed {
        /// The file, or the variable's name.
        path: PathBuf,
        /// The line, from 1; 0 where it is the document as a whole.
        line: usize,
        /// The column, from 1; 0 where it is the line as a whole.
        column: usize,
    },
    /// An entry that is no user name and password.
    #[error("the entry for {} in {} {why}: log in again to write it anew", shown(key), path.display())]
    Entry {
        /// The file, or the variable's name.
        path: PathBuf,
        /// The entry's key.
        key: String,
        /// What is wrong with it.
        why: EntryError,
    },
    /// A helper did not answer as it should.
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
    /// Its `auth` is something else.
    #[error("is not user:password in base64")]
    NotAPair,
    /// It has a user name and no password, or the reverse.
    #[error("has a user name without a password, or a password without a user name")]
    Half,
    /// A user name that is empty, or holds a colon or a control character.
    #[error("has a user name that is empty, or holds a colon or a control character")]
    User,
    /// A control character that no password may hold.
    #[error("has a password that holds a control character other than a line break or a tab")]
    Password,
    /// A token that is not visible text.
    #[error("has a token that holds a control character")]
    Token,
}

/// What went wrong with a credential helper.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HelperFailure {
    /// A name that leads elsewhere, or to nothing.
    #[error("cannot be run: its name in the file must be letters, digits, and . _ - between them")]
    Name,
    /// No such program.
    #[error("is not installed: no absolute folder in PATH has it")]
    NotInstalled,
    /// The system did not start it.
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
    /// It did not end in time.
    #[error("did not answer for {server} within {limit:?}: it was stopped")]
    TimedOut {
        /// What it was asked for.
        server: String,
        /// How long it had.
        limit: Duration,
    },
    /// It said more than credentials are long.
    #[error("said more than {limit} bytes: that is not an answer")]
    TooMuch {
        /// How much it may say, in bytes.
        limit: usize,
    },
    /// It said something that is not an answer.
    #[error("did not answer with a ServerURL, a Username and a Secret as JSON")]
    Garbage,
    /// It answered for another registry.
    #[error("was asked for {server} and answered for another server")]
    OtherServer {
        /// What it was asked for.
        server: String,
    },
}
