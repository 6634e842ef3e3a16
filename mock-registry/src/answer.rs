//! What the registry answers.

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
    /// The row of the spec's table that was asked; nothing where it was none.
    pub row: Option<Row>,
    /// The status.
    pub status: StatusCode,
    /// The headers. `Content-Length` is the body's, or, for `HEAD`, that of the body which `GET` would have.
    pub headers: HeaderMap,
    /// The body, by name.
    pub body: Body,
    /// What becomes of it on its way.
    pub delivery: Delivery,
    /// How fast it goes.
    pub pace: Pace,
}

/// What becomes of an answer on its way. Whoever delivers it, does this to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Delivery {
    /// It arrives.
    #[default]
    Whole,
    /// The request did not leave the client.
    NotSent,
    /// Nothing of it arrives: the connection is closed.
    Lost,
    /// Nothing of it arrives: the connection is reset.
    Reset,
    /// The connection is closed after so many bytes of the head.
    HeadCut(u64),
    /// The connection is closed after so many bytes of the body.
    CutAfter(u64),
    /// Something arrives that is no HTTP.
    Garbage,
}

/// How fast an answer goes. Whoever delivers it, waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// How many microseconds late it is.
    pub late: u64,
    /// How many bytes of its body go in a second, at least 1; as fast as they can, where nothing is said.
    pub rate: Option<u64>,
}

impl Pace {
    /// How many microseconds an answer with a body of so many bytes takes longer than it would.
    #[must_use]
    pub fn delay(&self, bytes: u64) -> u64 {
        let sending = self.rate.map_or(0, |rate| u128::from(bytes) * 1_000_000 / u128::from(rate.max(1)));
        self.late.saturating_add(u64::try_from(sending).unwrap_or(u64::MAX))
    }
}

/// A body by name: a big blob is read from the storage piece by piece, by whoever delivers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// These bytes.
    Bytes(Bytes),
    /// So many spaces: what a fault makes of a body.
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
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Spaces(bytes) => *bytes,
            Self::Blob { range, .. } => range.end.saturating_sub(range.start),
        }
    }

    /// Whether it has no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// So many spaces, if it is some and they fit in memory.
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

    /// Adds a header. A value that no header can hold is left out: it came from a request, and the answer stands without.
    pub(crate) fn header(mut self, name: impl Into<Header>, value: impl fmt::Display) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.to_string()) {
            self.headers.append(name.into().0, value);
        }
        self
    }

    /// Gives it a body, with its type and length.
    pub(crate) fn body(mut self, content_type: &str, body: Body) -> Self {
        self = self.header(CONTENT_TYPE, content_type).header(CONTENT_LENGTH, body.len());
        self.body = body;
        self
    }

    /// The same without the body, its headers unchanged: the answer to `HEAD`.
    pub(crate) fn without_body(mut self) -> Self {
        self.body = Body::Bytes(Bytes::new());
        self
    }
}

/// A header's name, from the `http` crate or as a lower-case word.
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
