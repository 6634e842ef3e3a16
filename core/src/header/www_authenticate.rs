//! `WWW-Authenticate` (RFC 9110, section 11.6.1), as raw texts. [`auth::challenge`](crate::auth::challenge) parses
//! them.

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// How many headers are kept at most (security invariant I25).
const MAX_CHALLENGES: usize = 16;
/// The longest header that is kept, in bytes. A longer one is ignored entirely, because half a challenge could have
/// another meaning.
const MAX_LEN: usize = 8192;

/// The texts of the `WWW-Authenticate` headers, in order: at most 16, each of at most 8 KiB.
#[must_use]
pub fn challenges(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter(|value| value.len() <= MAX_LEN);
    values.take(MAX_CHALLENGES).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn i25_bounded() {
        let mut headers = HeaderMap::new();
        assert!(challenges(&headers).is_empty());
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(&"a".repeat(8193)).unwrap());
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(&"a".repeat(8192)).unwrap());
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(b"Basic realm=\"\xe9\"").unwrap());
        let read = challenges(&headers);
        assert_eq!(read.iter().map(String::len).collect::<Vec<_>>(), [8192, 17]);
        assert_eq!(read[1], "Basic realm=\"\u{fffd}\"");
        for _ in 0..20 {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        }
        assert_eq!(challenges(&headers).len(), 16);
    }
}
