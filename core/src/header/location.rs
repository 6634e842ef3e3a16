//! `Location` (RFC 9110, section 10.2.2): the target of the next request.

use http::HeaderMap;
use http::header::LOCATION;
use thiserror::Error;

use crate::Target;
use crate::target::TargetError;

/// Why a `Location` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocationError {
    /// There are several, and they differ: HTTP stacks would not agree on which one to follow.
    #[error("there are several Location headers, and they differ")]
    Several,
    /// The URL does not match the strict grammar.
    #[error("its Location cannot be used: {0}")]
    Target(#[from] TargetError),
}

/// The target that an answer names; `None` if it has no `Location`. `from` is the target that answered, after
/// redirects.
///
/// It is resolved with [`Target::resolve`]: path and query stay as they are, byte for byte. It may be at another origin
/// than `from`, so check [`Target::origin`] before you send credentials there.
///
/// # Errors
/// If there is a `Location` that cannot be used.
pub fn location(headers: &HeaderMap, from: &Target) -> Result<Option<Target>, LocationError> {
    let mut values = headers.get_all(LOCATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.any(|other| other != value) {
        return Err(LocationError::Several);
    }
    let reference = value.to_str().map_err(|_| TargetError::Character)?;
    Ok(Some(from.resolve(reference)?))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<String>, LocationError> {
        let from = Target::parse("https://reg.example/v2/a/blobs/uploads/").unwrap();
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(LOCATION, HeaderValue::from_bytes(value).unwrap());
        }
        location(&headers, &from).map(|t| t.map(|t| format!("{}{}", t.origin(), t.path_and_query())))
    }

    #[test]
    fn i20_forms_that_registries_send() {
        let table: [(&[u8], &str); 6] = [
            (b"/v2/a/blobs/uploads/1?_state=a%2Fb%3D", "https://reg.example/v2/a/blobs/uploads/1?_state=a%2Fb%3D"),
            (b"https://reg.example:443/u", "https://reg.example/u"),
            // Quirk `post-location-other-host`.
            (b"https://storage.example/u?X-Sig=%2b+", "https://storage.example/u?X-Sig=%2b+"),
            // Quirk `post-location-http-behind-tls`: said as it is; who sends must look.
            (b"http://reg.example/u", "http://reg.example/u"),
            // Quirk `post-location-path-unusual`.
            (b"/v2/a/blobs/upload/1.patch#fragment", "https://reg.example/v2/a/blobs/upload/1.patch"),
            (b"1", "https://reg.example/v2/a/blobs/uploads/1"),
        ];
        for (value, expected) in table {
            assert_eq!(read(&[value]), Ok(Some(expected.to_owned())));
        }
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"/u", b"/u"]), Ok(Some("https://reg.example/u".to_owned())));
    }

    #[test]
    fn i20_what_cannot_be_used() {
        assert_eq!(read(&[b"/u", b"/w"]), Err(LocationError::Several));
        assert_eq!(read(&[b""]), Err(TargetError::Empty.into()));
        assert_eq!(read(&[b"/\xff"]), Err(TargetError::Character.into()));
        assert_eq!(read(&[b"/a/../b"]), Err(TargetError::DotSegment.into()));
        assert_eq!(read(&[format!("/{}", "a".repeat(8192)).as_bytes()]), Err(TargetError::TooLong.into()));
        assert_eq!(read(&[b"ftp://reg.example/"]), Err(TargetError::Scheme.into()));
    }
}
