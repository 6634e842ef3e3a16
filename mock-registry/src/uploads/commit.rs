//! Closing an upload, which makes a blob of it.

use http::StatusCode;
use http::header::{CONTENT_LENGTH, LOCATION};
use longshore_core::{Digest, Digester, Repository};

use super::writing::Writing;
use super::{gone, length_required};
use crate::answer::Answer;
use crate::behaviour::{BlobLocation, SinglePost};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use crate::state::{Upload, UploadId};
use crate::storage::StorageError;
use longshore_core::Row;

/// The number of bytes that are read at once to be hashed again.
const PIECE: usize = 1 << 20;

impl Registry {
    /// Checks whether a `PUT` may close an upload.
    pub(super) fn check_end(&self, request: &ParsedRequest, upload: &Upload) -> Result<(), Refusal> {
        let commit = &self.options.behaviour.commit;
        if commit.needs_content_length && request.content_length().is_none() {
            return Err(length_required());
        }
        if let Some(given) = commit.monolithic_refused.filter(|_| upload.step == 0 && request.has_body()) {
            return Err(Refusal::new(status(given), Code::BlobUnknown, "send the blob with PATCH"));
        }
        if commit.empty_put_fails && upload.step > 0 && !request.has_body() {
            return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, ""));
        }
        Ok(())
    }

    /// Closes an upload that has all its bytes.
    pub(super) fn finish_blob(&mut self, writing: &Writing, digest: &Digest) -> Result<Answer, Refusal> {
        let upload = self.state.uploads.get(&writing.id).ok_or_else(gone)?;
        let (repository, old_location) = (upload.repository.clone(), self.upload_location(&writing.id, upload));
        let behaviour = &self.options.behaviour;
        let (given, single_post) = (status(behaviour.commit.status), behaviour.start.single_post);
        match self.commit(&repository, &writing.id, digest) {
            Err((refusal, true)) => {
                self.undo(writing);
                return Err(refusal);
            }
            Err((refusal, false)) => {
                self.drop_upload(&writing.id);
                return Err(refusal);
            }
            Ok(()) => self.drop_upload(&writing.id),
        }
        if writing.row == Some(Row::PostBlob) && single_post == SinglePost::UploadLocation {
            return Ok(Answer::new(writing.row, StatusCode::CREATED)
                .header(LOCATION, old_location)
                .header(CONTENT_LENGTH, 0));
        }
        let mut answer = self.created(writing.row, &repository, digest);
        if self.options.behaviour.commit.location == BlobLocation::Upload {
            answer.headers.remove(LOCATION);
            answer = answer.header(LOCATION, old_location);
        }
        if writing.row == Some(Row::CloseUpload) {
            answer.status = given;
        }
        Ok(if answer.status == StatusCode::NO_CONTENT { answer } else { answer.header(CONTENT_LENGTH, 0) })
    }

    /// Makes an upload the blob of this digest, if the digest matches. A refusal comes with whether the upload is put
    /// back to its state before the request.
    fn commit(&mut self, repository: &Repository, id: &UploadId, digest: &Digest) -> Result<(), (Refusal, bool)> {
        let behaviour = &self.options.behaviour.commit;
        let upload = self.state.uploads.get(id).ok_or_else(|| (gone(), false))?;
        let size = upload.digester.len();
        if let Some(given) = behaviour.empty_blob_refused.filter(|_| size == 0) {
            return Err((Refusal::new(status(given), Code::Unknown, ""), false));
        }
        if behaviour.lost_above.is_some_and(|most| size > most) {
            return Err((gone(), false));
        }
        let is_whole = upload.step == 0;
        let unlooked = behaviour.unverified || (behaviour.whole_unverified && is_whole) || upload.dropped > 0;
        if !unlooked {
            let (same, digester) = (upload.algorithm == digest.algorithm(), upload.digester.clone());
            let computed = if same { Ok(digester.finish()) } else { self.hash_again(id, digest) };
            let computed = computed.map_err(|error| (error.into(), false))?;
            if computed != *digest {
                return Err(self.mismatch(digest, &computed));
            }
        }
        self.storage.keep(id, digest).map_err(|error| (error.into(), false))?;
        self.link(repository, digest, size).map_err(|refusal| {
            self.sweep(digest);
            (refusal, false)
        })
    }

    fn mismatch(&self, digest: &Digest, computed: &Digest) -> (Refusal, bool) {
        let behaviour = &self.options.behaviour.commit;
        let message = "the digest is not that of the bytes that came";
        let detail = serde_json::json!({ "digest": digest.to_string(), "computed": computed.to_string() });
        let refusal = Refusal::new(status(behaviour.mismatch), behaviour.mismatch_code.clone(), message);
        (refusal.detail(detail), behaviour.mismatch_keeps_upload)
    }

    /// Hashes an upload again, because its `PUT` names another algorithm than the one with which it was started.
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
}
