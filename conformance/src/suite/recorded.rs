//! Records of exchanges for reports: without secrets, and shortened.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, LINK, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, Response};
use longshore_core::Target;
use longshore_core::driver::NoAnswer;
use longshore_core::text::is_unseen;
use longshore_mock_registry::report::RecordedExchange;

use super::client::RawRequest;

/// The number of bytes of a body that are shown.
const SHOWN: usize = 2048;

/// The shortest secret that is searched for in answers. A shorter text could occur in any word.
const SHORTEST_SECRET: usize = 8;

/// Records a request and its result. The bodies of a token request are not recorded.
pub(super) fn recorded(
    request: &RawRequest,
    answer: Result<&Response<Bytes>, &NoAnswer>,
    took: Duration,
    is_token: bool,
) -> RecordedExchange {
    let secrets = if is_token { Vec::new() } else { secrets(&request.headers) };
    let hidden = |text: String| secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "…"));
    let body = |bytes: &Bytes| if is_token { String::new() } else { beginning(bytes) };
    let mut recorded = RecordedExchange::default();
    recorded.method = request.method.to_string();
    recorded.target = request.target.to_string();
    recorded.request_headers = headers(&request.headers, &request.target);
    recorded.request_body = body(request.body.bytes());
    recorded.request_bytes = request.body.bytes().len() as u64;
    recorded.seconds = took.as_secs_f64();
    match answer {
        Ok(response) => {
            let shown = headers(response.headers(), &request.target);
            recorded.status = Some(response.status().as_u16());
            recorded.response_headers = shown.into_iter().map(|(name, value)| (name, hidden(value))).collect();
            recorded.response_body = hidden(body(response.body()));
            recorded.response_bytes = response.body().len() as u64;
        }
        Err(why) => recorded.lost = Some(why.to_string()),
    }
    recorded
}

/// The beginning of a body, if it is text.
fn beginning(bytes: &Bytes) -> String {
    let first = &bytes[..bytes.len().min(SHOWN)];
    match std::str::from_utf8(first) {
        Ok(text) => seen(text),
        // The limit may have split a character.
        Err(error) if error.error_len().is_none() => seen(&String::from_utf8_lossy(&first[..error.valid_up_to()])),
        Err(_) => String::new(),
    }
}

/// The headers without secrets.
fn headers(headers: &HeaderMap, from: &Target) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_string(), shown(name, value.as_bytes(), from))).collect()
}

fn shown(name: &HeaderName, value: &[u8], from: &Target) -> String {
    let text = String::from_utf8_lossy(value);
    if *name == AUTHORIZATION {
        return text.split(' ').next().unwrap_or_default().to_owned() + " …";
    }
    if *name == SET_COOKIE {
        return "…".to_owned();
    }
    if *name == LOCATION {
        return from.resolve(&text).map_or_else(|_| seen(&text), |target| relative(&target, &text));
    }
    if *name == LINK {
        let url = text.trim_start_matches('<').split(['>', ';']).next().unwrap_or_default();
        let hidden = from.resolve(url).map_or_else(|_| "…".to_owned(), |target| relative(&target, url));
        return seen(&text.replace(url, &hidden));
    }
    seen(&text)
}

/// A URL without possible secrets, in the same form (relative or absolute) in which it was written.
fn relative(target: &Target, written: &str) -> String {
    let shown = target.to_string();
    match written.starts_with('/') && !written.starts_with("//") {
        true => shown.strip_prefix(&target.origin().to_string()).unwrap_or(&shown).to_owned(),
        false => shown,
    }
}

/// Makes every character of a text visible, except line breaks.
fn seen(text: &str) -> String {
    text.chars()
        .map(|character| if character != '\n' && is_unseen(character) { '\u{fffd}' } else { character })
        .collect()
}

/// The secrets in a request, because an answer may contain them.
fn secrets(headers: &HeaderMap) -> Vec<String> {
    let Some(value) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else { return Vec::new() };
    let Some((scheme, credentials)) = value.split_once(' ') else { return vec![value.to_owned()] };
    let mut secrets = vec![credentials.to_owned()];
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(credentials).ok().and_then(|pair| String::from_utf8(pair).ok());
        secrets.extend(decoded.and_then(|pair| pair.split_once(':').map(|(_, password)| password.to_owned())));
    }
    secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
    secrets
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use super::super::client::RawBody;
    use super::*;

    #[test]
    fn nothing_secret_is_recorded() {
        let mut headers = HeaderMap::new();
        let pair = STANDARD.encode("alice:wonderland");
        headers.insert(AUTHORIZATION, format!("Basic {pair}").parse().unwrap());
        let request = RawRequest {
            method: Method::GET,
            target: Target::parse("https://r.example/v2/a/blobs/uploads/1?_state=s3cr3t&digest=sha256:00").unwrap(),
            headers,
            body: RawBody::Sized(Bytes::new()),
            time_limit: Duration::from_secs(1),
            body_limit: 10,
        };
        let mut answer = Response::new(Bytes::from(format!("you are {pair}, or wonderland")));
        *answer.status_mut() = StatusCode::ACCEPTED;
        answer.headers_mut().insert(LOCATION, "/v2/a/blobs/uploads/1?_state=0ther".parse().unwrap());
        answer.headers_mut().insert(SET_COOKIE, "sid=c00kie".parse().unwrap());
        answer.headers_mut().insert("x-echo", "wonderland".parse().unwrap());
        let exchange = recorded(&request, Ok(&answer), Duration::ZERO, false);
        let text = serde_json::to_string(&exchange).unwrap();
        for secret in ["s3cr3t", "0ther", "c00kie", "wonderland", &pair] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(text.contains("/v2/a/blobs/uploads/1?_state=…") && text.contains("Basic …"), "{text}");
    }
}
