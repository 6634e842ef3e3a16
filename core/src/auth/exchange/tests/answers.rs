//! What a token service answers.

use super::*;

#[test]
fn token_field_access_token() {
    let table = [
        (r#"{"token":"a"}"#, Some("a")),
        (r#"{"access_token":"b"}"#, Some("b")),
        (r#"{"token":"a","access_token":"a"}"#, Some("a")),
        (r#"{"token":"a","access_token":"b"}"#, Some("a")),
        (r#"{"token":"","access_token":"b"}"#, Some("b")),
        (r#"{"token":null,"access_token":"b","scope":"x","expires_in":null}"#, Some("b")),
        (r#" {"token":"a"} "#, Some("a")),
        (r#"{"token":""}"#, None),
        (r#"{"token":1}"#, None),
        (r#"{"token":"a b"}"#, None),
        (r#"{"token":"a\r\nX: y"}"#, None),
        (r#"{"token":"é"}"#, None),
        (r#"{"token":"a","token":"b"}"#, None),
        ("{}", None),
        ("[]", None),
        ("true", None),
        ("", None),
        (r#"{"token":"a"} x"#, None),
    ];
    for (body, expected) in table {
        match (answer(200, body), expected) {
            (Ok(token), Some(expected)) => assert_eq!(sent(&token), format!("Bearer {expected}"), "{body}"),
            (Err(error), None) => assert_eq!(error, TokenError::Malformed, "{body}"),
            (made, _) => panic!("{body}: {made:?}"),
        }
    }
    assert_eq!(sent(&answer(201, r#"{"token":"a"}"#).unwrap()), "Bearer a");
}

#[test]
fn token_expires_in_absent() {
    let table = [
        ("", 60),
        (r#","expires_in":null"#, 60),
        (r#","expires_in":0"#, 60),
        (r#","expires_in":-5"#, 60),
        (r#","expires_in":59"#, 60),
        (r#","expires_in":61"#, 61),
        (r#","expires_in":9000"#, 9000),
        (r#","expires_in":"300""#, 300),
        (r#","expires_in":"soon""#, 60),
        (r#","expires_in":{}"#, 60),
        (r#","expires_in":3.5e2"#, 60),
        (r#","expires_in":86401"#, 86400),
        (r#","expires_in":18446744073709551615"#, 86400),
        (r#","expires_in":99999999999999999999999"#, 60),
    ];
    for (more, seconds) in table {
        let token = answer(200, &format!(r#"{{"token":"a"{more}}}"#)).unwrap();
        assert_eq!(token.lifetime(), Duration::from_secs(seconds), "{more}");
    }
}

#[test]
fn token_clock_skew() {
    for issued_at in [r#""1970-01-01T00:00:00Z""#, r#""9999-12-31T23:59:59Z""#, r#""yesterday""#, "7", "null", "{}"] {
        let token = answer(200, &format!(r#"{{"token":"a","expires_in":300,"issued_at":{issued_at}}}"#)).unwrap();
        assert_eq!(token.lifetime(), Duration::from_secs(300));
    }
}

#[test]
fn a_refresh_token_is_kept() {
    let token = answer(200, r#"{"token":"a","refresh_token":"CANARY"}"#).unwrap();
    assert_eq!(token.refresh_token().unwrap().expose(), "CANARY");
    assert!(answer(200, r#"{"token":"a","refresh_token":""}"#).unwrap().refresh_token().is_none());
    assert_eq!(format!("{token:?}"), "Token(… for https://reg.example, 60 s)");
}

#[test]
fn token_endpoint_403_hides_quota() {
    let table = [
        (
            r#"{"errors":[{"code":"DENIED","message":"registry contains 1 repositories, limit is 1"}]}"#,
            "the token service answered 403: DENIED: registry contains 1 repositories, limit is 1",
        ),
        (
            r#"{"error":"invalid_grant","error_description":"expired"}"#,
            "the token service answered 403: invalid_grant: expired",
        ),
        (
            r#"{"details":"incorrect username or password"}"#,
            "the token service answered 403: incorrect username or password",
        ),
        (r#"{"errors":[{"code":7}]}"#, "the token service answered 403: 7"),
        ("  limit\x1b[31m reached\n", r"the token service answered 403: limit\u{1b}[31m reached"),
        ("", "the token service answered 403"),
        ("{}", "the token service answered 403: {}"),
    ];
    for (body, expected) in table {
        assert_eq!(answer(403, body).unwrap_err().to_string(), expected);
    }
}

#[test]
fn i23_a_token_body_has_a_limit() {
    let padded = |len: usize| {
        let body = r#"{"token":"a","x":""#;
        format!("{body}{}\"}}", "x".repeat(len - body.len() - 2))
    };
    assert_eq!(MAX_TOKEN_BODY_LEN, 262_144);
    assert!(answer(200, &padded(MAX_TOKEN_BODY_LEN - 1)).is_ok());
    assert!(answer(200, &padded(MAX_TOKEN_BODY_LEN)).is_ok());
    assert_eq!(answer(200, &padded(MAX_TOKEN_BODY_LEN + 1)).unwrap_err(), TokenError::TooLong);
}

#[test]
fn i29_an_answer_that_repeats_our_secret_is_scrubbed() {
    let (service, scopes) = (plain(), push());
    let pair = STANDARD.encode("user:CAN/ARY");
    let said = format!("bad token CAN/ARY (CAN%2FARY) from {pair}");
    for credentials in [basic("user", "CAN/ARY"), Credentials::IdentityToken(secret("CAN/ARY"))] {
        let request = TokenRequest::new(&service, &scopes, Some(&credentials));
        let response = Response::builder().status(401).body(Bytes::from(said.clone())).unwrap();
        let error = request.answer(&response).unwrap_err().to_string();
        assert!(error.starts_with("the token service answered 401: bad token … (…) from "), "{error}");
        assert!(matches!(credentials, Credentials::IdentityToken(_)) || !error.contains(&pair));
    }
}

#[test]
fn i29_a_token_body_is_never_quoted() {
    for body in [r#"{"token":"CANARY x"}"#, r#"{"token":"CANARY"#, r#""CANARY""#, r#"{"tokens":"CANARY"}"#] {
        let error = answer(200, body).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"));
    }
}

proptest! {
    #[test]
    fn i27_any_answer_is_read_or_refused(status in 100..1000_u16, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let response = Response::builder().status(status).body(Bytes::from(body)).unwrap();
        if let Err(error) = TokenRequest::new(&plain(), &push(), None).answer(&response) {
            prop_assert!(error.to_string().len() < 2 * crate::text::MAX_SHOWN_LEN);
        }
    }
}
