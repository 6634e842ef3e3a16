//! Drivers that do not keep the contract.

use http::header::LOCATION;
use http::{HeaderValue, Uri};
use longshore_core::bytes::Bytes;
use longshore_core::driver::{End, Input, Keep, Key, Output};

use super::{Saboteur, on_requests};

pub(super) fn all<K: Key>() -> Vec<Saboteur<K>> {
    vec![
        follow_redirects(),
        Saboteur::new("lose-an-answer", "one answer never reaches the client", "simulation").input(|notes, input| {
            let is_answer = matches!(input, Input::Answered { .. } | Input::Failed { .. });
            notes.count += u64::from(is_answer);
            (!is_answer || notes.count != 2).then_some(input)
        }),
        Saboteur::new("lose-a-result", "the result of an operation is never told", "simulation")
            .found_by("many-operations")
            .output(|notes, output| {
                let is_first = matches!(output, Output::Done { .. }) && notes.count == 0;
                notes.count += u64::from(is_first);
                (!is_first).then_some(output)
            }),
        ignore_limits(),
        cut_taken_for_whole(),
        on_requests!("extra-field", "requests have a header of the driver's own", "", |_, request| {
            request.headers_mut().insert("x-request-id", HeaderValue::from_static("1"));
        })
        .found_by("header-fields"),
        Saboteur::new("ignore-size", "what is poured into a sink may be longer than it should be", "")
            .found_by("sink")
            .output(|_, output| match output {
                Output::Send { id, request, keep: Keep::Into { key, algorithm, if_error, .. }, limits } => {
                    let keep = Keep::Into { key, algorithm, size: None, if_error };
                    Some(Output::Send { id, request, keep, limits })
                }
                other => Some(other),
            }),
        Saboteur::new("ignore-silence", "a peer that says nothing is waited for much longer", "")
            .found_by("silence")
            .output(|_, output| match output {
                Output::Send { id, request, keep, mut limits } => {
                    limits.silence *= 100;
                    Some(Output::Send { id, request, keep, limits })
                }
                other => Some(other),
            }),
    ]
}

/// As some HTTP stacks do by themselves, with all headers.
fn follow_redirects<K: Key>() -> Saboteur<K> {
    Saboteur::new(
        "follow-redirects",
        "a redirect is followed before the client hears of it, with all headers",
        "secrets",
    )
    .found_by("no-redirect")
    .input(|notes, input| match input {
        Input::Answered { id, response, end } => {
            let sent = notes.sent.get(&id).cloned().filter(|_| response.status().is_redirection());
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            match sent.zip(location) {
                Some((mut sent, location)) => {
                    *sent.request.uri_mut() = resolved(sent.request.uri(), location);
                    notes.to_driver.push_back(sent.again(id));
                    None
                }
                None => Some(Input::Answered { id, response, end }),
            }
        }
        other => Some(other),
    })
}

/// An absolute URL, or a path at the same origin.
fn resolved(from: &Uri, location: &str) -> Uri {
    let base = from.to_string();
    let path = from.path_and_query().map(ToString::to_string).unwrap_or_default();
    let url = if location.starts_with('/') { base.replacen(&path, location, 1) } else { location.to_owned() };
    url.parse().unwrap_or_else(|_| from.clone())
}

fn ignore_limits<K: Key>() -> Saboteur<K> {
    Saboteur::new("ignore-limits", "as much of an answer is kept as comes", "bounds").found_by("kept-bytes").output(
        |_, output| match output {
            Output::Send { id, request, keep: Keep::UpTo(_), limits } => {
                Some(Output::Send { id, request, keep: Keep::UpTo(usize::MAX), limits })
            }
            other => Some(other),
        },
    )
}

fn cut_taken_for_whole<K: Key>() -> Saboteur<K> {
    Saboteur::new("cut-taken-for-whole", "an answer whose end is missing is given as a whole one", "")
        .found_by("answer-cut")
        .input(|_, input| match input {
            Input::Answered { id, response, end: End::Cut } if !response.body().is_empty() => {
                let whole = Bytes::from_static(br#"{"name":"a","tags":["v1"]}"#);
                Some(Input::Answered { id, response: response.map(|_| whole), end: End::Complete })
            }
            other => Some(other),
        })
}
