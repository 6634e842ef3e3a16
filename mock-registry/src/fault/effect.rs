//! What a fault does to a request that goes on, and to its answer.

use http::StatusCode;
use http::header::{CONTENT_LENGTH, LOCATION};

use crate::answer::{Answer, Body, Delivery, Pace};

/// What a fault does to the rest of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultEffect {
    /// How the answer is delivered, and how fast.
    pub(crate) delivery: Delivery,
    pub(crate) pace: Pace,
    /// At how many bytes a second the request's body is taken in.
    pub(crate) request_rate: Option<u64>,
    /// After how many bytes of its body the request breaks off.
    pub(crate) body_cut: Option<u64>,
    /// Whether blobs are not there.
    pub(crate) blobs_hidden: bool,
    /// Whether content is not there for a `GET`.
    pub(crate) hidden_from_get: bool,
    /// Whether the answer to a token is that it is no longer good.
    pub(crate) token_expired: bool,
    /// How long the answer's body is.
    pub(crate) oversize: Option<u64>,
    /// Where the answer's `Location` steers to.
    pub(crate) location: Option<String>,
    /// Whether the request comes twice.
    pub(crate) twice: bool,
}

/// An answer as a fault changes it before it leaves: its `Location` and the length of its body.
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

/// An answer whose delivery is what a fault made of it.
pub(crate) fn delivered(mut answer: Answer, effect: &FaultEffect) -> Answer {
    answer.pace = effect.pace;
    answer.delivery = match effect.delivery {
        Delivery::Whole => answer.delivery,
        Delivery::CutAfter(bytes) if bytes >= answer.body.len() => Delivery::Lost,
        other => other,
    };
    answer
}
