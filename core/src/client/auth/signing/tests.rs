use bytes::Bytes;
use http::Response;

use super::*;
use crate::config::{ManifestReference, Operation};
use crate::driver::{End, Input, RequestId};
use crate::{Instant, Options};

const CHALLENGE: &str = r#"Bearer realm="https://registry.example/token",service="r""#;

fn pull(repository: &str) -> Operation<u8> {
    Operation::PullManifest {
        registry: "registry.example".parse().unwrap(),
        repository: repository.parse().unwrap(),
        reference: ManifestReference::Tag("v1".parse().unwrap()),
    }
}

/// What is sent until the client waits, each with its path.
fn sent(client: &mut Client<u8>) -> Vec<(RequestId, String)> {
    let mut sent = Vec::new();
    loop {
        match client.poll(Instant::ZERO) {
            Output::Send { id, request, .. } => sent.push((id, request.uri().path().to_owned())),
            Output::Ask { id, .. } => client.handle(Input::Credentials { id, answer: Ok(None) }),
            Output::Wait(_) => return sent,
            _ => {}
        }
    }
}

fn answer(client: &mut Client<u8>, id: RequestId, status: u16, body: &'static str) {
    let response = Response::builder().status(status).header("WWW-Authenticate", CHALLENGE);
    let response = response.body(Bytes::from_static(body.as_bytes())).unwrap();
    client.handle(Input::Answered { id, response, end: End::Complete });
}

#[test]
fn the_requests_to_a_token_service_are_counted_until_the_last_has_ended() {
    let mut client = Client::new(Options::default());
    for repository in ["a", "b"] {
        client.start(pull(repository));
    }
    let fetching = |client: &Client<u8>| client.fetching.values().copied().collect::<Vec<_>>();
    let mut tokens = Vec::new();
    while tokens.len() < 2 {
        for (id, path) in sent(&mut client) {
            if path == "/token" { tokens.push(id) } else { answer(&mut client, id, 401, "") }
        }
    }
    assert_eq!(fetching(&client), [2]);
    answer(&mut client, tokens[0], 200, r#"{"token":"t"}"#);
    sent(&mut client);
    assert_eq!(fetching(&client), [1]);
    answer(&mut client, tokens[1], 200, r#"{"token":"t"}"#);
    sent(&mut client);
    assert!(client.fetching.is_empty(), "nothing is kept of a token service that is not asked");
}
