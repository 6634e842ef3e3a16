//! The registry's answers.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use longshore_core::{Digest, Row};

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The row of the spec's endpoint table; `None` if the request is in no row.
    pub row: Option<Row>,
    /// The status.
    pub status: StatusCode,
    /// The headers. `Content-Length` is the length of the body, or, for `HEAD`, of the body that `GET` would have.
    pub headers: HeaderMap,
    /// The body, by name.
    pub body: Body,
    /// How it is delivered.
    pub delivery: Delivery,
    /// How fast it is delivered.
    pub pace: Pace,
}

/// How an answer is delivered. The server or the test that delivers it carries this out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// It arrives completely.
    #[default]
    Whole,
    /// The request was not sent.
    NotSent,
    /// No part of it arrives: the connection is closed.
    Lost,
    /// No part of it arrives: the connection is reset.
    Reset,
    /// The connection is closed after this many bytes of the head.
    HeadCut(u64),
    /// The connection is closed after this many bytes of the body.
    CutAfter(u64),
    /// Bytes that are not HTTP arrive.
    Garbage,
}

/// How fast an answer is delivered. The server or the test that delivers it waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// How many microseconds later it is delivered.
    pub late: u64,
    /// How many bytes of its body are sent in a second, at least 1; `None` means no limit.
    pub rate: Option<u64>,
}

impl Pace {
    /// The delay in microseconds of an answer whose body has this many bytes.
    #[must_use]
    pub fn delay(&self, bytes: u64) -> u64 {
        let sending = self.rate.map_or(0, |rate| u128::from(bytes) * 1_000_000 / u128::from(rate.max(1)));
        self.late.saturating_add(u64::try_from(sending).unwrap_or(u64::MAX))
    }
}

/// The body of an answer. A blob is only named: whatever delivers the answer reads it from the storage in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// These bytes.
    Bytes(Bytes),
    /// This many spaces, which a fault puts in place of a body.
    Spaces(u64),
    /// These bytes of a blob.
    Blob {
        /// Which blob.
        digest: Digest,
        /// Which of its bytes: offsets from its beginning.
        range: Range<u64>,
    },
}

impl Body {
    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Spaces(bytes) => *bytes,
            Self::Blob { range, .. } => range.end.saturating_sub(range.start),
        }
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The spaces, if the body is spaces and they fit in memory.
    pub(crate) fn spaces(&self) -> Option<Bytes> {
        const MOST: u64 = 1 << 30;
        match self {
            Self::Spaces(bytes) if *bytes <= MOST => Some(vec![b' '; usize::try_from(*bytes).ok()?].into()),
            _ => None,
        }
    }
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn new(row: impl Into<Option<Row>>, status: StatusCode) -> Self {
        Self {
            row: row.into(),
            status,
            headers: HeaderMap::new(),
            body: Body::Bytes(Bytes::new()),
            delivery: Delivery::Whole,
            pace: Pace::default(),
        }
    }

    /// Adds a header. A value that no header can contain is left out: it came from a request, and the answer is valid
    /// without it.
    pub(crate) fn header(mut self, name: impl Into<Header>, value: impl fmt::Display) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.to_string()) {
            self.headers.append(name.into().0, value);
        }
        self
    }

    /// Sets the body, with its type and length.
    pub(crate) fn body(mut self, content_type: &str, body: Body) -> Self {
        self = self.header(CONTENT_TYPE, content_type).header(CONTENT_LENGTH, body.len());
        self.body = body;
        self
    }

    /// The same answer without the body and with unchanged headers, for `HEAD`.
    pub(crate) fn without_body(mut self) -> Self {
        self.body = Body::Bytes(Bytes::new());
        self
    }
}

/// The name of a header, from the `http` crate or as a lower-case text.
pub(crate) struct Header(HeaderName);

impl From<HeaderName> for Header {
    fn from(name: HeaderName) -> Self {
        Self(name)
    }
}

impl From<&'static str> for Header {
    fn from(name: &'static str) -> Self {
        Self(HeaderName::from_static(name))
    }
}
