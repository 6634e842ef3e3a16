//! [`end-5`]: `PATCH <blob-push-location>`.
//!
//! [`end-5`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::header::CONTENT_RANGE;
use http::{HeaderValue, Request, Response, StatusCode};

use super::upload::{progress, with_progress};
use super::wire::{Head, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, OpenUpload, Row, UploadProgress};
use crate::Target;
use crate::header::ChunkRange;
use crate::target::TargetError;

/// Sends a chunk of a blob, which is the request's body (`end-5`).
#[derive(Debug, Clone, Copy)]
pub struct SendChunk<'a> {
    /// The upload, at its newest location.
    pub upload: &'a OpenUpload,
    /// Which bytes of the blob the body has.
    pub chunk: Chunk,
}

/// Which bytes of a blob a PATCH has. An empty chunk cannot be sent ([quirk](crate::quirks) `patch-zero-length`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// These bytes, with `Content-Range` as the spec requires.
    Range(ChunkRange),
    /// All bytes of the blob, without `Content-Range`. Only the first PATCH of an upload can be sent so
    /// ([quirk](crate::quirks) `patch-second-stream-400`).
    Stream {
        /// How many bytes, if that is known before they are sent. Otherwise the request has no `Content-Length`.
        size: Option<u64>,
    },
}

impl Endpoint for SendChunk<'_> {
    type Output = UploadProgress;

    fn row(&self) -> Row {
        Row::SendChunk
    }

    fn target(&self) -> Target {
        self.upload.target().clone()
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        let head = Head::new(self.row(), self.upload.target())?.octet_stream();
        Ok(match self.chunk {
            Chunk::Range(range) => {
                head.header(CONTENT_RANGE, content_range(range)?).content_length(range.size()).done()
            }
            Chunk::Stream { size: Some(size) } => head.content_length(size).done(),
            Chunk::Stream { size: None } => head.done(),
        })
    }

    /// 201, 202 and 204 are successes, and so is any other 2xx with a `Location` or a readable `Range`
    /// ([quirks](crate::quirks) `patch-status-201`, `patch-status-204`). After a success the whole chunk counts as
    /// stored, whatever `Range` says.
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<UploadProgress, AnswerError> {
        let row = self.row();
        succeeded(row, from, response).map_err(|error| with_progress(error, self.upload, from, response))?;
        let progress = progress(row, self.upload, from, response)?;
        let is_usual = matches!(response.status(), StatusCode::CREATED | StatusCode::ACCEPTED | StatusCode::NO_CONTENT);
        if is_usual || progress.is_stated(response.headers()) {
            Ok(progress)
        } else {
            Err(malformed(row, response, Flaw::Status))
        }
    }
}

pub(super) fn content_range(range: ChunkRange) -> Result<HeaderValue, TargetError> {
    HeaderValue::try_from(range.to_string()).map_err(|_| TargetError::Unrepresentable)
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
    fn end_5() {
        let progress = play(
            "end-5",
            &SendChunk { upload: &upload(), chunk: Chunk::Range(ChunkRange::new(0, 5).unwrap()) },
            "C: PATCH /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D HTTP/1.1
             C: Host: registry.example.org
             C: Content-Type: application/octet-stream
             C: Content-Range: 0-4
             C: Content-Length: 5
             C:
             C: hello
             S: HTTP/1.1 202 Accepted
             S: Location: /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=c%2Fd%3D
             S: Range: 0-4
             S:",
        )
        .unwrap();
        assert_eq!(progress.upload.target(), &target("/v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=c%2Fd%3D"));
        assert_eq!(progress.range, RangeHint::Through(4));
    }

    #[test]
    fn end_5_next_chunk() {
        let progress = play(
            "end-5",
            &SendChunk { upload: &upload(), chunk: Chunk::Range(ChunkRange::new(5, 3).unwrap()) },
            "C: PATCH /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D HTTP/1.1
             C: Host: registry.example.org
             C: Content-Type: application/octet-stream
             C: Content-Range: 5-7
             C: Content-Length: 3
             C:
             C: abc
             S: HTTP/1.1 202 Accepted
             S: Location: /v2/library/ubuntu/blobs/uploads/5f2c8a9e
             S: Range: 0-7
             S:",
        );
        assert_eq!(progress.map(|progress| progress.range), Ok(RangeHint::Through(7)));
    }

    #[test]
    fn end_5_out_of_order() {
        let error = play(
            "end-5",
            &SendChunk { upload: &upload(), chunk: Chunk::Range(ChunkRange::new(5, 3).unwrap()) },
            "C: PATCH /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D HTTP/1.1
             C: Host: registry.example.org
             C: Content-Type: application/octet-stream
             C: Content-Range: 5-7
             C: Content-Length: 3
             C:
             C: abc
             S: HTTP/1.1 416 Requested Range Not Satisfiable
             S: Location: /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=new
             S: Range: 0-1
             S:",
        )
        .unwrap_err();
        let progress = error.refused().and_then(|refused| refused.progress.clone()).unwrap();
        assert_eq!(progress.upload.target(), &target("/v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=new"));
        assert_eq!(progress.range, RangeHint::Through(1));
    }

    /// The stream that the spec does not forbid, and that Docker's own client sends: no `Content-Range`.
    #[test]
    fn end_5_streamed() {
        for (size, length) in [(Some(5), "\nC: Content-Length: 5"), (None, "")] {
            let transcript = format!(
                "C: PATCH /v2/library/ubuntu/blobs/uploads/5f2c8a9e?_state=a%2Fb%3D HTTP/1.1
                 C: Host: registry.example.org
                 C: Content-Type: application/octet-stream{length}
                 C:
                 C: hello
                 S: HTTP/1.1 202 Accepted
                 S: Location: /v2/library/ubuntu/blobs/uploads/5f2c8a9e
                 S: Range: 0-4
                 S:"
            );
            let stream = SendChunk { upload: &upload(), chunk: Chunk::Stream { size } };
            assert!(play("end-5", &stream, &transcript).is_ok());
        }
    }

    #[test]
    fn every_success_that_registries_send() {
        let upload = upload();
        let send = SendChunk { upload: &upload, chunk: Chunk::Stream { size: None } };
        // (status, location, range, what is wrong)
        let table = [
            (202, None, None, None),
            // Quirks `patch-status-201` and `patch-status-204`.
            (201, None, None, None),
            (201, None, Some("0-4"), None),
            (204, None, None, None),
            (200, Some("/u"), None, None),
            (206, None, Some("0-4"), None),
            // A load balancer's page.
            (200, None, None, Some(Flaw::Status)),
            (200, None, Some("garbage"), Some(Flaw::Status)),
            // Quirk `patch-range-0--1-breaks-docker`.
            (202, None, Some("0--1"), None),
            (202, None, Some("garbage"), None),
        ];
        for (status, location, range, flaw) in table {
            let mut headers = Vec::new();
            headers.extend(location.map(|location| ("location", location)));
            headers.extend(range.map(|range| ("range", range)));
            let result = parse(&send, &answer(status, &headers, ""));
            match flaw {
                None => {
                    // Quirk `patch-location-missing`: the old one stays.
                    let expected = location.map_or_else(|| upload.target().clone(), target);
                    assert_eq!(result.map(|p| p.upload.target().clone()), Ok(expected), "{status}");
                }
                Some(why) => {
                    let status = StatusCode::from_u16(status).unwrap();
                    assert_eq!(result, Err(AnswerError::Malformed { row: Row::SendChunk, status, why }));
                }
            }
        }
        // A Location that cannot be used is not passed over: the upload is not where it was.
        assert!(matches!(parse(&send, &answer(202, &[("location", "/../x")], "")), Err(AnswerError::Malformed { .. })));
    }

    #[test]
    fn a_416_without_a_word_says_nothing_about_progress() {
        let upload = upload();
        let send = SendChunk { upload: &upload, chunk: Chunk::Stream { size: None } };
        for (status, headers, known) in [
            (416, &[][..], false),
            (416, &[("range", "garbage")], false),
            (416, &[("location", "/../x")], false),
            (416, &[("location", "/u")], true),
            (416, &[("range", "bytes=0-4")], true),
            (404, &[("range", "0-4"), ("location", "/u")], false),
        ] {
            let error = parse(&send, &answer(status, headers, "")).unwrap_err();
            assert_eq!(error.refused().unwrap().progress.is_some(), known, "{status} {headers:?}");
        }
    }

    #[test]
    fn bounds_stay_and_change() {
        let upload = upload();
        let send = SendChunk { upload: &upload, chunk: Chunk::Stream { size: None } };
        let headers = [("oci-chunk-min-length", "5242880"), ("oci-chunk-max-length", "100000000")];
        let upload = parse(&send, &answer(202, &headers, "")).unwrap().upload;
        assert_eq!((upload.chunk_min_length(), upload.chunk_max_length()), (Some(5_242_880), Some(100_000_000)));
        let send = SendChunk { upload: &upload, chunk: Chunk::Stream { size: None } };
        let upload = parse(&send, &answer(202, &[("oci-chunk-min-length", "1")], "")).unwrap().upload;
        assert_eq!((upload.chunk_min_length(), upload.chunk_max_length()), (Some(1), Some(100_000_000)));
        let send = SendChunk { upload: &upload, chunk: Chunk::Stream { size: None } };
        assert_eq!(parse(&send, &answer(202, &[], "")).map(|progress| progress.upload), Ok(upload.clone()));
    }
}
