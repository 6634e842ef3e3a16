//! [`end-13`]: `GET <blob-push-location>`.
//!
//! [`end-13`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::upload::progress;
use super::wire::{Head, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row, UploadProgress};
use crate::Target;
use crate::target::TargetError;

/// Asks how many bytes of an upload the registry has (`end-13`): after a 416, or after an answer was lost.
#[derive(Debug, Clone, Copy)]
pub struct CheckUpload<'a> {
    /// The upload, at its newest location.
    pub upload: &'a OpenUpload,
}

impl Endpoint for CheckUpload<'_> {
    type Output = UploadProgress;

    fn row(&self) -> Row {
        Row::CheckUpload
    }

    fn target(&self) -> Target {
        self.upload.target().clone()
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), self.upload.target())?.done())
    }

    /// Accepts any 2xx with a `Location` or a readable `Range`, and a 204 without either ([quirk](crate::quirks)
    /// `status-range-exclusive-with-prefix`).
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<UploadProgress, AnswerError> {
        succeeded(self.row(), from, response)?;
        let progress = progress(self.row(), self.upload, from, response)?;
        if response.status() == StatusCode::NO_CONTENT || progress.is_stated(response.headers()) {
            Ok(progress)
        } else {
            Err(malformed(self.row(), response, Flaw::Status))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::transcript::{answer, parse, play, target};
    use crate::header::RangeHint;

    fn upload() -> OpenUpload {
        OpenUpload::at(target("/v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D"))
    }

    #[test]
    fn end_13() {
        let progress = play(
            "end-13",
            &CheckUpload { upload: &upload() },
            "C: GET /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D HTTP/1.1
             C: Host: registry.example.org
             C:
             S: HTTP/1.1 204 No Content
             S: Location: /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=c
             S: Range: 0-1023
             S:",
        )
        .unwrap();
        assert_eq!(progress.upload.target(), &target("/v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=c"));
        assert_eq!(progress.range, RangeHint::Through(1023));
    }

    #[test]
    fn what_registries_answer() {
        let upload = upload();
        let check = CheckUpload { upload: &upload };
        // Quay: a unit, one too many, and no Location.
        let progress = parse(&check, &answer(204, &[("range", "bytes=0-1024")], "")).unwrap();
        assert_eq!((&progress.upload, progress.range), (&upload, RangeHint::Through(1024)));
        let progress = parse(&check, &answer(204, &[("range", "0--1"), ("oci-chunk-min-length", "9")], "")).unwrap();
        assert_eq!((progress.upload.chunk_min_length(), progress.range), (Some(9), RangeHint::Empty));
        assert_eq!(parse(&check, &answer(204, &[], "")).map(|p| p.range), Ok(RangeHint::Unknown));
        assert!(parse(&check, &answer(200, &[("range", "0-1")], "")).is_ok());
        let page = parse(&check, &answer(200, &[("content-type", "text/html")], "<html>"));
        assert!(matches!(page, Err(AnswerError::Malformed { why: Flaw::WebPage, .. })));
        let body = r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#;
        let gone = parse(&check, &answer(404, &[], body)).unwrap_err();
        assert!(gone.is_not_found() && gone.refused().unwrap().errors.has_code("BLOB_UPLOAD_UNKNOWN"));
    }
}
