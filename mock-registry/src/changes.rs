//! Changes of answers by a profile.

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::Value;

use crate::answer::{Answer, Body};
use crate::behaviour::AnswerChange;
use crate::refusal::status;

/// Makes all changes whose filters match, one after the other.
pub(crate) fn changed(answer: Answer, method: &Method, changes: &[AnswerChange]) -> Answer {
    changes.iter().fold(answer, |answer, change| {
        let fits = change.when.fits(method, &answer, || code(&answer));
        if fits { with(answer, change) } else { answer }
    })
}

fn with(mut answer: Answer, change: &AnswerChange) -> Answer {
    if let Some(given) = change.status {
        answer.status = status(given);
    }
    if let Some(code) = &change.code {
        answer = with_code(answer, code);
    }
    if let Some(body) = &change.body {
        if body.is_empty() {
            answer.headers.remove(CONTENT_TYPE);
        }
        answer = with_body(answer, body.clone().into());
    }
    for (name, value) in change.headers(&answer.headers) {
        match value {
            Some(value) => answer.headers.insert(name, value),
            None => answer.headers.remove(name),
        };
    }
    answer
}

/// The errors in a body, if it is JSON and small.
fn errors(answer: &Answer) -> Option<Value> {
    match &answer.body {
        Body::Bytes(bytes) if !answer.status.is_success() => serde_json::from_slice(bytes).ok(),
        Body::Bytes(_) | Body::Spaces(_) | Body::Blob { .. } => None,
    }
}

/// The code of the first error.
fn code(answer: &Answer) -> Option<String> {
    Some(errors(answer)?.get("errors")?.get(0)?.get("code")?.as_str()?.to_owned())
}

fn with_code(answer: Answer, code: &str) -> Answer {
    let Some(mut body) = errors(&answer) else { return answer };
    let Some(each) = body.get_mut("errors").and_then(Value::as_array_mut) else { return answer };
    for error in each {
        error["code"] = Value::from(code);
    }
    with_body(answer, body.to_string().into())
}

fn with_body(mut answer: Answer, body: Bytes) -> Answer {
    answer.headers.insert(CONTENT_LENGTH, body.len().into());
    answer.body = Body::Bytes(body);
    answer
}
