//! Writing bytes to an upload.

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, LOCATION};
use longshore_core::{Digest, Digester, Repository};

use super::gone;
use super::writing::{Admitted, Writing};
use crate::answer::Answer;
use crate::behaviour::{CutBody, MaxOf};
use crate::progress::{BodyEnd, Receiver, Step};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::{ParsedRequest, digest};
use crate::state::UploadId;
use longshore_core::Row;

impl Registry {
    /// `end-5` and `end-6`.
    pub(crate) fn write_upload(
        &mut self,
        request: &ParsedRequest,
        repository: &Repository,
        id: &UploadId,
    ) -> Result<Step, Refusal> {
        self.check_way(request)?;
        let now = self.now;
        let upload = self.upload(repository, id)?;
        upload.touched = now;
        if upload.busy {
            let message = "another request is writing to this upload";
            return Err(Refusal::new(StatusCode::CONFLICT, Code::BlobUploadInvalid, message));
        }
        self.check_state(request, id)?;
        let becomes = match (request.row, request.query.first("digest")) {
            (Some(Row::CloseUpload), Some(given)) => Some(digest(given)?),
            (Some(Row::CloseUpload), None) => {
                return Err(Refusal::bad_request(Code::DigestInvalid, "the query lacks digest="));
            }
            _ => None,
        };
        let upload = self.state.uploads.get(id).ok_or_else(gone)?;
        let admitted = self.admit(request, id, upload)?;
        if becomes.is_some() {
            self.check_end(request, upload)?;
        }
        if let Some(digest) = becomes {
            let upload = self.upload(repository, id)?;
            if upload.is_empty() {
                // Nothing is hashed yet, so hash with the algorithm of the digest.
                upload.algorithm = digest.algorithm();
                upload.digester = Digester::new(digest.algorithm());
            }
        }
        Ok(Step::Receive(self.begin_writing(request, id, admitted, becomes)?))
    }

    /// Checks what a proxy would check: its redirect and the limit of requests at the same time.
    fn check_way(&self, request: &ParsedRequest) -> Result<(), Refusal> {
        let chunks = &self.options.behaviour.chunks;
        if let Some(given) = chunks.redirected.filter(|_| request.query.first("via") != Some("proxy")) {
            let separator = if request.path_and_query.contains('?') { '&' } else { '?' };
            let elsewhere = format!("{}{separator}via=proxy", request.path_and_query);
            let page = "<!DOCTYPE html><title>Moved</title>";
            let refusal = Refusal::new(status(given), Code::Unknown, "").page("text/html", page);
            return Err(refusal.header(LOCATION, elsewhere));
        }
        let writing = || self.state.uploads.values().filter(|upload| upload.busy).count();
        if chunks.at_once.is_some_and(|most| writing() >= most) {
            return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, "").unanswered());
        }
        Ok(())
    }

    /// Stores a whole blob from one `POST`, in an upload that has no URL for clients.
    pub(super) fn single_post(
        &mut self,
        request: &ParsedRequest,
        id: &UploadId,
        digest: Digest,
    ) -> Result<Step, Refusal> {
        let admitted = Admitted { announced: None, skip: 0, streamed: true };
        let receiver = self.check_way(request).and_then(|()| self.begin_writing(request, id, admitted, Some(digest)));
        if receiver.is_err() {
            self.drop_upload(id);
        }
        Ok(Step::Receive(receiver?))
    }

    fn begin_writing(
        &mut self,
        request: &ParsedRequest,
        id: &UploadId,
        admitted: Admitted,
        becomes: Option<Digest>,
    ) -> Result<Receiver, Refusal> {
        let limit = self.options.limits.blob;
        let upload = self.state.uploads.get_mut(id).ok_or_else(gone)?;
        let coming = request.content_length().unwrap_or_default();
        if upload.len().checked_add(coming).is_none_or(|len| len > limit) {
            return Err(too_large(limit));
        }
        if self.options.behaviour.commit.last_chunk_only && request.row == Some(Row::SendChunk) && upload.step > 0 {
            self.storage.truncate(id, 0)?;
            upload.dropped = upload.len();
            upload.digester = Digester::new(upload.algorithm);
        }
        upload.busy = true;
        let before = upload.digester.clone();
        Ok(Receiver::Upload(Writing { row: request.row, id: id.clone(), before, admitted, received: 0, becomes }))
    }

    pub(crate) fn take_upload(&mut self, writing: &mut Writing, bytes: &Bytes) -> Result<(), Refusal> {
        let limit = self.options.limits.blob;
        let max = self.options.behaviour.chunks.max.filter(|max| max.of == MaxOf::AllBodies);
        let upload = self.state.uploads.get_mut(&writing.id).ok_or_else(gone)?;
        let new = bytes.len() as u64;
        let dropped = writing.admitted.skip.saturating_sub(writing.received).min(new);
        writing.received = writing.received.saturating_add(new);
        let received = writing.received;
        let refusal = if upload.len().saturating_add(new) > limit {
            too_large(limit)
        } else if writing.admitted.announced.is_some_and(|announced| received > announced) {
            wrong_size()
        } else if let Some(max) = max.filter(|max| received > max.bytes) {
            Refusal::new(status(max.status), Code::SizeInvalid, format!("a body has at most {} bytes", max.bytes))
        } else {
            let fresh = bytes.slice(usize::try_from(dropped).unwrap_or(bytes.len())..);
            match self.storage.append(&writing.id, &fresh) {
                Ok(()) => {
                    upload.digester.update(&fresh);
                    return Ok(());
                }
                Err(error) => error.into(),
            }
        };
        self.undo(writing);
        Err(refusal)
    }

    pub(crate) fn finish_upload(&mut self, writing: &Writing, how: BodyEnd) -> Result<Answer, Refusal> {
        let now = self.now;
        let upload = self.state.uploads.get_mut(&writing.id).ok_or_else(gone)?;
        upload.touched = now;
        upload.busy = false;
        if how == BodyEnd::Cut {
            match self.options.behaviour.chunks.cut {
                // Only a single POST must not leave an upload.
                CutBody::Kept if writing.row != Some(Row::PostBlob) => {}
                CutBody::Dropped => self.undo(writing),
                CutBody::Kept | CutBody::Gone => self.drop_upload(&writing.id),
            }
            return Err(Refusal::bad_request(Code::BlobUploadInvalid, "the body broke off"));
        }
        if writing.admitted.announced.is_some_and(|announced| announced != writing.received) {
            self.undo(writing);
            return Err(wrong_size());
        }
        match writing.becomes {
            Some(digest) => self.finish_blob(writing, &digest),
            None => Ok(self.finish_chunk(writing)),
        }
    }

    fn finish_chunk(&mut self, writing: &Writing) -> Answer {
        let behaviour = &self.options.behaviour;
        if let Some(upload) = self.state.uploads.get_mut(&writing.id) {
            upload.step += 1;
            if upload.step == 1 {
                upload.first_end = upload.len();
            }
            upload.short = behaviour.start.chunk_min.is_some_and(|min| writing.received < min.bytes);
        }
        let answer = Answer::new(writing.row, status(behaviour.chunks.status));
        let answer = if answer.status == StatusCode::NO_CONTENT { answer } else { answer.header(CONTENT_LENGTH, 0) };
        self.grown(answer, &writing.id, writing.received, writing.admitted.streamed)
    }

    /// Puts an upload back to its state before a request, and ends the request.
    pub(super) fn undo(&mut self, writing: &Writing) {
        let restored = self.storage.truncate(&writing.id, writing.before.len());
        if restored.is_err() || writing.row == Some(Row::PostBlob) {
            self.drop_upload(&writing.id);
        } else if let Some(upload) = self.state.uploads.get_mut(&writing.id) {
            upload.digester = writing.before.clone();
            upload.busy = false;
        }
    }
}

fn too_large(limit: u64) -> Refusal {
    let message = format!("a blob has at most {limit} bytes here");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::SizeInvalid, message)
}

fn wrong_size() -> Refusal {
    Refusal::bad_request(Code::SizeInvalid, "the body has not the length that Content-Range says")
}
