//! Why an operation failed, and what its caller can do.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use thiserror::Error;

use super::{AnswerError, NoAnswer, Refused, Row};
use crate::target::{Target, TargetError};
use crate::{Digest, MediaType, Origin, Tag};

/// Why an operation failed: what was asked of whom, how often, and what went wrong.
///
/// Its [`Display`](fmt::Display) is one sentence to show; no secret and no control character is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// The row of the spec's table that it happened in, where it was an exchange.
    pub row: Option<Row>,
    /// Where the request went, where there was one.
    pub target: Option<Target>,
    /// How often the request was made.
    pub attempts: u32,
    /// The blob it was about, as the caller's key prints, where it was about one.
    pub blob: Option<String>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FailureKind {
    /// The registry answered, and the answer is an error or not one of the spec's.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// No answer came, after all the attempts.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// A URL from the network is none.
    #[error("the registry named a URL that is refused: {0}")]
    Target(#[from] TargetError),
    /// The bytes of a blob cannot be read.
    #[error("the content could not be read: {0}")]
    Unreadable(String),
    /// The bytes would have to be sent again, and the source gives them only once.
    #[error(
        "the upload must begin again, but its source can be read only once; give it as a file, or use smaller chunks"
    )]
    NotReplayable,
    /// What the source gave is not what it was said to be.
    #[error("the content is not what it was said to be: its digest is {actual}, not {expected}")]
    DigestMismatch {
        /// What it was said to be.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// What the source gave is longer or shorter than it was said to be.
    #[error("the content is {actual} bytes long, not the {expected} it was said to have")]
    SizeMismatch {
        /// Said, in bytes.
        expected: u64,
        /// Found, in bytes.
        actual: u64,
    },
    /// The upload was begun again as often as is allowed, and never came to an end.
    #[error(
        "the upload was begun {sessions} {} and never finished{}; the registry may limit the size of a body",
        if *sessions == 1 { "time" } else { "times" },
        status.map_or_else(String::new, |status| format!(", and the last answer was {status}"))
    )]
    TooManySessions {
        /// How many uploads were begun, among them POSTs of a whole blob that came to nothing.
        sessions: u32,
        /// What was answered to the last body of which it is not known what became, if anything was.
        status: Option<StatusCode>,
    },
    /// The client's budget for retries is spent: too much fails here.
    #[error("too many requests have failed; the budget for retries is spent")]
    RetryBudget,
    /// The registry asked for a longer wait than the options allow.
    #[error("the registry asks to wait {} seconds, more than the {} that are allowed; try again later", asked.as_secs(), limit.as_secs())]
    RetryAfter {
        /// What it asked for.
        asked: Duration,
        /// What the options allow.
        limit: Duration,
    },
    /// The registry did nothing but ask for waits, for longer than the options allow.
    #[error("{origin} has asked to wait again and again, for {} seconds in all, and has served nothing; try again later", waited.as_secs())]
    PatienceExhausted {
        /// Who.
        origin: Origin,
        /// The waits, added up.
        waited: Duration,
    },
    /// The registry wants credentials, and whoever looks them up could not: a file or helper is not in order.
    #[error("the credentials could not be looked up: {0}")]
    AskFailed(String),
    /// The registry wants credentials, and there are none that it takes.
    #[error("the registry refuses access: {0}")]
    Denied(String),
    /// The answer is larger than the options allow.
    #[error("the registry's answer is larger than the options allow")]
    TooLarge,
    /// A list is longer than the options allow.
    #[error("the list has more than {limit} {what}; the client's options can allow more")]
    TooMany {
        /// Of what there are too many.
        what: &'static str,
        /// How many the options allow.
        limit: u64,
    },
    /// A redirect, location or realm that the options forbid.
    #[error("{0}")]
    Refused(String),
    /// A manifest refers to something that is neither in the push nor in the repository.
    #[error("the push is incomplete: {digest} is referred to, but neither given nor in the repository")]
    Incomplete {
        /// What is missing.
        digest: Digest,
    },
    /// A manifest of a type that cannot be pushed whole, because what it refers to cannot be told from it, or registries take
    /// it no more.
    #[error("manifests of type {media_type} are not pushed; convert the image to OCI or to Docker's schema 2 first")]
    Unsupported {
        /// The type.
        media_type: MediaType,
    },
    /// What was asked for is not there.
    #[error("not found")]
    NotFound,
    /// The tag holds something else, and the registry does not let it be changed.
    #[error("the tag {tag} holds something else, and the registry does not let it be changed")]
    ImmutableTag {
        /// The tag.
        tag: Tag,
    },
    /// The registry took a manifest under its tag, and does not serve it under its digest: it may not know the digest's algorithm.
    #[error(
        "the registry does not serve the manifest under its digest {digest}{}; it may not know the digest's algorithm",
        tag.as_ref().map_or_else(String::new, |tag| format!(", though it took it under the tag {tag}"))
    )]
    NotServed {
        /// The digest.
        digest: Digest,
        /// The tag.
        tag: Option<Tag>,
    },
    /// The tag that should list referrers holds something else.
    #[error("the tag {tag} should hold an index of referrers, but {what}; remove or rename what is there")]
    NotReferrers {
        /// The tag.
        tag: Tag,
        /// What is there instead.
        what: &'static str,
    },
    /// The registry keeps no lists of referrers, and reads the tag that should list them as the digest in it (GitLab). What
    /// was to be listed is stored all the same.
    #[error(
        "this registry cannot list referrers: it has no API for it, and it reads the tag {tag} as the subject itself; \
         what refers to the subject is stored, and found by its digest alone"
    )]
    NoReferrers {
        /// The tag.
        tag: Tag,
    },
    /// The registry does not let the list of referrers be changed: perhaps its tags cannot be moved (quirk
    /// `fallback-tag-immutable`). What the list is about is done all the same.
    #[error(
        "the manifest itself is {done}, but the list of referrers under {tag} cannot be changed: {refusal}; where tags are immutable, exempt those that begin with the digest's algorithm"
    )]
    ReferrersRefused {
        /// The tag.
        tag: Tag,
        /// What became of the manifest that the list names: `stored` or `deleted`.
        done: &'static str,
        /// The refusal.
        refusal: Box<AnswerError>,
    },
    /// The list of referrers was overwritten by others each time it was written.
    #[error("the list of referrers under {tag} was overwritten {tries} times by others; push again to repair it")]
    ReferrersConflict {
        /// The tag.
        tag: Tag,
        /// How often it was written.
        tries: u32,
    },
    /// The registry has no referrers API, and the options forbid to write the fallback tag.
    #[error("the registry has no referrers API, and writing the fallback tag is forbidden by the options")]
    ReferrersForbidden,
    /// The caller cancelled the operation.
    #[error("cancelled")]
    Cancelled,
    /// The caller asked for something that makes no sense.
    #[error("{0}")]
    Misuse(String),
}

impl Failure {
    pub(crate) fn new(kind: impl Into<FailureKind>) -> Self {
        Self { kind: kind.into(), row: None, target: None, attempts: 0, blob: None }
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(FailureKind::Cancelled)
    }

    pub(crate) fn lost() -> Self {
        Self::new(NoAnswer::Lost("no answer came".to_owned()))
    }

    pub(crate) fn at(mut self, row: Row, target: Target) -> Self {
        self.row.get_or_insert(row);
        self.target.get_or_insert(target);
        self
    }

    pub(crate) fn about(mut self, blob: &impl fmt::Debug) -> Self {
        self.blob.get_or_insert_with(|| crate::text::shown(&format!("{blob:?}")));
        self
    }

    /// The same, after a request was made so often, where it is about an exchange.
    pub(crate) fn after(mut self, attempts: u32) -> Self {
        if self.row.is_some() || matches!(self.kind, FailureKind::Answer(_) | FailureKind::ReferrersRefused { .. }) {
            self.attempts = self.attempts.max(attempts);
        }
        self
    }

    /// The registry's refusal, where that is what went wrong.
    #[must_use]
    pub const fn refused(&self) -> Option<&Refused> {
        match &self.kind {
            FailureKind::Answer(error) => error.refused(),
            FailureKind::ReferrersRefused { refusal, .. } => refusal.refused(),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(blob) = &self.blob {
            write!(f, "blob {blob}: ")?;
        }
        write!(f, "{}", self.kind)?;
        if let (Some(row), Some(target)) = (self.row, &self.target) {
            write!(f, " ({row}, {target}")?;
            if self.attempts > 1 {
                write!(f, ", {} attempts", self.attempts)?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
