//! Arbitrary requests to the mock registry: people will run it, and others will call it.

use http::header::LOCATION;
use http::{Method, Request, Response, Uri};
use longshore_core::Digest;
use longshore_mock_registry::{BodyEnd, Instant, Opened, Progress, Registry, RegistryOptions};
use serde_json::Value;

use super::script::{Message, messages};

/// Requests, one after another. A path of `@` is the last `Location`, to which more may be added: `PUT @?digest=...`.
///
/// # Panics
/// Where an answer is not one of HTTP's and the spec's, or where something is stored that is not what its name says.
pub fn mock_http(bytes: &[u8]) {
    let mut registry = Registry::new(RegistryOptions::default());
    let mut location = "/v2/".to_owned();
    for (number, message) in messages(bytes).into_iter().enumerate() {
        let now = Instant::from_micros(number as u64);
        let Some(request) = request(&message, &location) else { continue };
        let method = request.method().clone();
        let (head, _) = request.into_parts();
        let answer = match registry.open(now, head) {
            Opened::Answer(answer) => answer,
            Opened::Body(id) => {
                let (first, second) = (message.body.slice(..message.body.len() / 2), &message.body);
                let second = second.slice(first.len()..);
                let is_cut = message.words.iter().any(|word| word == "cut");
                let end = if is_cut { BodyEnd::Cut } else { BodyEnd::Complete };
                match [first, second].iter().find_map(|piece| match registry.piece(id, piece) {
                    Progress::Answer(answer) => Some(answer),
                    Progress::More => None,
                }) {
                    Some(answer) => answer,
                    None => registry.close(now, id, end),
                }
            }
        };
        let answer = registry.response(answer);
        judge(&method, &answer);
        if let Some(value) = answer.headers().get(LOCATION) {
            value.to_str().expect("a location is text").clone_into(&mut location);
        }
    }
    judge_state(&registry);
}

fn request(message: &Message, location: &str) -> Option<Request<()>> {
    let method = Method::from_bytes(message.words.first()?.as_bytes()).ok()?;
    let path = message.words.get(1)?.replacen('@', location, 1);
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = Uri::try_from(path).ok()?;
    *request.headers_mut() = message.headers.clone();
    Some(request)
}

fn judge(method: &Method, answer: &Response<bytes::Bytes>) {
    let status = answer.status();
    assert!(status.is_success() || status.is_redirection() || status.is_client_error() || status.as_u16() == 503);
    assert!(*method != Method::HEAD || answer.body().is_empty(), "HEAD is answered with a body");
    if let Some(value) = answer.headers().get(LOCATION) {
        let value = value.to_str().expect("a location is text");
        assert!(super::urls::base().resolve(value).is_ok(), "the location {value} cannot be used");
    }
    if status.is_client_error() && !answer.body().is_empty() {
        let body: Value = serde_json::from_slice(answer.body()).expect("an error is JSON");
        let errors = body["errors"].as_array().expect("an error lists errors");
        assert!(!errors.is_empty() && errors.iter().all(|error| error["code"].is_string()), "{body}");
    }
}

/// Whatever came in: blobs and manifests have the digests they are called by, and tags name what is there.
fn judge_state(registry: &Registry) {
    for contents in registry.state.repositories.values() {
        for (digest, blob) in &contents.blobs {
            let mut bytes = registry.blob_bytes(digest).expect("a blob has bytes");
            let bytes = bytes.read(0, usize::MAX).expect("a blob in memory can be read");
            assert!(bytes.len() as u64 == blob.size && digest.matches(&bytes), "{digest} is {bytes:?}");
        }
        for (digest, manifest) in &contents.manifests {
            assert_eq!(Digest::of(digest.algorithm(), &manifest.bytes), *digest);
        }
        assert!(contents.tags.values().all(|digest| contents.manifests.contains_key(digest)));
    }
}
