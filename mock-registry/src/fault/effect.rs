//! The effects of faults that do not end a request at once.

use http::StatusCode;
use http::header::{CONTENT_LENGTH, LOCATION};

use crate::answer::{Answer, Body, Delivery, Pace};

/// The effects of faults on the rest of a request and on its answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultEffect {
    /// How the answer is delivered, and how fast.
    pub(crate) delivery: Delivery,
    pub(crate) pace: Pace,
    /// The rate at which the request's body is read, in bytes a second.
    pub(crate) request_rate: Option<u64>,
    /// The number of bytes of the request's body after which the connection is lost.
    pub(crate) body_cut: Option<u64>,
    /// Whether all blobs count as missing.
    pub(crate) blobs_hidden: bool,
    /// Whether all content counts as missing for a `GET`.
    pub(crate) hidden_from_get: bool,
    /// Whether the request's token counts as expired.
    pub(crate) token_expired: bool,
    /// The length of the answer's body in bytes, in place of its own.
    pub(crate) oversize: Option<u64>,
    /// The URL that replaces the answer's `Location`.
    pub(crate) location: Option<String>,
    /// Whether the registry receives the request twice.
    pub(crate) twice: bool,
}

/// Changes an answer's `Location` and the length of its body.
pub(crate) fn changed(mut answer: Answer, effect: &FaultEffect) -> Answer {
    if let Some(url) = effect.location.as_ref().filter(|_| answer.headers.contains_key(LOCATION)) {
        answer.headers.remove(LOCATION);
        answer = answer.header(LOCATION, url);
    }
    let has_body = !matches!(answer.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if let Some(bytes) = effect.oversize.filter(|_| has_body) {
        answer.headers.insert(CONTENT_LENGTH, bytes.into());
        answer.body = Body::Spaces(bytes);
    }
    answer
}

/// Changes how an answer is delivered.
pub(crate) fn delivered(mut answer: Answer, effect: &FaultEffect) -> Answer {
    answer.pace = effect.pace;
    answer.delivery = match effect.delivery {
        Delivery::Whole => answer.delivery,
        Delivery::CutAfter(bytes) if bytes >= answer.body.len() => Delivery::Lost,
        other => other,
    };
    answer
}
