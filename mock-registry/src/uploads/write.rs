//! Bytes going into an upload, and the upload becoming a blob.

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use longshore_core::{Digest, Digester, Repository};

use super::chunk::Chunk;
use super::gone;
use crate::answer::{Answer, Row};
use crate::refusal::{Code, Refusal};
use crate::registry::{BodyEnd, Receiver, Registry, Step};
use crate::request::{Asked, digest};
use crate::state::UploadId;
use crate::storage::StorageError;

/// A request that writes to an upload.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) row: Row,
    id: UploadId,
    /// The upload as it was before.
    before: Digester,
    /// How many bytes a `Content-Range` announced.
    announced: Option<u64>,
    /// What the upload becomes at the end of the body, if it ends with it.
    becomes: Option<Digest>,
}

/// How many bytes are read at once to be hashed again.
const PIECE: usize = 1 << 20;

impl Registry {
    /// `end-5` and `end-6`.
    pub(crate) fn write_upload(
        &mut self,
        asked: &Asked,
        repository: &Repository,
        id: &UploadId,
    ) -> Result<Step, Refusal> {
        let now = self.now;
        let upload = self.upload(repository, id)?;
        upload.touched = now;
        let (busy, len, empty) = (upload.busy, upload.len(), upload.is_empty());
        if busy {
            let message = "another request is writing to this upload";
            return Err(Refusal::new(StatusCode::CONFLICT, Code::BlobUploadInvalid, message));
        }
        let becomes = match asked.row {
            Row::End6 => Some(match asked.query.first("digest") {
                Some(given) => digest(given)?,
                None => return Err(Refusal::bad_request(Code::DigestInvalid, "the query lacks digest=")),
            }),
            _ => None,
        };
        let chunk = Chunk::of(asked)?;
        if chunk.as_ref().is_some_and(|chunk| chunk.first != len) {
            return Err(self.out_of_order(repository, id, len));
        }
        if let Some(digest) = becomes.filter(|_| empty) {
            // Nothing is hashed yet: hash what comes as it will be called.
            let upload = self.upload(repository, id)?;
            upload.algorithm = digest.algorithm();
            upload.digester = Digester::new(digest.algorithm());
        }
        Ok(Step::Receive(self.begin_writing(asked, id, chunk, becomes)?))
    }

    /// A whole blob in one `POST`, into an upload that nobody is told of.
    pub(crate) fn single_post(&mut self, asked: &Asked, id: &UploadId, digest: Digest) -> Result<Step, Refusal> {
        let receiver = self.begin_writing(asked, id, None, Some(digest));
        if receiver.is_err() {
            self.drop_upload(id);
        }
        Ok(Step::Receive(receiver?))
    }

    fn begin_writing(
        &mut self,
        asked: &Asked,
        id: &UploadId,
        chunk: Option<Chunk>,
        becomes: Option<Digest>,
    ) -> Result<Receiver, Refusal> {
        let limit = self.options.limits.blob;
        let upload = self.state.uploads.get_mut(id).ok_or_else(gone)?;
        let coming = asked.content_length().unwrap_or_default();
        if upload.len().checked_add(coming).is_none_or(|len| len > limit) {
            return Err(too_large(limit));
        }
        upload.busy = true;
        Ok(Receiver::Upload(Writing {
            row: asked.row,
            id: id.clone(),
            before: upload.digester.clone(),
            announced: chunk.map(|chunk| chunk.len),
            becomes,
        }))
    }

    pub(crate) fn take_upload(&mut self, writing: &Writing, bytes: &Bytes) -> Result<(), Refusal> {
        let limit = self.options.limits.blob;
        let upload = self.state.uploads.get_mut(&writing.id).ok_or_else(gone)?;
        let len = upload.len().saturating_add(bytes.len() as u64);
        let refusal = if len > limit {
            too_large(limit)
        } else if writing.announced.is_some_and(|announced| len - writing.before.len() > announced) {
            wrong_size()
        } else {
            match self.storage.append(&writing.id, bytes) {
                Ok(()) => {
                    upload.digester.update(bytes);
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
        let repository = upload.repository.clone();
        let received = upload.len() - writing.before.len();
        if how == BodyEnd::Cut {
            // What came stays, as the state of the upload says it; only a single POST leaves no upload behind.
            if writing.row == Row::End4b {
                self.drop_upload(&writing.id);
            }
            return Err(Refusal::bad_request(Code::BlobUploadInvalid, "the body ended before its end"));
        }
        if writing.announced.is_some_and(|announced| announced != received) {
            self.undo(writing);
            return Err(wrong_size());
        }
        match writing.becomes {
            None => {
                let answer = Answer::new(writing.row, StatusCode::ACCEPTED).header(CONTENT_LENGTH, 0);
                Ok(self.at(answer, &repository, &writing.id))
            }
            Some(digest) => {
                let done = self.commit(&repository, &writing.id, &digest);
                // After a refusal too: what is in the upload is not that blob, and no way leads back.
                self.drop_upload(&writing.id);
                done?;
                Ok(self.created(writing.row, &repository, &digest))
            }
        }
    }

    /// Makes an upload the blob of this digest, if it is that.
    fn commit(&mut self, repository: &Repository, id: &UploadId, digest: &Digest) -> Result<(), Refusal> {
        let upload = self.state.uploads.get(id).ok_or_else(gone)?;
        let (algorithm, digester) = (upload.algorithm, upload.digester.clone());
        let size = digester.len();
        let computed = if algorithm == digest.algorithm() { digester.finish() } else { self.hash_again(id, digest)? };
        if computed != *digest {
            let message = "the digest is not that of the bytes that came";
            let detail = serde_json::json!({ "digest": digest.to_string(), "computed": computed.to_string() });
            return Err(Refusal::bad_request(Code::DigestInvalid, message).detail(detail));
        }
        self.storage.keep(id, digest)?;
        self.link(repository, digest, size).inspect_err(|_| self.sweep(digest))
    }

    /// Hashes an upload once more, because its `PUT` named another algorithm than it was begun with.
    fn hash_again(&mut self, id: &UploadId, digest: &Digest) -> Result<Digest, StorageError> {
        let mut digester = Digester::new(digest.algorithm());
        loop {
            let piece = self.storage.uploaded(id, digester.len(), PIECE)?;
            if piece.is_empty() {
                return Ok(digester.finish());
            }
            digester.update(&piece);
        }
    }

    /// Puts an upload back as it was before a request, and ends the request.
    fn undo(&mut self, writing: &Writing) {
        let restored = self.storage.truncate(&writing.id, writing.before.len());
        if restored.is_err() || writing.row == Row::End4b {
            self.drop_upload(&writing.id);
        } else if let Some(upload) = self.state.uploads.get_mut(&writing.id) {
            upload.digester = writing.before.clone();
            upload.busy = false;
        }
    }

    /// 416, with all that a client needs to go on.
    fn out_of_order(&self, repository: &Repository, id: &UploadId, len: u64) -> Refusal {
        let message = format!("the next chunk begins at byte {len}");
        let at = self.at(Answer::new(Row::End5, StatusCode::RANGE_NOT_SATISFIABLE), repository, id);
        let refusal = Refusal::new(at.status, Code::BlobUploadInvalid, message);
        at.headers
            .iter()
            .fold(refusal, |refusal, (name, value)| refusal.header(name, String::from_utf8_lossy(value.as_bytes())))
    }
}

fn too_large(limit: u64) -> Refusal {
    let message = format!("a blob has at most {limit} bytes here");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::SizeInvalid, message)
}

fn wrong_size() -> Refusal {
    Refusal::bad_request(Code::SizeInvalid, "the body has not the length that Content-Range says")
}
