//! Uploads: starting, their state and cancelling.

mod chunk;
mod commit;
mod headers;
mod write;
pub(crate) mod writing;

use http::StatusCode;
use http::header::{CONTENT_LENGTH, LOCATION};
use longshore_core::{Algorithm, Digester, Repository};

use crate::answer::{Answer, Body};
use crate::behaviour::{Creation, IdForm, SinglePost};
use crate::progress::Step;
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::{ParsedRequest, digest, unknown_repository};
use crate::state::{Upload, UploadId};
use longshore_core::Row;

impl Registry {
    /// `end-4a`, `end-4b` and `end-4c`.
    pub(crate) fn start_upload(&mut self, request: &ParsedRequest, repository: &Repository) -> Result<Step, Refusal> {
        let behaviour = &self.options.behaviour;
        let single_post = behaviour.start.single_post;
        if behaviour.start.needs_content_length && request.content_length().is_none() {
            return Err(length_required());
        }
        if request.query.first("from").is_some() && behaviour.mount.from_alone != 202 {
            let given = status(behaviour.mount.from_alone);
            return Err(Refusal::new(given, Code::Unsupported, "from comes with mount").page("", ""));
        }
        self.check_creation(repository)?;
        let algorithm = match request.query.first("digest-algorithm") {
            None | Some("sha256") => Algorithm::Sha256,
            Some("sha512") => Algorithm::Sha512,
            Some(_) => {
                return Err(Refusal::bad_request(Code::DigestInvalid, "only sha256 and sha512 are computed here"));
            }
        };
        match request.query.first("digest").filter(|_| single_post != SinglePost::Ignored) {
            None => Ok(Step::Answer(self.new_upload(request.row, repository, algorithm)?)),
            Some(given) => {
                let digest = digest(given)?;
                if single_post == SinglePost::Strict {
                    check_strict(request)?;
                }
                let id = self.add_upload(repository, digest.algorithm())?;
                self.single_post(request, &id, digest)
            }
        }
    }

    /// Checks whether a push to this repository may begin. The repository may not exist yet.
    pub(crate) fn check_creation(&self, repository: &Repository) -> Result<(), Refusal> {
        let known = self.state.repositories.contains_key(repository);
        match self.options.behaviour.start.creation {
            Creation::Refused if !known => Err(unknown_repository(repository)),
            Creation::ConnectionClosed if !known => Err(unknown_repository(repository).unanswered()),
            _ => Ok(()),
        }
    }

    /// Answers with 202 and a new upload.
    pub(crate) fn new_upload(
        &mut self,
        row: impl Into<Option<Row>>,
        repository: &Repository,
        algorithm: Algorithm,
    ) -> Result<Answer, Refusal> {
        let id = self.add_upload(repository, algorithm)?;
        let start = &self.options.behaviour.start;
        let mut answer = self.opened(Answer::new(row, StatusCode::ACCEPTED), &id);
        if start.location_missing {
            answer.headers.remove(LOCATION);
        }
        if start.json_body {
            answer = answer.header("content-range", "0-0");
            return Ok(answer.body("application/json", Body::Bytes("{}".into())));
        }
        Ok(answer.header(CONTENT_LENGTH, 0))
    }

    fn add_upload(&mut self, repository: &Repository, algorithm: Algorithm) -> Result<UploadId, Refusal> {
        self.check_room(repository)?;
        if self.state.uploads.len() >= self.options.limits.uploads {
            let most = self.options.limits.uploads;
            let message = format!("{most} uploads are open, which is the limit (--max-uploads): finish or cancel some");
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests, message));
        }
        let id = match self.options.behaviour.start.id {
            IdForm::Base64 => self.random.hex()[..22].to_owned(),
            IdForm::Base36 => format!("0{}", &self.random.hex()[..24]),
            IdForm::Uuid | IdForm::BlobUploadUuid | IdForm::PatchSuffix => self.random.uuid(),
            IdForm::Short => self.random.hex()[..12].to_owned(),
        };
        let upload = Upload {
            repository: repository.clone(),
            algorithm,
            digester: Digester::new(algorithm),
            dropped: 0,
            step: 0,
            first_end: 0,
            short: false,
            touched: self.now,
            busy: false,
            queued: self.now,
        };
        let id = UploadId::from(&*id);
        self.state.open_upload(id.clone(), upload);
        Ok(id)
    }

    /// `end-13`.
    pub(crate) fn upload_status(
        &mut self,
        request: &ParsedRequest,
        repository: &Repository,
        id: &UploadId,
    ) -> Result<Answer, Refusal> {
        let now = self.now;
        self.upload(repository, id)?.touched = now;
        self.check_state(request, id)?;
        let given = status(self.options.behaviour.status.status);
        if !given.is_success() {
            return Err(gone().with_status(given.as_u16()));
        }
        Ok(self.state_of(Answer::new(Row::CheckUpload, given), id))
    }

    /// `end-14`.
    pub(crate) fn cancel_upload(&mut self, repository: &Repository, id: &UploadId) -> Result<Answer, Refusal> {
        self.upload(repository, id)?;
        let done = crate::blobs::deletion(self.options.behaviour.status.cancel)?;
        self.drop_upload(id);
        Ok(Answer::new(Row::CancelUpload, done))
    }

    /// Finds an open upload of this repository.
    pub(crate) fn upload(&mut self, repository: &Repository, id: &UploadId) -> Result<&mut Upload, Refusal> {
        let upload = self.state.uploads.get_mut(id).filter(|upload| upload.repository == *repository);
        upload.ok_or_else(gone)
    }

    pub(crate) fn drop_upload(&mut self, id: &UploadId) {
        self.state.forget_upload(id);
        self.storage.discard(id);
    }
}

/// The checks that zot makes of a `POST` with a whole blob.
fn check_strict(request: &ParsedRequest) -> Result<(), Refusal> {
    if request.content_type() != Some("application/octet-stream") {
        let message = "a blob is sent as application/octet-stream";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Unsupported, message));
    }
    if request.content_length().is_none() {
        return Err(Refusal::bad_request(Code::BlobUploadInvalid, "send Content-Length"));
    }
    Ok(())
}

/// The refusal of a front end that requires `Content-Length`.
fn length_required() -> Refusal {
    Refusal::new(StatusCode::LENGTH_REQUIRED, Code::SizeInvalid, "send Content-Length")
        .page("text/html; charset=UTF-8", "<!DOCTYPE html><title>Error 411 (Length Required)!!1</title>")
}

pub(crate) fn gone() -> Refusal {
    Refusal::not_found(Code::BlobUploadUnknown, "there is no such upload: begin again with POST")
}
