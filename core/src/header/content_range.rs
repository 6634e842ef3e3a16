//! `Content-Range` of a chunk in a request (the spec's own form), and of a part of a blob in an answer (RFC 9110).

use std::fmt;

use http::header::CONTENT_RANGE;
use http::{HeaderMap, HeaderValue};

/// The position of a chunk in its blob. It has at least one byte.
///
/// [`Display`](fmt::Display) writes it for the `Content-Range` of a chunk: `start-end`, inclusive on both ends and
/// without a unit, because registries refuse any other form ([quirk](crate::quirks) `patch-content-range-format`).
///
/// ```
/// use longshore_core::header::ChunkRange;
///
/// assert_eq!(ChunkRange::new(0, 1024).map(|range| range.to_string()).as_deref(), Some("0-1023"));
/// assert_eq!(ChunkRange::new(0, 0), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkRange {
    start: u64,
    last: u64,
}

impl ChunkRange {
    /// The range of `size` bytes that starts at position `start`. `None` if `size` is 0, which no range can express, or
    /// if the end does not fit in a `u64`.
    #[must_use]
    pub fn new(start: u64, size: u64) -> Option<Self> {
        let end = start.checked_add(size)?;
        Some(Self { start, last: size.checked_sub(1).and(end.checked_sub(1))? })
    }

    /// The position of the first byte.
    #[must_use]
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The position after the last byte.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.end().saturating_sub(self.start)
    }
}

impl fmt::Display for ChunkRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.last)
    }
}

/// The part of a blob that a `206 Partial Content` answer has: `bytes <start>-<last>/<size>` (RFC 9110, section 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRange {
    /// The position of the first byte.
    pub start: u64,
    /// The position of the last byte.
    pub last: u64,
    /// The size of the whole blob in bytes, if the answer states it.
    pub size: Option<u64>,
}

impl PartRange {
    /// Reads the `Content-Range` of an answer. `None` if it is absent, malformed or repeated.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(CONTENT_RANGE).iter();
        let value = values.next().map(HeaderValue::to_str)?.ok()?;
        if values.next().is_some() {
            return None;
        }
        let (range, size) = value.trim_matches([' ', '\t']).strip_prefix("bytes ")?.split_once('/')?;
        let (start, last) = range.split_once('-')?;
        let (start, last) = (number(start)?, number(last)?);
        let size = if size == "*" { None } else { Some(number(size)?) };
        let is_sound = start <= last && size.is_none_or(|size| last < size);
        is_sound.then_some(Self { start, last, size })
    }
}

/// Reads decimal digits only: `parse` alone would accept a sign.
pub(super) fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_have_the_specs_form() {
        // (start, size, text, end)
        let table = [
            (0, 1, "0-0", 1),
            (0, 1024, "0-1023", 1024),
            (1024, 512, "1024-1535", 1536),
            (u64::MAX - 1, 1, "18446744073709551614-18446744073709551614", u64::MAX),
        ];
        for (start, size, text, end) in table {
            let range = ChunkRange::new(start, size).unwrap();
            assert_eq!(range.to_string(), text);
            assert_eq!((range.start(), range.end(), range.size()), (start, end, size));
        }
        for (start, size) in [(0, 0), (7, 0), (u64::MAX, 1), (1, u64::MAX)] {
            assert_eq!(ChunkRange::new(start, size), None);
        }
    }

    #[test]
    fn parts_have_rfc_9110s_form() {
        let part = |start, last, size| Some(PartRange { start, last, size });
        let table: [(&[&[u8]], _); 16] = [
            (&[b"bytes 5-9/10"], part(5, 9, Some(10))),
            (&[b"bytes 5-9/*"], part(5, 9, None)),
            (&[b" bytes 0-0/1 "], part(0, 0, Some(1))),
            (&[b"bytes 9-5/10"], None),
            (&[b"bytes 5-10/10"], None),
            (&[b"bytes */10"], None),
            (&[b"5-9"], None),
            (&[b"0-0"], None),
            (&[b"bytes=5-9/10"], None),
            (&[b"bytes +5-9/10"], None),
            (&[b"bytes 5-9"], None),
            (&[b"bytes 5-99999999999999999999/*"], None),
            (&[b"bytes \xff"], None),
            (&[b""], None),
            (&[], None),
            (&[b"bytes 5-9/10", b"bytes 5-9/10"], None),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_RANGE, HeaderValue::from_bytes(value).unwrap());
            }
            assert_eq!(PartRange::read(&headers), expected, "{values:?}");
        }
    }
}
