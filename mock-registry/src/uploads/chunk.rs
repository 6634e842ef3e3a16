//! The range of a request's body, and whether the upload accepts it now.

use http::StatusCode;
use http::header::CONTENT_RANGE;

use super::writing::Admitted;
use crate::behaviour::{ContentRange, FinalChunk, MaxOf, Patch};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use crate::state::{Upload, UploadId};
use longshore_core::Row;

/// The range of a request's body, from a `Content-Range` in the spec's form `first-last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The offset of the first byte.
    pub(super) first: u64,
    /// The number of bytes.
    pub(super) len: u64,
}

impl Chunk {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if digits { text.parse::<u64>().ok() } else { None }
        };
        let (first, last) = (number(first)?, number(last)?);
        Some(Self { first, len: last.checked_sub(first)?.checked_add(1)? })
    }
}

impl Registry {
    /// Checks whether an upload accepts the body of a request now.
    pub(super) fn admit(&self, request: &ParsedRequest, id: &UploadId, upload: &Upload) -> Result<Admitted, Refusal> {
        let behaviour = &self.options.behaviour;
        let is_patch = request.row == Some(Row::SendChunk);
        if is_patch {
            self.admit_patch(request, upload)?;
        }
        self.check_max(request)?;
        let rule = match request.row {
            Some(Row::CloseUpload) if behaviour.commit.ignores_content_range => ContentRange::Ignored,
            _ => behaviour.chunks.content_range,
        };
        let Some(chunk) = self.announced_chunk(request)?.filter(|_| rule != ContentRange::Ignored) else {
            self.admit_unannounced(request, id, upload)?;
            return Ok(Admitted { announced: None, skip: 0, streamed: true });
        };
        let admitted = |skip| Ok(Admitted { announced: Some(chunk.len), skip, streamed: false });
        match (rule, upload.len().checked_sub(chunk.first)) {
            (_, Some(0)) => admitted(0),
            // A chunk that begins at 0 is appended. Of a chunk that overlaps, the known part is dropped.
            (ContentRange::Overlapping, Some(_)) if chunk.first == 0 => admitted(0),
            (ContentRange::Overlapping, Some(overlap)) => admitted(overlap),
            _ => Err(self.out_of_order(id)),
        }
    }

    fn announced_chunk(&self, request: &ParsedRequest) -> Result<Option<Chunk>, Refusal> {
        let Some(header) = request.headers.get(CONTENT_RANGE) else { return Ok(None) };
        let malformed = || {
            let message = "Content-Range is written as first-last, in bytes, both inclusive, without a unit";
            let given = self.options.behaviour.chunks.malformed;
            Refusal::new(status(given), Code::BlobUploadInvalid, message)
        };
        let chunk = header.to_str().ok().and_then(Chunk::parse).ok_or_else(malformed)?;
        match request.content_length() {
            Some(len) if len != chunk.len => {
                let message = format!("Content-Range has {} bytes and Content-Length {len}", chunk.len);
                Err(Refusal::bad_request(Code::SizeInvalid, message))
            }
            _ => Ok(Some(chunk)),
        }
    }

    fn admit_patch(&self, request: &ParsedRequest, upload: &Upload) -> Result<(), Refusal> {
        let chunks = &self.options.behaviour.chunks;
        let unsupported = |given| Err(Refusal::new(status(given), Code::Unsupported, "chunks are not supported here"));
        match chunks.patch {
            Patch::Refused(given) => return unsupported(given),
            Patch::Once(given) if upload.step > 0 => return unsupported(given),
            Patch::Once(_) | Patch::Supported => {}
        }
        if let Some(given) = chunks.empty_refused.filter(|_| !request.has_body()) {
            return Err(Refusal::new(status(given), Code::BlobUploadInvalid, "a chunk has at least one byte"));
        }
        if chunks.strict_type && request.content_type() != Some("application/octet-stream") {
            return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, "bad Content-Type"));
        }
        if upload.short {
            let min = self.options.behaviour.start.chunk_min.map_or(0, |min| min.bytes);
            let message = format!("a chunk before this one had less than {min} bytes");
            return Err(Refusal::bad_request(Code::BlobUploadInvalid, message));
        }
        Ok(())
    }

    /// Checks a body without `Content-Range`.
    fn admit_unannounced(&self, request: &ParsedRequest, id: &UploadId, upload: &Upload) -> Result<(), Refusal> {
        let behaviour = &self.options.behaviour;
        if upload.is_empty() {
            return Ok(());
        }
        if request.row == Some(Row::SendChunk) && behaviour.chunks.one_stream {
            let message = "stream uploads after the first write are not allowed";
            return Err(Refusal::bad_request(Code::BlobUploadInvalid, message));
        }
        // A body of unknown length counts as a body with bytes.
        if request.row != Some(Row::CloseUpload) || request.content_length() == Some(0) {
            return Ok(());
        }
        match behaviour.commit.final_chunk {
            FinalChunk::Appended => Ok(()),
            FinalChunk::AtZero if request.has_body() => Err(self.out_of_order(id)),
            FinalChunk::Fails if request.has_body() => {
                let message = "the last chunk lacks its Content-Range";
                Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, message))
            }
            FinalChunk::AtZero | FinalChunk::Fails => Ok(()),
        }
    }

    /// Checks the length of the body against the limit.
    fn check_max(&self, request: &ParsedRequest) -> Result<(), Refusal> {
        let behaviour = &self.options.behaviour;
        let len = request.content_length().unwrap_or_default();
        if let Some(max) = behaviour.start.chunk_max.filter(|max| len > *max) {
            let message = format!("a chunk has at most {max} bytes");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::SizeInvalid, message));
        }
        let is_chunk = request.row == Some(Row::SendChunk) || request.headers.contains_key(CONTENT_RANGE);
        match &behaviour.chunks.max {
            Some(max) if len > max.bytes && (is_chunk || max.of == MaxOf::AllBodies) => {
                let message = format!("the body exceeds the maximum permissible limit of {} bytes", max.bytes);
                Err(Refusal::new(status(max.status), Code::SizeInvalid, message))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specs_expression() {
        assert_eq!(Chunk::parse("3-9"), Some(Chunk { first: 3, len: 7 }));
        for bad in ["", "-", "1-", "-1", "+1-2", "bytes 0-1/2", "0-1/2", "0--1", "5-4", "0-18446744073709551615", "a-b"]
        {
            assert!(Chunk::parse(bad).is_none(), "{bad}");
        }
    }
}
