//! Which redirects are followed at all. Where they may lead is [`admit`](super::admit)'s to say.

use http::{Method, StatusCode};
use thiserror::Error;

/// The most redirects that one request follows, unless told otherwise.
pub const MAX_REDIRECTS: usize = 5;

/// Whether a status sends the request elsewhere: 301, 302, 303, 307 and 308.
#[must_use]
pub const fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Whether a redirect is followed, after `followed` others of the same request, of which there may be `limit`. It is with the same method and body, or not
/// at all: 307 and 308 mean that, and the others do for a method that only reads (RFC 9110, section 15.4).
///
/// # Errors
/// Where it is one too many, or an answer to a write that most clients repeat as a GET (quirk `redirect-changes-method`).
pub fn check_redirect(method: &Method, status: StatusCode, followed: usize, limit: usize) -> Result<(), NotFollowed> {
    let reads = method == Method::GET || method == Method::HEAD;
    if !reads && !matches!(status.as_u16(), 307 | 308) {
        return Err(NotFollowed::Method { method: method.clone(), status: status.as_u16() });
    }
    if followed >= limit {
        return Err(NotFollowed::TooMany { limit });
    }
    Ok(())
}

/// Why a redirect is not followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotFollowed {
    /// The redirect would turn a write into a GET.
    #[error(
        "the registry redirects a {method} with status {status}, which would make it a GET; mostly it does not know its own https address"
    )]
    Method {
        /// The method of the request.
        method: Method,
        /// The status of the answer.
        status: u16,
    },
    /// More than are allowed.
    #[error("the request was redirected more than {limit} times; the registry sends it around in circles")]
    TooMany {
        /// How many are allowed.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i2_redirects_keep_method_and_body_or_are_refused() {
        let writes = [Method::POST, Method::PATCH, Method::PUT, Method::DELETE];
        for status in 100..600 {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(is_redirect(status), [301, 302, 303, 307, 308].contains(&status.as_u16()));
            if !is_redirect(status) {
                continue;
            }
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(check_redirect(&method, status, 0, 1), Ok(()));
            }
            for method in &writes {
                let kept = matches!(status.as_u16(), 307 | 308);
                let refused = NotFollowed::Method { method: method.clone(), status: status.as_u16() };
                assert_eq!(check_redirect(method, status, 0, 1), if kept { Ok(()) } else { Err(refused) });
            }
        }
    }

    #[test]
    fn i25_five_redirects_are_followed() {
        let limit = MAX_REDIRECTS;
        assert_eq!(limit, 5);
        for method in [Method::GET, Method::PUT] {
            assert_eq!(check_redirect(&method, StatusCode::TEMPORARY_REDIRECT, limit - 1, limit), Ok(()));
            let more = check_redirect(&method, StatusCode::TEMPORARY_REDIRECT, limit, limit);
            assert_eq!(more, Err(NotFollowed::TooMany { limit }));
        }
    }
}
