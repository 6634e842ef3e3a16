//! Errors in a registry's answers.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use thiserror::Error;

use super::Row;
use crate::content::ManifestError;
use crate::header::{ErrorBody, LinkError, LocationError, RetryAfter, UploadProgress, challenges};
use crate::text::shown;
use crate::{Digest, Target};

/// An answer that is an error, or that is malformed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The registry refused the request, with 4xx or 5xx.
    #[error(transparent)]
    Refused(Box<Refused>),
    /// The registry redirected the request. The caller decides whether to follow.
    #[error("{row}: the registry answered {status}, and the redirect was not followed")]
    Redirected {
        /// What was asked.
        row: Row,
        /// The status: 3xx.
        status: StatusCode,
        /// The target, if the answer has a `Location` that can be used.
        to: Option<Target>,
    },
    /// The status is a success, but a required part of the answer is missing or malformed. Proxies and load balancers
    /// send such answers ([quirk](crate::quirks) `post-200-healthcheck`), so a retry may help.
    #[error("{row}: the registry's answer to a request to {} ({status}) is malformed: {why}", row.name())]
    Malformed {
        /// What was asked.
        row: Row,
        /// The answer's status.
        status: StatusCode,
        /// What is wrong with it.
        why: Flaw,
    },
    /// The registry reports another digest than the one that the client knows: it has changed the content or confused
    /// it with other content.
    #[error("{row}: the registry reports the digest {} for content that is {}", .digests.found, .digests.expected)]
    WrongDigest {
        /// What was asked.
        row: Row,
        /// The digest that the client knows, and the one in `Docker-Content-Digest`.
        digests: Box<Digests>,
    },
    /// The content that came is not the content that was requested.
    #[error("{row}: the registry sent content with the digest {} for {}", .digests.found, .digests.expected)]
    WrongContent {
        /// What was asked.
        row: Row,
        /// The digest that was requested, and the digest of the content that came.
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

    /// The refusal, if this is one.
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

/// Two digests that should be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Digests {
    /// The expected digest.
    pub expected: Digest,
    /// The digest that was found.
    pub found: Digest,
}

/// What is wrong with an answer whose status is a success.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Flaw {
    /// The status is a 2xx that is no valid answer to this request.
    #[error("this success status is not a valid answer to the request")]
    Status,
    /// The answer is an HTML page, probably from a server that is not a registry.
    #[error("it is a web page; check that the address is that of a registry")]
    WebPage,
    /// There is no `Location`, which is required.
    #[error("it has no Location")]
    NoLocation,
    /// The `Location` cannot be used.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The `Link` to the next page must not be followed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The `Content-Type` is not valid for this answer.
    #[error("its Content-Type is {}", shown(.0))]
    ContentType(
        /// The value of the header; empty if there is none.
        String,
    ),
    /// The body is not a valid manifest.
    #[error("{}", shown(&.0.to_string()))]
    Manifest(#[source] Box<ManifestError>),
    /// The body is not the JSON that the spec describes.
    #[error("its body cannot be read: {0}")]
    Json(
        /// What the parser says, without any of the content.
        String,
    ),
    /// A `206` has no valid `Content-Range`, or one that starts at another position than requested.
    #[error("it has another part of the blob than the one requested")]
    Part,
    /// The list has more entries than are read.
    #[error("it lists more than {0} entries")]
    TooMany(
        /// How many entries are read at most.
        usize,
    ),
}

impl From<ManifestError> for Flaw {
    fn from(why: ManifestError) -> Self {
        Self::Manifest(Box::new(why))
    }
}

/// A registry's refusal of a request.
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
    /// The errors in the body.
    pub errors: ErrorBody,
    /// The texts of the `WWW-Authenticate` headers.
    pub challenges: Vec<String>,
    /// How long the registry asks to wait.
    pub retry_after: RetryAfter,
    /// The state of the upload, if the answer is a 416 with a `Location` or a readable `Range`.
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
                [] => f.write_str(" (it asks for credentials, but has no challenge)")?,
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
