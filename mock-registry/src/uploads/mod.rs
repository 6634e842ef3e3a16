//! Uploads: their beginning, their state and their end.

mod chunk;
mod write;

use http::StatusCode;
use http::header::{CONTENT_LENGTH, LOCATION, RANGE};
use longshore_core::{Algorithm, Digester, Repository};

use crate::answer::{Answer, Row};
use crate::refusal::{Code, Refusal};
use crate::registry::{Registry, Step};
use crate::request::{Asked, digest};
use crate::state::{Upload, UploadId};

pub(crate) use write::Writing;

impl Registry {
    /// `end-4a`, `end-4b` and `end-4c`.
    pub(crate) fn start_upload(&mut self, asked: &Asked, repository: &Repository) -> Result<Step, Refusal> {
        let algorithm = match asked.query.first("digest-algorithm") {
            None | Some("sha256") => Algorithm::Sha256,
            Some("sha512") => Algorithm::Sha512,
            Some(_) => {
                return Err(Refusal::bad_request(Code::DigestInvalid, "only sha256 and sha512 are computed here"));
            }
        };
        match asked.query.first("digest") {
            None => Ok(Step::Answer(self.new_upload(asked.row, repository, algorithm)?)),
            Some(given) => {
                let digest = digest(given)?;
                let id = self.add_upload(repository, digest.algorithm())?;
                self.single_post(asked, &id, digest)
            }
        }
    }

    /// 202 with a new upload.
    pub(crate) fn new_upload(
        &mut self,
        row: Row,
        repository: &Repository,
        algorithm: Algorithm,
    ) -> Result<Answer, Refusal> {
        let id = self.add_upload(repository, algorithm)?;
        Ok(self.at(Answer::new(row, StatusCode::ACCEPTED), repository, &id).header(CONTENT_LENGTH, 0))
    }

    fn add_upload(&mut self, repository: &Repository, algorithm: Algorithm) -> Result<UploadId, Refusal> {
        self.check_room(repository)?;
        if self.state.uploads.len() >= self.options.limits.uploads {
            let message = "too many uploads are open: finish or cancel some";
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests, message));
        }
        let id = UploadId::from(&*self.random.uuid());
        let upload = Upload {
            repository: repository.clone(),
            algorithm,
            digester: Digester::new(algorithm),
            touched: self.now,
            busy: false,
        };
        self.state.uploads.insert(id.clone(), upload);
        Ok(id)
    }

    /// `end-13`.
    pub(crate) fn upload_status(&mut self, repository: &Repository, id: &UploadId) -> Result<Answer, Refusal> {
        let now = self.now;
        self.upload(repository, id)?.touched = now;
        Ok(self.at(Answer::new(Row::End13, StatusCode::NO_CONTENT), repository, id))
    }

    /// `end-14`.
    pub(crate) fn cancel_upload(&mut self, repository: &Repository, id: &UploadId) -> Result<Answer, Refusal> {
        self.upload(repository, id)?;
        self.drop_upload(id);
        Ok(Answer::new(Row::End14, StatusCode::NO_CONTENT))
    }

    /// An open upload of this repository.
    pub(crate) fn upload(&mut self, repository: &Repository, id: &UploadId) -> Result<&mut Upload, Refusal> {
        let upload = self.state.uploads.get_mut(id).filter(|upload| upload.repository == *repository);
        upload.ok_or_else(gone)
    }

    pub(crate) fn drop_upload(&mut self, id: &UploadId) {
        self.state.uploads.remove(id);
        self.storage.discard(id);
    }

    /// Says where an upload is and how far.
    pub(crate) fn at(&self, answer: Answer, repository: &Repository, id: &UploadId) -> Answer {
        let len = self.state.uploads.get(id).map_or(0, Upload::len);
        // The last byte's offset. An empty upload has none; `0-0` is what registries say.
        answer
            .header(LOCATION, upload_location(repository, id))
            .header(RANGE, format_args!("0-{}", len.saturating_sub(1)))
            .header("docker-upload-uuid", id)
    }
}

pub(crate) fn upload_location(repository: &Repository, id: &UploadId) -> String {
    format!("/v2/{repository}/blobs/uploads/{id}")
}

pub(crate) fn gone() -> Refusal {
    Refusal::not_found(Code::BlobUploadUnknown, "there is no such upload: begin again with POST")
}
