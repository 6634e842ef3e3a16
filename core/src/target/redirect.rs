//! Which redirects are followed, by status and method. [`admit`](super::admit) decides on their targets.

use http::{Method, StatusCode};
use thiserror::Error;

/// The default limit of redirects that one request follows.
pub const MAX_REDIRECTS: usize = 5;

/// Whether a status is a redirect: 301, 302, 303, 307 or 308.
#[must_use]
pub const fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Checks whether a redirect may be followed.
///
/// `followed` counts the redirects that the same request has followed before; `limit` is the highest number it may
/// follow. A redirect is followed with the same method and body or not at all: 307 and 308 require that, and the others
/// allow it for GET and HEAD (RFC 9110, section 15.4).
///
/// # Errors
/// If the limit is reached, or if the status would turn a request that writes into a GET ([quirk](crate::quirks)
/// `redirect-changes-method`).
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
        "the registry redirects a {method} with status {status}, which would make it a GET; usually its own https address is not configured"
    )]
    Method {
        /// The method of the request.
        method: Method,
        /// The status of the answer.
        status: u16,
    },
    /// The limit is reached.
    #[error("the request was redirected more than {limit} times; the redirects may form a circle")]
    TooMany {
        /// How many redirects are allowed.
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
