//! `ETag` (RFC 9110, section 8.8.3): a validator, which is never interpreted.

use http::header::ETAG;
use http::{HeaderMap, HeaderValue};

/// The validator of one state of a manifest. It is sent back exactly as it came and never interpreted: some registries
/// send quoted digests, some unquoted hashes of another kind ([quirk](crate::quirks) `etag-format-varies`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(HeaderValue);

impl ETag {
    /// The longest validator that is kept, in bytes.
    pub const MAX_LEN: usize = 1024;

    /// Reads the `ETag` of an answer. `None` if there is none or more than one, or if it is empty, longer than
    /// [`ETag::MAX_LEN`] or not entirely visible ASCII.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(ETAG).iter();
        let value = values.next()?;
        let is_visible = value.as_bytes().iter().all(u8::is_ascii_graphic);
        let is_sound = values.next().is_none() && is_visible && (1..=Self::MAX_LEN).contains(&value.len());
        is_sound.then(|| Self(value.clone()))
    }

    /// Whether it is weak (`W/"..."`). `If-Match` with a weak validator never matches.
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
