//! Why an operation failed, and what the caller can do.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::{AnswerError, NoAnswer, Refused, Row};
use crate::target::{Target, TargetError};
use crate::{Digest, MediaType, Origin, Tag};

/// Why an operation failed: what went wrong, in which request, and after how many attempts.
///
/// Its [`Display`](fmt::Display) is one sentence that can be shown. It contains no secret and no control character.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// The row of the spec's endpoint table, if a request failed.
    pub row: Option<Row>,
    /// The target of the request, if a request failed.
    pub target: Option<Target>,
    /// How many attempts of the request were made.
    pub attempts: u32,
    /// The key of the blob that the failure is about, as `Debug` prints it, if it is about one.
    pub blob: Option<String>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FailureKind {
    /// The registry's answer is an error or is malformed.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// No answer came, in any of the attempts.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// A URL in a registry's answer is malformed.
    #[error("the registry named a URL that cannot be used: {0}")]
    Target(#[from] TargetError),
    /// The bytes of a blob cannot be read.
    #[error("the content could not be read: {0}")]
    Unreadable(String),
    /// The bytes must be sent again, but the source can be read only once.
    #[error(
        "the upload must begin again, but its source can be read only once; give it as a file, or use smaller chunks"
    )]
    NotReplayable,
    /// The content from the source has another digest than the one that was given for it.
    #[error("the content has the digest {actual}, not {expected} as given")]
    DigestMismatch {
        /// The digest that was given.
        expected: Digest,
        /// The digest of the content.
        actual: Digest,
    },
    /// The content from the source has another size than the one that was given for it.
    #[error("the content has {actual} bytes, not {expected} as given")]
    SizeMismatch {
        /// The size that was given, in bytes.
        expected: u64,
        /// The size of the content, in bytes.
        actual: u64,
    },
    /// The upload was started as often as the options allow, and was never completed.
    #[error(
        "the upload was begun {sessions} {} and never finished{}",
        if *sessions == 1 { "time" } else { "times" },
        last_answer(answer.as_deref())
    )]
    TooManySessions {
        /// How many uploads were started, including POSTs of a whole blob that stored nothing.
        sessions: u32,
        /// The last answer to a body whose result is not known, if there was one; that with 500 if there was such a one,
        /// because the other transient statuses may come from a proxy.
        answer: Option<Box<Refused>>,
    },
    /// The retry budget of the origin is used up: too many of its requests have failed.
    #[error("too many requests have failed, and the retry budget is used up; try again later")]
    RetryBudget,
    /// The registry asked for a longer wait than [`Options::retry_after_limit`](crate::Options::retry_after_limit).
    #[error("the registry asks to wait {} seconds, more than the {} that are allowed; try again later", asked.as_secs(), limit.as_secs())]
    RetryAfter {
        /// The wait that it asked for.
        asked: Duration,
        /// The longest wait that the options allow.
        limit: Duration,
    },
    /// The registry only asked for waits, for longer than [`Options::patience`](crate::Options::patience).
    #[error("{origin} has asked to wait again and again, for {} seconds in all, and has served nothing; try again later", waited.as_secs())]
    PatienceExhausted {
        /// The origin that asked.
        origin: Origin,
        /// The waits, added up.
        waited: Duration,
    },
    /// The registry wants credentials, and the driver could not look them up, for example because a file or a helper is
    /// broken.
    #[error("the credentials could not be looked up: {0}")]
    AskFailed(String),
    /// The registry wants credentials, and there are none or it refused them.
    #[error("the registry refuses access: {0}")]
    Denied(String),
    /// The answer is larger than the options allow.
    #[error("the registry's answer is larger than the options allow")]
    TooLarge,
    /// A list is longer than the options allow.
    #[error("the list has more than {limit} {what}; the client's options can allow more")]
    TooMany {
        /// What the list contains.
        what: &'static str,
        /// How many entries the options allow.
        limit: u64,
    },
    /// The options forbid a redirect, location or token service that the registry named.
    #[error("{0}")]
    Refused(String),
    /// A manifest refers to content that is neither in the push nor in the repository.
    #[error("the push is incomplete: a manifest refers to {digest}, which is neither given nor in the repository")]
    Incomplete {
        /// The digest of the missing content.
        digest: Digest,
    },
    /// A manifest of a type that is not pushed, because it does not show what it refers to, or because registries no
    /// longer accept it.
    #[error("manifests of type {media_type} are not pushed; convert the image to OCI or to Docker's schema 2 first")]
    Unsupported {
        /// The type.
        media_type: MediaType,
    },
    /// The requested content does not exist.
    #[error("not found")]
    NotFound,
    /// The tag names another manifest, and the registry does not allow changing it.
    #[error("the tag {tag} names another manifest, and the registry does not allow changing it")]
    ImmutableTag {
        /// The tag.
        tag: Tag,
    },
    /// The registry accepted a manifest, but does not serve it under its digest. It may not support the digest's
    /// algorithm.
    #[error(
        "the registry does not serve the manifest under its digest {digest}{}; it may not support the digest's algorithm",
        tag.as_ref().map_or_else(String::new, |tag| format!(", although it accepted it under the tag {tag}"))
    )]
    NotServed {
        /// The digest of the manifest.
        digest: Digest,
        /// The tag.
        tag: Option<Tag>,
    },
    /// The tag that should list referrers names something else.
    #[error("the tag {tag} should hold an index of referrers, but {what}; remove or rename what is there")]
    NotReferrers {
        /// The tag.
        tag: Tag,
        /// What the tag names instead, as the end of the sentence.
        what: &'static str,
    },
    /// The registry has no referrers API, and resolves the fallback tag to the subject itself (GitLab). The manifest
    /// that refers to the subject is stored, but cannot be listed.
    #[error(
        "this registry cannot list referrers: it has no referrers API, and it resolves the tag {tag} to the subject itself; \
         the manifest that refers to the subject is stored, and can be pulled by its digest only"
    )]
    NoReferrers {
        /// The tag.
        tag: Tag,
    },
    /// The registry does not allow changing the list of referrers, perhaps because its tags are immutable
    /// ([quirk](crate::quirks) `fallback-tag-immutable`). The manifest itself was stored or deleted.
    #[error(
        "the manifest itself is {done}, but the list of referrers under {tag} cannot be changed: {refusal}; if tags are immutable, exempt those that begin with the digest's algorithm"
    )]
    ReferrersRefused {
        /// The tag.
        tag: Tag,
        /// What happened to the manifest: `stored` or `deleted`.
        done: &'static str,
        /// The refusal.
        refusal: Box<AnswerError>,
    },
    /// Other clients overwrote the list of referrers each time that it was written.
    #[error("other clients overwrote the list of referrers under {tag} {tries} times; push again to repair it")]
    ReferrersConflict {
        /// The tag.
        tag: Tag,
        /// How often it was written.
        tries: u32,
    },
    /// The registry has no referrers API, and the options forbid writing the fallback tag.
    #[error("the registry has no referrers API, and the options forbid writing the fallback tag")]
    ReferrersForbidden,
    /// The caller cancelled the operation.
    #[error("cancelled")]
    Cancelled,
    /// The caller used the client incorrectly.
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

    /// Records the number of attempts, if a request failed.
    pub(crate) fn after(mut self, attempts: u32) -> Self {
        if self.row.is_some() || matches!(self.kind, FailureKind::Answer(_) | FailureKind::ReferrersRefused { .. }) {
            self.attempts = self.attempts.max(attempts);
        }
        self
    }

    /// The registry's refusal, if that is why the operation failed.
    #[must_use]
    pub const fn refused(&self) -> Option<&Refused> {
        match &self.kind {
            FailureKind::Answer(error) => error.refused(),
            FailureKind::ReferrersRefused { refusal, .. } => refusal.refused(),
            FailureKind::TooManySessions { answer: Some(answer), .. } => Some(answer),
            _ => None,
        }
    }

    /// Whether the registry says that the bytes have another digest or length than was stated.
    pub(crate) fn blames_the_bytes(&self) -> bool {
        let says = |code| self.refused().is_some_and(|refused| refused.errors.has_code(code));
        says("DIGEST_INVALID") || says("SIZE_INVALID")
    }
}

/// What was answered last. A registry that gives no reason may limit the size of a body.
fn last_answer(answer: Option<&Refused>) -> String {
    let limit = "; the registry may limit the size of a body";
    match answer {
        None => limit.to_owned(),
        Some(Refused { status, errors, .. }) if errors.errors.is_empty() => {
            format!(", and the last answer was {status}{limit}")
        }
        Some(Refused { status, errors, .. }) => format!(", and the last answer was {status}: {errors}"),
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
