//! Reads the state of an upload from an answer. A `Location` that cannot be used makes the answer malformed.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::wire::malformed;
use super::{AnswerError, Flaw, OpenUpload, Row, UploadProgress};
use crate::Target;

/// The upload that the answer to a POST opened.
pub(super) fn opened(row: Row, from: &Target, response: &Response<Bytes>) -> Result<OpenUpload, AnswerError> {
    match OpenUpload::opened(from, response.headers()) {
        Ok(Some(upload)) => Ok(upload),
        Ok(None) => Err(malformed(row, response, Flaw::NoLocation)),
        Err(why) => Err(malformed(row, response, why)),
    }
}

/// The state of an upload after an answer to one of its requests.
pub(super) fn progress(
    row: Row,
    upload: &OpenUpload,
    from: &Target,
    response: &Response<Bytes>,
) -> Result<UploadProgress, AnswerError> {
    UploadProgress::read(upload, from, response.headers()).map_err(|why| malformed(row, response, why))
}

/// Adds the state of the upload to a 416, if the answer states it.
pub(super) fn with_progress(
    error: AnswerError,
    upload: &OpenUpload,
    from: &Target,
    response: &Response<Bytes>,
) -> AnswerError {
    let AnswerError::Refused(mut refused) = error else { return error };
    if refused.status == StatusCode::RANGE_NOT_SATISFIABLE {
        let progress = progress(refused.row, upload, from, response).ok();
        refused.progress = progress.filter(|progress| progress.is_stated(response.headers()));
    }
    AnswerError::Refused(refused)
}
