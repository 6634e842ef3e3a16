//! [`end-14`]: `DELETE <blob-push-location>`.
//!
//! [`end-14`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::wire::{Head, succeeded};
use super::{AnswerError, Endpoint, OpenUpload, Row};
use crate::Target;
use crate::target::TargetError;

/// Cancels an upload (`end-14`), so that the registry can discard its bytes.
///
/// No push needs its success. Some registries require the action `delete` for it ([quirks](crate::quirks)
/// `mount-cancel-needs-delete`, `upload-cancel-status`).
#[derive(Debug, Clone, Copy)]
pub struct CancelUpload<'a> {
    /// The upload, at its newest location.
    pub upload: &'a OpenUpload,
}

/// What became of an upload that was to be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadEnded {
    /// It is cancelled.
    Cancelled,
    /// It did not exist any more: 404.
    Gone,
}

impl Endpoint for CancelUpload<'_> {
    type Output = UploadEnded;

    fn row(&self) -> Row {
        Row::CancelUpload
    }

    fn target(&self) -> Target {
        self.upload.target().clone()
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), self.upload.target())?.content_length(0).done())
    }

    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<UploadEnded, AnswerError> {
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(UploadEnded::Gone);
        }
        succeeded(self.row(), from, response)?;
        Ok(UploadEnded::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::transcript::{answer, parse, play, target};

    #[test]
    fn end_14() {
        let upload = OpenUpload::at(target("/v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D"));
        let ended = play(
            "end-14",
            &CancelUpload { upload: &upload },
            "C: DELETE /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D HTTP/1.1
             C: Host: registry.example.org
             C: Content-Length: 0
             C:
             S: HTTP/1.1 204 No Content
             S:",
        );
        assert_eq!(ended, Ok(UploadEnded::Cancelled));
    }

    #[test]
    fn what_registries_answer() {
        let upload = OpenUpload::at(target("/u"));
        let cancel = CancelUpload { upload: &upload };
        for status in [200, 202, 204] {
            assert_eq!(parse(&cancel, &answer(status, &[], "")), Ok(UploadEnded::Cancelled));
        }
        assert_eq!(parse(&cancel, &answer(404, &[], "")), Ok(UploadEnded::Gone));
        for status in [400, 401, 405, 500] {
            assert!(matches!(parse(&cancel, &answer(status, &[], "")), Err(AnswerError::Refused(_))));
        }
    }
}
