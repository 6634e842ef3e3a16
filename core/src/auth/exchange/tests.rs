mod answers;

use std::time::Duration;

use http::HeaderMap;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use proptest::prelude::*;

use super::*;
use crate::Repository;
use crate::auth::Challenges;
use crate::target::Policy;

const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

fn service(challenge: &str) -> (TokenService, Vec<String>) {
    let from = Target::parse("https://reg.example/v2/a/blobs/uploads/").unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_str(challenge).unwrap());
    let challenges = Challenges::of(from.origin(), &from, &headers).unwrap();
    let bearer = challenges.bearer().unwrap();
    let service = TokenService::of(&Policy::default(), from.origin(), &from, bearer).unwrap();
    (service, bearer.scopes().to_vec())
}

fn plain() -> TokenService {
    service(r#"Bearer realm="https://auth.reg.example/token",service="reg""#).0
}

fn repository(name: &str) -> Repository {
    name.parse().unwrap()
}

fn push() -> Scopes {
    Scopes::one(Scope::push(repository("a/b")))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn basic(user: &str, password: &str) -> Credentials {
    Credentials::Basic { user: user.to_owned(), password: secret(password) }
}

/// The scopes that a GET asks for after this challenge.
fn asked(challenge: &str, scopes: &Scopes) -> Vec<String> {
    let (service, challenged) = service(challenge);
    let request = TokenRequest::new(&service, scopes, None).with_challenged(&challenged);
    scopes_of(&request.call(request.first()).unwrap())
}

fn scopes_of(call: &TokenCall) -> Vec<String> {
    let decoded = |value: &str| value.replace("%3A", ":").replace("%2C", ",").replace("%2F", "/").replace("%2A", "*");
    let pairs = call.target.query().unwrap_or_default().split('&');
    pairs.filter_map(|pair| pair.strip_prefix("scope=")).map(decoded).collect()
}

fn body(call: &TokenCall) -> String {
    String::from_utf8(call.request.body().to_vec()).unwrap()
}

fn header(call: &TokenCall, name: http::HeaderName) -> Option<&str> {
    call.request.headers().get(name).map(|value| value.to_str().unwrap())
}

fn answer(status: u16, body: &str) -> Result<Token, TokenError> {
    let response = Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
    TokenRequest::new(&plain(), &push(), None).answer(&response)
}

/// What the token would put on a request to the registry.
fn sent(token: &Token) -> String {
    let target = Target::parse("https://reg.example/v2/").unwrap();
    let mut headers = HeaderMap::new();
    token.authorization().authorize(&target, &mut headers).unwrap();
    headers[AUTHORIZATION].to_str().unwrap().to_owned()
}

#[test]
fn a_get_with_basic() {
    let (service, scopes, credentials) = (plain(), push(), basic("user", "pw"));
    let request = TokenRequest::new(&service, &scopes, Some(&credentials));
    let call = request.call(request.first()).unwrap();
    assert_eq!(call.request.method(), Method::GET);
    assert_eq!(call.request.uri(), "https://auth.reg.example/token?service=reg&scope=repository%3Aa%2Fb%3Apull%2Cpush");
    assert_eq!(header(&call, AUTHORIZATION), Some("Basic dXNlcjpwdw=="));
    assert_eq!(header(&call, ACCEPT), Some("application/json"));
    assert!(call.request.headers()[AUTHORIZATION].is_sensitive());
    assert!(call.request.body().is_empty());
}

#[test]
fn an_anonymous_token_is_asked_for_without_credentials() {
    let (service, scopes) = (plain(), push());
    let request = TokenRequest::new(&service, &scopes, None);
    let call = request.call(request.first()).unwrap();
    assert_eq!(call.request.method(), Method::GET);
    assert_eq!(header(&call, AUTHORIZATION), None);
    // A token that the caller gave is for the registry, and no token service is shown it.
    let given = Credentials::RegistryToken(secret("CANARY"));
    let request = TokenRequest::new(&service, &scopes, Some(&given));
    assert_eq!(header(&request.call(request.first()).unwrap(), AUTHORIZATION), None);
}

#[test]
fn acr_refresh_token_is_not_access_token() {
    let (service, scopes) = (plain(), push());
    for credentials in [basic(ZERO_GUID, "re+fresh/="), Credentials::IdentityToken(secret("re+fresh/="))] {
        let request = TokenRequest::new(&service, &scopes, Some(&credentials));
        let call = request.call(request.first()).unwrap();
        assert_eq!(call.request.method(), Method::POST);
        assert_eq!(call.request.uri(), "https://auth.reg.example/token");
        let form = "grant_type=refresh_token&client_id=longshore&service=reg\
                    &scope=repository%3Aa%2Fb%3Apull%2Cpush&refresh_token=re%2Bfresh%2F%3D";
        assert_eq!(body(&call), form);
        assert_eq!(header(&call, CONTENT_TYPE), Some("application/x-www-form-urlencoded"));
        assert_eq!(header(&call, CONTENT_LENGTH), Some(&*form.len().to_string()));
        assert_eq!(header(&call, AUTHORIZATION), None);
    }
}

#[test]
fn a_newer_refresh_token_is_used() {
    let (service, scopes, newer) = (plain(), push(), secret("newer"));
    let identity = Credentials::IdentityToken(secret("older"));
    let request = TokenRequest::new(&service, &scopes, Some(&identity)).with_refresh_token(Some(&newer));
    assert!(body(&request.call(request.first()).unwrap()).ends_with("&refresh_token=newer"));
    // A password goes first by GET, whatever else there is.
    let password = basic("user", "pw");
    let request = TokenRequest::new(&service, &scopes, Some(&password)).with_refresh_token(Some(&newer));
    assert_eq!(request.call(request.first()).unwrap().request.method(), Method::GET);
}

#[test]
fn token_post_oauth_unsupported() {
    let (service, scopes) = (plain(), push());
    let identity = Credentials::IdentityToken(secret("pw"));
    let zero = basic(ZERO_GUID, "pw");
    for (credentials, user) in [(&identity, "<token>"), (&zero, ZERO_GUID)] {
        let request = TokenRequest::new(&service, &scopes, Some(credentials));
        let first = request.first();
        for status in [400, 401, 404, 405] {
            let status = StatusCode::from_u16(status).unwrap();
            let second = request.after(first, status).unwrap();
            let call = request.call(second).unwrap();
            assert_eq!(call.request.method(), Method::GET);
            let expected = format!("Basic {}", STANDARD.encode(format!("{user}:pw")));
            assert_eq!(header(&call, AUTHORIZATION), Some(&*expected));
            assert_eq!(request.after(second, status), None);
        }
        for status in [200, 403, 429, 500, 503] {
            assert_eq!(request.after(first, StatusCode::from_u16(status).unwrap()), None);
        }
    }
    let password = basic("user", "pw");
    let request = TokenRequest::new(&service, &scopes, Some(&password));
    for status in [400, 401, 403, 404, 405, 500] {
        assert_eq!(request.after(request.first(), StatusCode::from_u16(status).unwrap()), None);
    }
}

#[test]
fn token_scope_delete_action() {
    let service = plain();
    let scopes = Scopes::one(Scope::delete(repository("a"))).and(Scope::pull(repository("b")));
    let challenged = ["repository:a:delete".to_owned(), "repository:c:pull".to_owned(), "x:y:pull,delete".to_owned()];
    let request = TokenRequest::new(&service, &scopes, None).with_challenged(&challenged);
    let first = request.first();
    assert_eq!(
        scopes_of(&request.call(first).unwrap()),
        ["repository:a:pull,push,delete", "repository:b:pull", "repository:c:pull", "x:y:pull,delete"]
    );
    let second = request.after(first, StatusCode::BAD_REQUEST).unwrap();
    assert_eq!(
        scopes_of(&request.call(second).unwrap()),
        ["repository:a:pull,push", "repository:b:pull", "repository:c:pull"]
    );
    assert_eq!(request.after(second, StatusCode::BAD_REQUEST), None);
    assert_eq!(request.after(first, StatusCode::UNAUTHORIZED), None);
    // With a refresh token, the form goes first and the right after it.
    let identity = Credentials::IdentityToken(secret("x"));
    let request = TokenRequest::new(&service, &scopes, Some(&identity));
    let methods: Vec<_> =
        std::iter::successors(Some(request.first()), |at| request.after(*at, StatusCode::BAD_REQUEST))
            .map(|attempt| request.call(attempt).unwrap().request.method().clone())
            .collect();
    assert_eq!(methods, [Method::POST, Method::GET, Method::GET]);
}

#[test]
fn token_scope_order_first_wins() {
    let scopes = push().and(Scope::pull(repository("base")));
    let challenge = r#"Bearer realm="/t",scope="repository:base:pull repository:x:pull""#;
    assert_eq!(asked(challenge, &scopes), ["repository:a/b:pull,push", "repository:base:pull", "repository:x:pull"]);
}

#[test]
fn challenge_scope_name_differs() {
    let scopes = Scopes::one(Scope::push(repository("docker-local/testimg")));
    let challenge = r#"Bearer realm="/t",scope="repository:testimg:pull,push""#;
    assert_eq!(
        asked(challenge, &scopes),
        ["repository:docker-local/testimg:pull,push", "repository:testimg:pull,push"]
    );
}

#[test]
fn challenge_multi_scope_one_param() {
    let challenge = r#"Bearer realm="/t",scope="repository:b:pull,push repository:a:pull""#;
    assert_eq!(asked(challenge, &Scopes::none()), ["repository:b:pull,push", "repository:a:pull"]);
    let (service, challenged) = service(challenge);
    let scopes = Scopes::none();
    let identity = Credentials::IdentityToken(secret("x"));
    let request = TokenRequest::new(&service, &scopes, Some(&identity)).with_challenged(&challenged);
    let form = body(&request.call(request.first()).unwrap());
    assert!(form.contains("&scope=repository%3Ab%3Apull%2Cpush%20repository%3Aa%3Apull&"), "{form}");
}

#[test]
fn challenge_scope_star() {
    let challenge = r#"Bearer realm="/v2/token",service="container_registry",scope="*""#;
    assert_eq!(asked(challenge, &push()), ["repository:a/b:pull,push", "*"]);
}

#[test]
fn challenge_without_scope() {
    assert_eq!(asked(r#"Bearer realm="/t",service="o""#, &push()), ["repository:a/b:pull,push"]);
}

#[test]
fn challenge_delete_no_scope() {
    let scopes = Scopes::one(Scope::delete(repository("a")));
    assert_eq!(asked(r#"Bearer realm="/t",service="o""#, &scopes), ["repository:a:pull,push,delete"]);
}

#[test]
fn challenge_scope_parameter_empty_or_invalid() {
    assert_eq!(asked(r#"Bearer realm="/t",scope="""#, &push()), ["repository:a/b:pull,push"]);
    let (service, _) = service(r#"Bearer realm="/t",scope="""#);
    let scopes = Scopes::none();
    let request = TokenRequest::new(&service, &scopes, None);
    assert_eq!(request.call(request.first()).unwrap().target.path_and_query(), "/t");
    let identity = Credentials::IdentityToken(secret("x"));
    let request = TokenRequest::new(&service, &scopes, Some(&identity));
    let form = body(&request.call(request.first()).unwrap());
    assert_eq!(form, "grant_type=refresh_token&client_id=longshore&refresh_token=x");
}

#[test]
fn challenge_no_service() {
    let (service, _) = service(r#"Bearer realm="/t?a=b""#);
    let scopes = push();
    let request = TokenRequest::new(&service, &scopes, None);
    let call = request.call(request.first()).unwrap();
    assert_eq!(call.target.path_and_query(), "/t?a=b&scope=repository%3Aa%2Fb%3Apull%2Cpush");
}

#[test]
fn push_scope_alone_insufficient() {
    assert_eq!(asked(r#"Bearer realm="/t",scope="repository:a/b:push""#, &push()), ["repository:a/b:pull,push"]);
}

#[test]
fn head_needs_push_scope() {
    // A flow that pushes asks for the right to push from its first request on, whatever the challenge to a HEAD hands out.
    assert_eq!(asked(r#"Bearer realm="/t",scope="repository:a/b:pull""#, &push()), ["repository:a/b:pull,push"]);
}

#[test]
fn token_scope_push_rejected_for_pull() {
    let scopes = Scopes::one(Scope::pull(repository("a")));
    assert_eq!(asked(r#"Bearer realm="/t",scope="repository:a:pull""#, &scopes), ["repository:a:pull"]);
}

#[test]
fn i7_a_token_service_does_not_redirect() {
    for status in [301, 302, 303, 307, 308] {
        assert_eq!(answer(status, r#"{"token":"a"}"#).unwrap_err(), TokenError::Redirected { status });
    }
}

#[test]
fn i10_secrets_are_in_no_url() {
    let (service, scopes, newer) = (plain(), push(), secret("CANARY"));
    let all = [
        basic("user", "CANARY"),
        basic(ZERO_GUID, "CANARY"),
        Credentials::IdentityToken(secret("CANARY")),
        Credentials::RegistryToken(secret("CANARY")),
    ];
    for credentials in &all {
        let request = TokenRequest::new(&service, &scopes, Some(credentials)).with_refresh_token(Some(&newer));
        for form in [Form::Get, Form::Post] {
            let call = request.call(Attempt { form, delete: true }).unwrap();
            assert!(!call.request.uri().to_string().contains("CANARY"));
            assert!(!format!("{call:?} {request:?} {:?}", call.request.headers()).contains("CANARY"));
        }
    }
}

proptest! {
    #[test]
    fn i27_any_challenge_makes_a_request(service_name in ".{0,5000}", scopes in proptest::collection::vec("[!-~]{1,600}", 0..20)) {
        let quoted = |text: &str| text.replace(['"', '\\'], "_");
        let challenge = format!("Bearer realm=\"/t\",service=\"{}\",scope=\"{}\"", quoted(&service_name), quoted(&scopes.join(" ")));
        let Ok(_) = HeaderValue::from_str(&challenge) else { return Ok(()) };
        let (service, challenged) = service(&challenge);
        let scopes = push();
        let identity = Credentials::IdentityToken(secret("x"));
        for credentials in [None, Some(&identity)] {
            let request = TokenRequest::new(&service, &scopes, credentials).with_challenged(&challenged);
            prop_assert!(request.call(request.first()).is_ok());
        }
    }
}

#[test]
fn i29_a_call_prints_its_method_and_its_place() {
    let (service, scopes) = (plain(), push());
    let credentials = basic("user", "CANARY");
    let request = TokenRequest::new(&service, &scopes, Some(&credentials));
    let call = request.call(request.first()).unwrap();
    let printed = format!("{call:?}");
    assert_eq!(printed, format!("TokenCall({} {})", call.request.method(), call.target));
    assert!(!printed.contains("CANARY"), "{printed}");
}
