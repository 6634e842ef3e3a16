//! Secrets that go where they do not belong, or stay away from where they do.

use http::header::AUTHORIZATION;
use longshore_core::driver::{Input, Key, Output};

use super::{Saboteur, on_requests};
use crate::case::PASSWORD;

pub(super) fn all<K: Key>() -> Vec<Saboteur<K>> {
    vec![
        leak_on_redirect(),
        sign_early(),
        password_in_url(),
        password_in_warning(),
        Saboteur::new("anonymous-always", "a question for credentials is answered with none", "outcome")
            .found_by("credentials")
            .input(|_, input| match input {
                Input::Credentials { id, .. } => Some(Input::Credentials { id, answer: Ok(None) }),
                other => Some(other),
            }),
    ]
}

fn leak_on_redirect<K: Key>() -> Saboteur<K> {
    on_requests!(
        "leak-on-redirect",
        "what signs requests to the registry signs those to other origins too",
        "secrets",
        |notes, request| match request.headers().get(AUTHORIZATION).cloned() {
            Some(signature) => notes.signature = Some(signature),
            None => {
                if let Some(signature) = notes.signature.clone() {
                    request.headers_mut().insert(AUTHORIZATION, signature);
                }
            }
        }
    )
}

fn sign_early<K: Key>() -> Saboteur<K> {
    on_requests!(
        "sign-early",
        "requests are signed with the first token there was, however long they wait",
        "outcome",
        |notes, request| {
            if let Some(signature) = request.headers().get(AUTHORIZATION).filter(|value| is_bearer(value)) {
                let first = notes.signature.get_or_insert_with(|| signature.clone()).clone();
                request.headers_mut().insert(AUTHORIZATION, first);
            }
        }
    )
}

fn is_bearer(value: &http::HeaderValue) -> bool {
    value.as_bytes().starts_with(b"Bearer ")
}

fn password_in_url<K: Key>() -> Saboteur<K> {
    on_requests!("password-in-url", "the password is in the query of what asks for a token", "secrets", |_, request| {
        let is_signed = request.headers().contains_key(AUTHORIZATION);
        if let Some(query) = request.uri().query().filter(|_| is_signed) {
            let uri = request.uri().to_string().replace(query, &format!("{query}&password={PASSWORD}"));
            *request.uri_mut() = uri.parse().expect("it is a URL as before");
        }
    })
}

fn password_in_warning<K: Key>() -> Saboteur<K> {
    Saboteur::new("password-in-warning", "the password is in what is shown", "secrets").output(|_, output| match output
    {
        Output::Event(longshore_core::Event::Exchanged { target, .. }) => {
            let origin = target.origin().clone();
            Some(Output::Event(longshore_core::Event::Warning { origin, text: format!("sent {PASSWORD}") }))
        }
        other => Some(other),
    })
}
