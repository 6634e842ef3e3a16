//! Mounting a blob from another repository.

use http::StatusCode;
use http::header::LOCATION;
use longshore_core::{Algorithm, Digest, Repository};

use crate::answer::{Answer, Row};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::{Asked, digest};
use crate::storage::Record;

impl Registry {
    /// `end-11`: 201 where the blob is found, otherwise 202 with an upload, as the spec wants it.
    pub(crate) fn mount(&mut self, asked: &Asked, repository: &Repository) -> Result<Answer, Refusal> {
        let digest = digest(asked.query.first("mount").unwrap_or_default())?;
        let from = match asked.query.first("from") {
            None => None,
            Some(name) => Some(
                name.parse()
                    .map_err(|_| Refusal::bad_request(Code::NameInvalid, "from is not the name of a repository"))?,
            ),
        };
        match self.mountable(&digest, from.as_ref()) {
            None => self.new_upload(Row::End11, repository, Algorithm::Sha256),
            Some(size) => {
                self.link(repository, &digest, size)?;
                Ok(self.created(Row::End11, repository, &digest))
            }
        }
    }

    /// The size of a blob that may be mounted from this repository, or from any where none is named.
    fn mountable(&self, digest: &Digest, from: Option<&Repository>) -> Option<u64> {
        let blob = match from {
            Some(from) => self.state.blob(from, digest, self.now),
            None => self.state.repositories.keys().find_map(|from| self.state.blob(from, digest, self.now)),
        };
        blob.map(|blob| blob.size)
    }

    /// Lets a repository have a blob whose bytes are stored.
    pub(crate) fn link(&mut self, repository: &Repository, digest: &Digest, size: u64) -> Result<(), Refusal> {
        self.check_room(repository)?;
        let visible_from = self.now;
        let known = self.state.repositories.get(repository).map_or(0, |contents| contents.blobs.len());
        if known >= self.options.limits.blobs {
            return Err(crate::storage::StorageError::Full.into());
        }
        self.storage.record(&Record::Blob { repository: repository.clone(), digest: *digest, size })?;
        let blobs = &mut self.state.contents(repository).blobs;
        blobs.entry(*digest).or_insert(crate::state::Blob { size, visible_from });
        Ok(())
    }

    /// 201 for a blob that is now in the repository.
    pub(crate) fn created(&self, row: Row, repository: &Repository, digest: &Digest) -> Answer {
        Answer::new(row, StatusCode::CREATED)
            .header(LOCATION, format_args!("/v2/{repository}/blobs/{digest}"))
            .header("docker-content-digest", digest)
            .header(http::header::CONTENT_LENGTH, 0)
    }
}
