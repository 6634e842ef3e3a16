//! Uploads whose bytes, ranges or ends are wrong.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderValue, Method, StatusCode};
use longshore_core::driver::{Body, Input, Key, NoAnswer, Output};

use super::{Saboteur, on_answers, on_requests};

pub(super) fn all<K: Key>() -> Vec<Saboteur<K>> {
    let mut all = vec![append_twice(), ignore_416(), leave_uploads(), repeat_blindly()];
    all.extend(bodies());
    all.extend(heads());
    all
}

fn append_twice<K: Key>() -> Saboteur<K> {
    Saboteur::new("append-twice", "a chunk that was taken is sent again", "judge").input(|notes, input| match input {
        Input::Answered { id, response, end } => {
            let sent = notes.sent.get(&id).cloned().filter(|sent| sent.is(&Method::PATCH, ""));
            match sent.filter(|_| response.status().is_success() && notes.answered.insert(id)) {
                Some(sent) => {
                    notes.to_driver.push_back(sent.again(id));
                    None
                }
                None => Some(Input::Answered { id, response, end }),
            }
        }
        other => Some(other),
    })
}

fn ignore_416<K: Key>() -> Saboteur<K> {
    on_answers!("ignore-416", "a chunk that was refused with 416 counts as taken", "outcome", |_, sent, response| {
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            *response.status_mut() = StatusCode::ACCEPTED;
            let sent = sent.request.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
            let end = sent.and_then(|range| range.split_once('-')).map_or("0", |(_, end)| end);
            response.headers_mut().insert(RANGE, format!("0-{end}").parse().expect("it is a range"));
        }
    })
}

fn leave_uploads<K: Key>() -> Saboteur<K> {
    Saboteur::new("leave-uploads", "an upload that nobody will finish is not cancelled", "uploads").output(
        |notes, output| match output {
            Output::Send { id, request, .. } if request.method() == Method::DELETE => {
                notes.answer(id, StatusCode::NO_CONTENT);
                None
            }
            other => Some(other),
        },
    )
}

fn repeat_blindly<K: Key>() -> Saboteur<K> {
    Saboteur::new("repeat-blindly", "a request whose answer was lost is taken for one that was never sent", "commits")
        .found_by("request-cut")
        .input(|_, input| match input {
            Input::Failed { id, why: NoAnswer::Lost(why) } => Some(Input::Failed { id, why: NoAnswer::NotSent(why) }),
            other => Some(other),
        })
}

/// Bodies that are not the bytes that were asked for.
fn bodies<K: Key>() -> Vec<Saboteur<K>> {
    vec![
        on_requests!("one-byte-short", "the last byte of a body is not sent", "requests", |_, request| {
            if let Body::Blob { range, .. } = request.body_mut()
                && range.end > range.start
            {
                range.end -= 1;
                set_length(request);
            }
        })
        .found_by("bodies"),
        on_requests!("one-byte-twice", "the last byte of the chunk before is sent again", "requests", |_, request| {
            if let Body::Blob { range, .. } = request.body_mut()
                && range.start > 0
            {
                range.start -= 1;
                set_length(request);
            }
        })
        .found_by("chunks"),
        on_requests!("empty-chunk", "a chunk without a byte is sent", "requests", |_, request| {
            if request.method() == Method::PATCH {
                *request.body_mut() = Body::Empty;
                request.headers_mut().remove(CONTENT_RANGE);
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
            }
        }),
        on_requests!("other-digest", "a blob is committed under another digest", "outcome", |_, request| {
            let query = request.uri().query().unwrap_or_default();
            if request.method() == Method::PUT && query.contains("digest=sha256") {
                let (before, digest) = query.rsplit_once("sha256").unwrap_or_default();
                let other: String = digest.replace('a', "b").replace('0', "1");
                let uri = request.uri().to_string().replace(query, &format!("{before}sha256{other}"));
                *request.uri_mut() = uri.parse().expect("it is a URL as before");
            }
        }),
    ]
}

/// Heads that some registry does not take.
fn heads<K: Key>() -> Vec<Saboteur<K>> {
    vec![
        on_requests!(
            "range-with-unit",
            "the range of a chunk is written as HTTP writes ranges",
            "requests",
            |_, request| {
                change_range(request, |start, end| format!("bytes {start}-{end}"));
            }
        ),
        on_requests!("range-exclusive", "the range of a chunk ends one byte late", "requests", |_, request| {
            change_range(request, |start, end| format!("{start}-{}", end + 1));
        }),
        on_requests!("no-length", "requests do not say how long their body is", "requests", |_, request| {
            request.headers_mut().remove(CONTENT_LENGTH);
        }),
        on_requests!("other-type", "blobs are sent as text", "requests", |_, request| {
            if matches!(request.body(), Body::Blob { .. }) {
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            }
        }),
        on_requests!(
            "tidy-location",
            "what the registry wrote into the URL of an upload is left out",
            "judge",
            |_, request| {
                let query = request.uri().query().unwrap_or_default();
                if let Some((state, digest)) = query.split_once("&digest=").filter(|_| request.method() == Method::PUT)
                {
                    let uri = request
                        .uri()
                        .to_string()
                        .replace(&format!("{state}&digest={digest}"), &format!("digest={digest}"));
                    *request.uri_mut() = uri.parse().expect("it is a URL as before");
                }
            }
        ),
    ]
}

fn set_length<K>(request: &mut http::Request<Body<K>>) {
    let len = request.body().len().unwrap_or_default();
    request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(len));
}

fn change_range<K>(request: &mut http::Request<Body<K>>, change: impl Fn(u64, u64) -> String) {
    let range = request.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
    let Some((Ok(start), Ok(end))) = range.split_once('-').map(|(start, end)| (start.parse(), end.parse())) else {
        return;
    };
    let changed = change(start, end).parse().expect("a range is text");
    request.headers_mut().insert(CONTENT_RANGE, changed);
}
