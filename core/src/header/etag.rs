//! `ETag` (RFC 9110, section 8.8.3): a validator, as opaque as it can be.

use http::header::ETAG;
use http::{HeaderMap, HeaderValue};

/// What a registry calls one state of a manifest. It is sent back as it came and never looked into: some are quoted
/// digests, some unquoted hashes of another kind (quirk `etag-format-varies`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(HeaderValue);

impl ETag {
    /// The longest one that is kept, in bytes.
    pub const MAX_LEN: usize = 1024;

    /// Reads the one `ETag` of an answer. `None` where there is none, several, or one that is empty, longer than
    /// [`ETag::MAX_LEN`] or not all visible ASCII.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(ETAG).iter();
        let value = values.next()?;
        let is_visible = value.as_bytes().iter().all(u8::is_ascii_graphic);
        let is_sound = values.next().is_none() && is_visible && (1..=Self::MAX_LEN).contains(&value.len());
        is_sound.then(|| Self(value.clone()))
    }

    /// Whether it is weak (`W/"..."`): then `If-Match` never holds.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.0.as_bytes().starts_with(b"W/")
    }

    /// The value for `If-Match`.
    pub(crate) const fn value(&self) -> &HeaderValue {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbatim_if_visible() {
        let long = "a".repeat(1025);
        let table: [(&[&[u8]], bool); 12] = [
            (&[], false),
            (&[br#""sha256:abc""#], true),
            (&[b"da39a3ee5e6b4b0d3255bfef95601890afd80709"], true),
            (&[br#"W/"1""#], true),
            (&[b""], false),
            (&[br#""a b""#], false),
            (&[b"\"a\tb\""], false),
            (&[b"\"\xff\""], false),
            (&["\"é\"".as_bytes()], false),
            (&[&long.as_bytes()[1..]], true),
            (&[long.as_bytes()], false),
            (&[b"a", b"a"], false),
        ];
        for (values, kept) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(ETAG, HeaderValue::from_bytes(value).unwrap());
            }
            let read = ETag::read(&headers);
            assert_eq!(read.as_ref().map(|etag| etag.value().as_bytes()), values.first().copied().filter(|_| kept));
            assert_eq!(read.is_some_and(|etag| etag.is_weak()), kept && values[0].starts_with(b"W/"));
        }
    }
}
