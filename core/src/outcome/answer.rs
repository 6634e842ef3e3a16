//! What an answer can be other than what was asked for.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use thiserror::Error;

use super::Row;
use crate::content::ManifestError;
use crate::header::{ErrorBody, LinkError, LocationError, RetryAfter, UploadProgress, challenges};
use crate::text::shown;
use crate::{Digest, Target};

/// An answer that is not the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// A status that says no: 4xx or 5xx.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// A redirect, which is for the caller to follow or not.
    #[error("{row}: the registry answered {status}, and the redirect was not followed")]
    Redirected {
        /// What was asked.
        row: Row,
        /// The status: 3xx.
        status: StatusCode,
        /// Where to, where it says so in a way that can be used.
        to: Option<Target>,
    },
    /// A success that is none: something that must be there is not, or is not what it must be. Proxies and load
    /// balancers make such answers (quirk `post-200-healthcheck`), so asking again may help.
    #[error("{row}: the registry's answer to a request to {} ({status}) is malformed: {why}", row.name())]
    Malformed {
        /// What was asked.
        row: Row,
        /// The answer's status.
        status: StatusCode,
        /// What is wrong with it.
        why: Flaw,
    },
    /// The registry reports another digest than the one this side knows: it has altered the content, or mixed it up.
    #[error("{row}: the registry reports the digest {} for content that is {}", .digests.found, .digests.expected)]
    WrongDigest {
        /// What was asked.
        row: Row,
        /// What this side knows, and what `Docker-Content-Digest` gives.
        digests: Box<Digests>,
    },
    /// The content that came is not the content that was asked for.
    #[error("{row}: the registry sent content with the digest {} for {}", .digests.found, .digests.expected)]
    WrongContent {
        /// What was asked.
        row: Row,
        /// What was asked for, and what came.
        digests: Box<Digests>,
    },
}

impl AnswerError {
    /// What was asked.
    #[must_use]
    pub const fn row(&self) -> Row {
        match self {
            Self::Refused(refused) => refused.row,
            Self::Redirected { row, .. }
            | Self::Malformed { row, .. }
            | Self::WrongDigest { row, .. }
            | Self::WrongContent { row, .. } => *row,
        }
    }

    /// The refusal, where it is one.
    #[must_use]
    pub const fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }

    /// Whether the answer was a 404.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.refused().is_some_and(|refused| refused.status == StatusCode::NOT_FOUND)
    }
}

/// Two digests that should have been the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// The digest that it should be.
    pub expected: Digest,
    /// The digest that it is.
    pub found: Digest,
}

/// What is wrong with an answer whose status is a success.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Flaw {
    /// A success, but not one that this request can have.
    #[error("a success of this kind is no answer to it")]
    Status,
    /// A 200 with a page of HTML, from a server that answers anything like that.
    #[error("it is a web page: is it a registry that answers there?")]
    WebPage,
    /// No `Location`, and nothing can go on without one.
    #[error("it has no Location")]
    NoLocation,
    /// A `Location` that cannot be used.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// A `Link` to the next page that must not be followed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The content has a type that it cannot have.
    #[error("its Content-Type is {}", shown(.0))]
    ContentType(
        /// The type, or what stands for it; empty where there is none.
        String,
    ),
    /// The content is no manifest.
    #[error("{}", shown(&.0.to_string()))]
    Manifest(#[source] Box<ManifestError>),
    /// The content is not the JSON that the spec describes.
    #[error("its body cannot be read: {0}")]
    Json(
        /// What the parser says; none of the content is in it.
        String,
    ),
    /// A `206` without a `Content-Range`, or with one that begins elsewhere than the range that was asked for.
    #[error("it holds another part of the blob than the one asked for")]
    Part,
    /// A list of more entries than are read at once.
    #[error("it lists more than {0} entries")]
    TooMany(
        /// How many are read.
        usize,
    ),
}

impl From<ManifestError> for Flaw {
    fn from(why: ManifestError) -> Self {
        Self::Manifest(Box::new(why))
    }
}

/// A refusal, as the registry put it.
///
/// ```
/// use bytes::Bytes;
/// use longshore_core::endpoint::{Endpoint, StartUpload};
/// use longshore_core::Reference;
///
/// let reference: Reference = "ghcr.io/you/app".parse()?;
/// let start = StartUpload { origin: &reference.registry.origin(), repository: &reference.repository, algorithm: None };
/// let body = br#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
/// let answer = http::Response::builder().status(403).body(Bytes::from_static(body))?;
/// let error = start.parse(&start.target(), &answer).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "end-4a: the registry refused to begin an upload: 403 Forbidden: \
///      DENIED: requested access to the resource is denied",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// What was asked.
    pub row: Row,
    /// The status: 4xx or 5xx.
    pub status: StatusCode,
    /// What the body says.
    pub errors: ErrorBody,
    /// The texts of the `WWW-Authenticate` headers.
    pub challenges: Vec<String>,
    /// How long the registry asks to wait.
    pub retry_after: RetryAfter,
    /// Where the registry says the upload stands: on a 416 that has a `Location` or a readable `Range`.
    pub progress: Option<UploadProgress>,
}

impl Refused {
    pub(crate) fn read(row: Row, response: &Response<Bytes>) -> Self {
        Self {
            row,
            status: response.status(),
            errors: ErrorBody::read(response.body()),
            challenges: challenges(response.headers()),
            retry_after: RetryAfter::read(response.headers()),
            progress: None,
        }
    }
}

impl From<Refused> for AnswerError {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the registry refused to {}: {}", self.row, self.row.name(), self.status.as_str())?;
        if let Some(reason) = self.status.canonical_reason() {
            write!(f, " {reason}")?;
        }
        if !self.errors.is_empty() {
            write!(f, ": {}", self.errors)?;
        }
        if self.status == StatusCode::UNAUTHORIZED {
            match self.challenges.as_slice() {
                [] => f.write_str(" (it asks for credentials, and does not say which)")?,
                challenges => {
                    for (i, challenge) in challenges.iter().enumerate() {
                        f.write_str(if i == 0 { " (it asks for: " } else { ", " })?;
                        f.write_str(&shown(challenge))?;
                    }
                    f.write_str(")")?;
                }
            }
        }
        Ok(())
    }
}
