//! The answer of a token service.

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use longshore_core::Target;
use longshore_core::auth::token::{MAX_TOKEN_LIFETIME, MIN_TOKEN_LIFETIME};
use longshore_core::auth::{Challenges, Scope, Scopes, Token, TokenError, TokenRequest, TokenService};
use longshore_core::target::Policy;

use super::assert_harmless;
use super::urls::base;

/// The status in the first line, if there is one, and the body: a token is bound to its registry, and never shown.
///
/// # Panics
/// Where that does not hold.
pub fn token_response(bytes: &[u8]) {
    let (status, body) = match bytes.iter().position(|byte| *byte == b'\n').map(|end| bytes.split_at(end)) {
        Some((line, body)) if StatusCode::from_bytes(line).is_ok() => (StatusCode::from_bytes(line).unwrap(), body),
        _ => (StatusCode::OK, bytes),
    };
    match answered(status, body) {
        Ok(token) => judge(&token, body),
        Err(error) => {
            assert_harmless(&error.to_string());
            let is_fixed = matches!(error, TokenError::Malformed | TokenError::TooLong | TokenError::Redirected { .. });
            assert!(is_fixed || !status.is_success(), "what may be a token is quoted: {error}");
        }
    }
}

/// What becomes of an answer of the token service of [`base`]'s registry.
pub(super) fn answered(status: StatusCode, body: &[u8]) -> Result<Token, TokenError> {
    let registry = base();
    let challenge = HeaderValue::from_static(r#"Bearer realm="/token",service="r""#);
    let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, challenge)]);
    let challenges = Challenges::of(registry.origin(), &registry, &headers).unwrap();
    let bearer = challenges.bearer().unwrap();
    let service = TokenService::of(&Policy::default(), registry.origin(), &registry, bearer).unwrap();
    let scopes = Scopes::one(Scope::push("a".parse().unwrap()));
    let mut response = Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = status;
    TokenRequest::new(&service, &scopes, None).answer(&response)
}

fn judge(token: &Token, body: &[u8]) {
    assert!((MIN_TOKEN_LIFETIME..=MAX_TOKEN_LIFETIME).contains(&token.lifetime()));
    let mut headers = HeaderMap::new();
    token.authorization().authorize(&base(), &mut headers).unwrap();
    let value = &headers[AUTHORIZATION];
    assert!(value.is_sensitive());
    let text = value.to_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
    // It stands in the body, as it is or with escapes.
    assert!(body.contains(&b'\\') || body.windows(text.len()).any(|window| window == text.as_bytes()));
    let shown = format!("{token:?}{:?}{:?}", token.authorization(), token.refresh_token());
    assert!(text.len() < 8 || !shown.contains(text), "{shown}");

    let elsewhere = ["http://reg.example/", "https://reg.example:8443/", "https://reg.example.evil/"];
    for target in elsewhere.map(|url| Target::parse(url).unwrap()) {
        let mut headers = HeaderMap::new();
        assert!(token.authorization().authorize(&target, &mut headers).is_err() && headers.is_empty());
    }
}
