//! Mounts of blobs from other repositories.

use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_LENGTH, LOCATION};
use longshore_core::{Algorithm, Digest, Repository};

use crate::answer::Answer;
use crate::behaviour::{BlobLocation, MountPolicy, WithoutFrom};
use crate::blobs::named;
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::{ParsedRequest, digest};
use crate::storage::Record;
use longshore_core::Row;

/// Where a blob is looked for.
enum Source<'a> {
    In(&'a Repository),
    Anywhere,
    Nowhere,
}

impl Registry {
    /// `end-11`: 201 if the blob is found, otherwise, as the spec requires, 202 with an upload.
    pub(crate) fn mount(&mut self, request: &ParsedRequest, repository: &Repository) -> Result<Answer, Refusal> {
        let mounting = self.options.behaviour.mount.clone();
        self.check_creation(repository)?;
        let digest = digest(request.query.first("mount").unwrap_or_default())?;
        if mounting.refuses_origin && request.query.first("origin").is_some() {
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, "the source is not known here"));
        }
        let from: Option<Repository> = match request.query.first("from") {
            None => None,
            Some(name) => Some(
                name.parse()
                    .map_err(|_| Refusal::bad_request(Code::NameInvalid, "from is not the name of a repository"))?,
            ),
        };
        let source = match (&from, mounting.policy, mounting.without_from) {
            (_, MountPolicy::Refused(given), _) | (None, _, WithoutFrom::Refused(given)) => {
                return Err(Refusal::new(status(given), Code::Unsupported, "such a mount is not supported here"));
            }
            (_, MountPolicy::Never, _) | (None, _, WithoutFrom::Upload) => Source::Nowhere,
            (Some(_), MountPolicy::AnyRepository, _) | (None, _, WithoutFrom::Anywhere) => Source::Anywhere,
            (None, _, WithoutFrom::Target) => Source::In(repository),
            (Some(from), MountPolicy::Source | MountPolicy::Referenced, _) => Source::In(from),
        };
        match self.mountable(request, &digest, &source, mounting.policy == MountPolicy::Referenced) {
            Some(size) => {
                self.link(repository, &digest, size)?;
                Ok(self.created(Row::MountBlob, repository, &digest).header(CONTENT_LENGTH, 0))
            }
            None if mounting.policy != MountPolicy::Never => {
                let unreadable = from.as_ref().is_some_and(|from| !request.caller.may_read(from));
                let knows = |from| self.state.repositories.contains_key(from);
                let absent = unreadable || from.as_ref().is_some_and(|from| !knows(from));
                let project_absent =
                    unreadable || from.as_ref().is_some_and(|from| !self.has_project(from, repository));
                let of_project = mounting.absent_project.filter(|_| project_absent);
                let of_source = mounting.absent_source.filter(|_| absent);
                match of_project.or(of_source).unwrap_or(mounting.missing) {
                    202 => self.new_upload(Row::MountBlob, repository, Algorithm::Sha256),
                    _ if from.is_none() => self.new_upload(Row::MountBlob, repository, Algorithm::Sha256),
                    401 => Err(Refusal::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, "there is no such source")),
                    given if absent => Err(Refusal::new(status(given), Code::NameUnknown, "there is no such source")),
                    given => Err(Refusal::new(status(given), Code::BlobUnknown, "the source has no such blob")),
                }
            }
            None => self.new_upload(Row::MountBlob, repository, Algorithm::Sha256),
        }
    }

    /// Whether the project of a source exists: the first part of its name is that of a repository, or of the target.
    fn has_project(&self, from: &Repository, target: &Repository) -> bool {
        let project = |repository: &Repository| repository.as_str().split('/').next().map(str::to_owned);
        std::iter::once(target).chain(self.state.repositories.keys()).any(|known| project(known) == project(from))
    }

    /// The size of a blob, if it may be mounted from this repository.
    fn mountable(
        &self,
        request: &ParsedRequest,
        digest: &Digest,
        source: &Source<'_>,
        referenced: bool,
    ) -> Option<u64> {
        let has = |from: &Repository| {
            let blob = self.state.blob(from, digest, self.now)?;
            let contents = self.state.repositories.get(from)?;
            let named = !referenced || contents.manifests.values().any(|manifest| manifest.blobs.contains(digest));
            (named && request.caller.may_read(from)).then_some(blob.size)
        };
        match source {
            Source::In(from) => has(from),
            Source::Anywhere => self.state.repositories.keys().find_map(has),
            Source::Nowhere => None,
        }
    }

    /// Adds a blob whose bytes are stored to a repository.
    pub(crate) fn link(&mut self, repository: &Repository, digest: &Digest, size: u64) -> Result<(), Refusal> {
        self.check_room(repository)?;
        let visible_from = self.now + Duration::from_micros(self.options.behaviour.commit.visible_after);
        let known = self.state.repositories.get(repository).map_or(0, |contents| contents.blobs.len());
        if known >= self.options.limits.blobs {
            return Err(Refusal::limit("blobs in a repository", self.options.limits.blobs, "--max-blobs"));
        }
        self.storage.record(&Record::Blob { repository: repository.clone(), digest: *digest, size })?;
        let blobs = &mut self.state.contents(repository).blobs;
        blobs.entry(*digest).or_insert(crate::state::Blob { size, visible_from });
        Ok(())
    }

    /// The answer 201 for a blob that is now in the repository.
    pub(crate) fn created(&self, row: impl Into<Option<Row>>, repository: &Repository, digest: &Digest) -> Answer {
        let commit = &self.options.behaviour.commit;
        let answer = named(Answer::new(row, StatusCode::CREATED), digest, commit.digest);
        match commit.location {
            BlobLocation::Blob => {
                answer.header(LOCATION, self.located_here(format!("/v2/{repository}/blobs/{digest}")))
            }
            BlobLocation::Upload => answer.header(LOCATION, format_args!("/v2/{repository}/blobs/uploads/{digest}")),
            BlobLocation::Absent => answer,
        }
    }
}
