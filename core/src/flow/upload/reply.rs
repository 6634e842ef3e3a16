//! An answer in, a classified value out: what the state machine needs to know of it, and no more.

use http::StatusCode;

use crate::endpoint::{AnswerError, Endpoint, Refused};
use crate::flow::Outcome;
use crate::header::RangeHint;
use crate::outcome::Failure;

/// What came of an exchange.
pub(super) enum Reply<T> {
    /// The answer that was asked for.
    Good(T),
    /// Another answer.
    Refused(Refusal, Failure),
    /// It is not known whether the request was applied; the transient status that was answered, if one was.
    Unknown(Option<StatusCode>),
    /// The client gave it up.
    GivenUp(Failure),
}

/// What another answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 401, 403: another way of sending would not change it.
    Forbidden,
    /// 404: the upload is gone.
    Gone,
    /// 413: the body is too large.
    TooLarge,
    /// 405, 411, 415, 501: not in this way.
    Unsupported,
    /// 400.
    Invalid,
    /// 409: another request is at work in the upload.
    Conflict,
    /// 416: the chunk is out of order. How much the registry says it has.
    OutOfOrder(RangeHint),
    /// A success that lacks what makes it one: a load balancer's, not the registry's (quirk `post-200-healthcheck`).
    Malformed,
    /// Anything else.
    Other,
}

impl<T> Reply<T> {
    /// Reads what came of the exchange that `call` made.
    pub(super) fn read<E: Endpoint<Output = T>>(call: &E, outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answer { from, response, .. } => match call.parse(&from, &response) {
                Ok(good) => Self::Good(good),
                Err(error) => {
                    let refusal = match &error {
                        AnswerError::Refused(refused) => Refusal::of(refused, RangeHint::read(response.headers())),
                        AnswerError::Malformed { .. } if response.status().is_success() => Refusal::Malformed,
                        _ => Refusal::Other,
                    };
                    Self::Refused(refusal, Failure::new(error))
                }
            },
            Outcome::Unknown { status } => Self::Unknown(status),
            Outcome::Failed(failure) => Self::GivenUp(failure),
        }
    }

    /// The answer that was asked for, if it is one.
    pub(super) fn good(self) -> Option<T> {
        if let Self::Good(good) = self { Some(good) } else { None }
    }
}

impl Refusal {
    fn of(refused: &Refused, range: RangeHint) -> Self {
        match refused.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::Gone,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::LENGTH_REQUIRED
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::NOT_IMPLEMENTED => Self::Unsupported,
            StatusCode::BAD_REQUEST => Self::Invalid,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::RANGE_NOT_SATISFIABLE => Self::OutOfOrder(range),
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::*;
    use crate::Target;
    use crate::driver::{End, NoAnswer};
    use crate::endpoint::StartUpload;

    fn read(outcome: impl Fn(&StartUpload<'_>) -> Outcome) -> Result<(), Option<Refusal>> {
        let origin = Target::parse("https://registry.example/").unwrap().origin().clone();
        let repository = "a/b".parse().unwrap();
        let call = StartUpload { origin: &origin, repository: &repository, algorithm: None };
        match Reply::read(&call, outcome(&call)) {
            Reply::Good(_) => Ok(()),
            Reply::Refused(refusal, _) => Err(Some(refusal)),
            Reply::Unknown(_) | Reply::GivenUp(_) => Err(None),
        }
    }

    #[test]
    fn answers_are_classified_by_their_status() {
        let table = [
            (201, Refusal::Malformed),
            (307, Refusal::Other),
            (400, Refusal::Invalid),
            (401, Refusal::Forbidden),
            (403, Refusal::Forbidden),
            (404, Refusal::Gone),
            (405, Refusal::Unsupported),
            (409, Refusal::Conflict),
            (411, Refusal::Unsupported),
            (413, Refusal::TooLarge),
            (415, Refusal::Unsupported),
            (416, Refusal::OutOfOrder(RangeHint::Through(9))),
            (418, Refusal::Other),
            (500, Refusal::Other),
            (501, Refusal::Unsupported),
        ];
        let answer = |call: &StartUpload<'_>, status: u16, location: bool| {
            let mut response = Response::builder().status(status).header("range", "0-9");
            if location {
                response = response.header("location", "/v2/a/b/blobs/uploads/1");
            }
            Outcome::Answer { from: call.target(), response: response.body(Bytes::new()).unwrap(), end: End::Complete }
        };
        for (status, refusal) in table {
            assert_eq!(read(|call| answer(call, status, false)), Err(Some(refusal)), "{status}");
        }
        assert_eq!(read(|call| answer(call, 202, true)), Ok(()));
        assert_eq!(read(|_| Outcome::Unknown { status: None }), Err(None));
        assert_eq!(read(|_| Outcome::Failed(Failure::new(NoAnswer::Lost("gone".to_owned())))), Err(None));
    }
}
