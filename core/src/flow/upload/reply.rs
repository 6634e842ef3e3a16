//! Classifies the outcome of an exchange, as the state machine needs it.

use http::StatusCode;

use crate::Origin;
use crate::endpoint::{AnswerError, Endpoint, Refused};
use crate::flow::Outcome;
use crate::header::RangeHint;
use crate::outcome::Failure;

/// The classified outcome of an exchange.
pub(super) enum Reply<T> {
    /// A success.
    Good(T),
    /// An answer that is not a success.
    Refused(Refusal, Failure),
    /// It is not known whether the request was applied. With the answer of a transient status, if there was one.
    Unknown(Option<Box<Refused>>),
    /// The client gave up.
    GivenUp(Failure),
}

/// Why an answer is not a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 401, 403: another rung would not help.
    Forbidden,
    /// 404: the upload is gone.
    Gone,
    /// 413: the body is too large.
    TooLarge,
    /// 405, 411, 415, 501: the registry does not support this rung.
    Unsupported,
    /// 400.
    Invalid,
    /// 409: another request uses the upload.
    Conflict,
    /// 416: the chunk is out of order. With the number of bytes that the registry says it has.
    OutOfOrder(RangeHint),
    /// A success status without the required content, from a load balancer and not from the registry (quirk
    /// `post-200-healthcheck`).
    Malformed,
    /// Anything else.
    Other,
}

impl<T> Reply<T> {
    /// Classifies the outcome of the exchange for `call`, in an upload to `registry`.
    pub(super) fn read<E: Endpoint<Output = T>>(call: &E, registry: &Origin, outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answer { from, response, .. } => match call.parse(&from, &response) {
                Ok(good) => Self::Good(good),
                Err(error) => {
                    let refusal = match &error {
                        // A storage host refuses a URL whose signature is missing or has expired. The registry gives
                        // another one with a new upload.
                        AnswerError::Refused(refused)
                            if refused.status == StatusCode::FORBIDDEN && from.origin() != registry =>
                        {
                            Refusal::Gone
                        }
                        AnswerError::Refused(refused) => Refusal::of(refused, RangeHint::read(response.headers())),
                        AnswerError::Malformed { .. } if response.status().is_success() => Refusal::Malformed,
                        _ => Refusal::Other,
                    };
                    Self::Refused(refusal, Failure::new(error))
                }
            },
            Outcome::Unknown { answer } => Self::Unknown(answer),
            Outcome::Failed(failure) => Self::GivenUp(failure),
        }
    }

    /// The output, if the reply is a success.
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
        match Reply::read(&call, &origin, outcome(&call)) {
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
        assert_eq!(read(|_| Outcome::Unknown { answer: None }), Err(None));
        assert_eq!(read(|_| Outcome::Failed(Failure::new(NoAnswer::Lost("gone".to_owned())))), Err(None));
    }

    /// A URL whose signature is missing or has expired: the registry itself refuses nothing.
    #[test]
    fn a_storage_host_that_refuses_a_url_has_no_such_upload() {
        let storage = Target::parse("https://storage.example/uploads/1").unwrap();
        let answer = |from: &Target| Outcome::Answer {
            from: from.clone(),
            response: Response::builder().status(403).body(Bytes::new()).unwrap(),
            end: End::Complete,
        };
        assert_eq!(read(|_| answer(&storage)), Err(Some(Refusal::Gone)));
        assert_eq!(read(|call| answer(&call.target())), Err(Some(Refusal::Forbidden)));
    }
}
