//! `Location` and `Range` of an upload, in the form of the behaviour.

use http::header::{LOCATION, RANGE};

use crate::answer::Answer;
use crate::behaviour::{EmptyRange, IdForm, OutOfOrderRange, PatchRange, PostRange, StateQuery, StatusRange};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use crate::route::{Query, Route};
use crate::state::{Upload, UploadId};
use longshore_core::Row;

impl Registry {
    /// Adds the headers of the answer to a `POST`.
    pub(super) fn opened(&self, answer: Answer, id: &UploadId) -> Answer {
        let start = &self.options.behaviour.start;
        let mut answer = self.named(self.located_at(answer, id), id);
        answer = match start.range {
            PostRange::Zero => answer.header(RANGE, "0-0"),
            PostRange::Unit => answer.header(RANGE, "bytes=0--1"),
            PostRange::Absent => answer,
        };
        self.chunk_lengths(answer)
    }

    /// Adds the headers of the answer to a chunk of this many bytes, with or without `Content-Range`.
    pub(super) fn grown(&self, answer: Answer, id: &UploadId, chunk: u64, streamed: bool) -> Answer {
        let chunks = &self.options.behaviour.chunks;
        let Some(upload) = self.state.uploads.get(id) else { return answer };
        let mut answer = self.named(self.located_at(answer, id), id);
        if chunks.location_missing {
            answer.headers.remove(LOCATION);
        }
        let end = match chunks.range {
            PatchRange::Absent => return answer,
            PatchRange::FirstChunk => upload.first_end,
            PatchRange::OffByOne => upload.len().saturating_add(1),
            PatchRange::Constant => return answer.header(RANGE, "0-0"),
            PatchRange::OffByOneStreamed if streamed => upload.len().saturating_add(1),
            PatchRange::OffByOneStreamed if chunk > 0 => {
                let (first, last) = (upload.len().saturating_sub(chunk), upload.len().saturating_sub(1));
                return answer.header(RANGE, format_args!("{first}-{last}"));
            }
            PatchRange::Correct | PatchRange::OffByOneStreamed => upload.len(),
            PatchRange::OfChunk => chunk,
        };
        self.range(answer, end)
    }

    /// Adds the headers of the answer to a request for the state.
    pub(super) fn state_of(&self, answer: Answer, id: &UploadId) -> Answer {
        let behaviour = &self.options.behaviour.status;
        let len = self.state.uploads.get(id).map_or(0, Upload::len);
        let mut answer = self.chunk_lengths(self.named(answer, id));
        if behaviour.location {
            answer = self.located_at(answer, id);
        }
        match behaviour.range {
            StatusRange::Inclusive => self.range(answer, len),
            StatusRange::Exclusive => answer.header(RANGE, format_args!("bytes=0-{len}")),
            StatusRange::Absent => answer,
        }
    }

    /// The refusal of a chunk that is not the next one, with the headers that a client needs to continue.
    pub(super) fn out_of_order(&self, id: &UploadId) -> Refusal {
        let chunks = &self.options.behaviour.chunks;
        let len = self.state.uploads.get(id).map_or(0, Upload::len);
        let given = status(chunks.out_of_order);
        let message = format!("the next chunk begins at byte {len}");
        let refusal = match chunks.out_of_order_code.as_deref() {
            None => Refusal::new(given, Code::BlobUploadInvalid, message),
            Some("") => Refusal::new(given, Code::BlobUploadInvalid, message).page("", ""),
            Some(code) => Refusal::new(given, code.to_owned(), message),
        };
        let at = self.located_at(Answer::new(Row::SendChunk, given), id);
        let at = match chunks.out_of_order_range {
            OutOfOrderRange::Absent => return refusal,
            OutOfOrderRange::WithBytes if len == 0 => return refusal,
            OutOfOrderRange::Sent | OutOfOrderRange::WithBytes => self.range(self.named(at, id), len),
            OutOfOrderRange::OffByOne => self.named(at, id).header(RANGE, format_args!("0-{len}")),
        };
        let refusal = match chunks.out_of_order_range {
            OutOfOrderRange::WithBytes => refusal.page("", ""),
            _ => refusal,
        };
        at.headers
            .iter()
            .fold(refusal, |refusal, (name, value)| refusal.header(name, String::from_utf8_lossy(value.as_bytes())))
    }

    /// Checks that a request to an upload has a state, if without one it is not looked for.
    pub(crate) fn check_stated(&self, request: &ParsedRequest) -> Result<(), Refusal> {
        let start = &self.options.behaviour.start;
        let name = start.state_name.as_deref().unwrap_or("_state");
        let is_upload = matches!(request.route, Route::Upload(..));
        if is_upload && start.state == StateQuery::NewestOrGone && request.query.first(name).is_none() {
            return Err(Refusal::not_found(Code::BlobUploadInvalid, "this is not the URL of an upload"));
        }
        Ok(())
    }

    /// Checks that a request is to the newest URL of an upload, if the behaviour requires it.
    pub(super) fn check_state(&mut self, request: &ParsedRequest, id: &UploadId) -> Result<(), Refusal> {
        let rule = self.options.behaviour.start.state;
        let Some(upload) = self.state.uploads.get(id) else { return Ok(()) };
        // A request that is writing to the upload has changed the state already.
        let is_moving = upload.busy && rule == StateQuery::NewestOrGone;
        let step = upload.step;
        // Registries decode it: a request in which it is encoded differently is accepted, and the judge reports it.
        let newest = Query::of(Some(&self.state_pair(id, step)));
        let name = self.options.behaviour.start.state_name.as_deref().unwrap_or("_state");
        if !is_moving && newest.first(name).is_some_and(|newest| request.query.all(name).any(|given| given == newest)) {
            return Ok(());
        }
        match rule {
            StateQuery::Absent | StateQuery::Ignored => Ok(()),
            StateQuery::Newest if request.row == Some(Row::CheckUpload) => Ok(()),
            StateQuery::Newest => Err(self.out_of_order(id)),
            StateQuery::NewestOrGone => {
                self.drop_upload(id);
                Err(Refusal::not_found(Code::BlobUploadInvalid, "this is not the newest URL of the upload"))
            }
        }
    }

    fn located_at(&self, answer: Answer, id: &UploadId) -> Answer {
        match self.state.uploads.get(id) {
            Some(upload) => answer.header(LOCATION, self.upload_location(id, upload)),
            None => answer,
        }
    }

    fn named(&self, answer: Answer, id: &UploadId) -> Answer {
        match self.options.behaviour.start.id {
            IdForm::BlobUploadUuid => answer.header("blob-upload-uuid", id),
            IdForm::PatchSuffix => answer.header("docker-upload-uuid", format_args!("{id}.patch")),
            IdForm::Uuid | IdForm::Short | IdForm::Base36 | IdForm::Base64 => answer.header("docker-upload-uuid", id),
        }
    }

    fn range(&self, answer: Answer, end: u64) -> Answer {
        match (end.checked_sub(1), self.options.behaviour.chunks.empty_range) {
            (Some(last), _) => answer.header(RANGE, format_args!("0-{last}")),
            // The spec has no form for an empty upload. Most registries send `0-0`.
            (None, EmptyRange::Zero) => answer.header(RANGE, "0-0"),
            (None, EmptyRange::MinusOne) => answer.header(RANGE, "0--1"),
            (None, EmptyRange::Absent) => answer,
        }
    }

    fn chunk_lengths(&self, mut answer: Answer) -> Answer {
        let start = &self.options.behaviour.start;
        if let Some(min) = start.chunk_min.filter(|min| min.announced) {
            answer = answer.header("oci-chunk-min-length", min.bytes);
        }
        match start.chunk_max {
            Some(max) => answer.header("oci-chunk-max-length", max),
            None => answer,
        }
    }
}
