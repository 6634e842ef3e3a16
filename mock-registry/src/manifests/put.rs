//! Storing a manifest.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, ETAG, LOCATION};
use longshore_core::{Algorithm, Digest, Repository, Tag, TagError};

use super::document::{Reading, read};
use super::receiving::{Conditions, Named, Receiving};
use crate::answer::{Answer, Body};
use crate::behaviour::{Echo, ManifestLocation};
use crate::blobs::named;
use crate::judge::JudgedRequest;
use crate::progress::{BodyEnd, Receiver, Step};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use crate::storage::Record;
use longshore_core::Row;

/// The number of tags that the query of one request may name.
const TAGS: usize = 50;

impl Registry {
    /// `end-7a` and `end-7b`.
    pub(crate) fn put_manifest(
        &mut self,
        request: &ParsedRequest,
        repository: &Repository,
        reference: &str,
    ) -> Result<Step, Refusal> {
        let behaviour = &self.options.behaviour.manifests;
        let named = Named::of(reference).map_err(|refusal| {
            self.bad_reference(reference, refusal, Some(behaviour.bad_reference).filter(|given| *given != 400))
        })?;
        if request.content_length().is_some_and(|len| len > self.options.limits.manifest as u64) {
            return Err(self.too_large());
        }
        self.check_creation(repository)?;
        self.check_room(repository)?;
        let mut tags: Result<Vec<Tag>, TagError> = match named {
            Named::Digest(_) if behaviour.tag_parameters => request.query.all("tag").map(str::parse).collect(),
            _ => Ok(Vec::new()),
        };
        if let Ok(tags) = &mut tags {
            // The answer has a header for each tag, and clients limit the number of headers that they accept.
            let mut seen = BTreeSet::new();
            tags.retain(|tag| seen.insert(tag.clone()));
            if tags.len() > TAGS {
                let message = format!("a manifest is put under at most {TAGS} tags at once");
                return Err(Refusal::new(StatusCode::URI_TOO_LONG, Code::ManifestInvalid, message));
            }
        }
        let tags =
            tags.map_err(|error| Refusal::bad_request(Code::ManifestInvalid, format!("a tag in the query: {error}")))?;
        let text = |name| request.header(name).map(str::to_owned);
        Ok(Step::Receive(Receiver::Manifest(Receiving {
            row: request.row,
            repository: repository.clone(),
            named,
            tags,
            content_type: request.content_type().map(str::to_owned),
            conditions: Conditions { if_match: text("if-match"), if_none_match: text("if-none-match") },
            bytes: BytesMut::new(),
        })))
    }

    pub(crate) fn take_manifest(&self, receiving: &mut Receiving, bytes: &Bytes) -> Result<(), Refusal> {
        if receiving.bytes.len() + bytes.len() > self.options.limits.manifest {
            return Err(self.too_large());
        }
        receiving.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn finish_manifest(
        &mut self,
        receiving: Receiving,
        how: BodyEnd,
        blobs_hidden: bool,
        judged: &mut JudgedRequest,
    ) -> Result<Answer, Refusal> {
        if how == BodyEnd::Cut {
            return Err(Refusal::bad_request(Code::ManifestInvalid, "the body broke off"));
        }
        let bytes = receiving.bytes.freeze();
        let (repository, named_as) = (&receiving.repository, &receiving.named);
        let (digest, mut tags) = match named_as {
            Named::Digest(digest) => (*digest, Vec::new()),
            Named::Tag(tag) => (Digest::of(Algorithm::Sha256, &bytes), vec![tag.clone()]),
        };
        if !self.options.behaviour.manifests.unverified && !digest.matches(&bytes) {
            return Err(Refusal::bad_request(Code::DigestInvalid, "the digest is not that of the manifest"));
        }
        tags.extend(receiving.tags.iter().cloned());
        self.check_conditions(repository, named_as, &receiving.conditions)?;
        self.judge_content_type(judged, receiving.content_type.as_deref(), &bytes);
        let mut reading =
            read(receiving.content_type.as_deref(), bytes.clone(), self.options.behaviour.manifests.unknown_type)?;
        reading.stored.stored = self.now;
        judged.digest = Some(digest);
        judged.subject.clone_from(&reading.stored.subject);
        self.judge_manifest(judged, repository, &reading.stored, &reading.manifests, &tags);
        self.check_accepted_types(&reading)?;
        self.check_references(repository, &reading, blobs_hidden)?;
        self.check_tags(repository, &digest, &reading, &tags)?;
        self.check_duplicate(repository, &digest, &tags)?;
        let subject = reading.stored.subject.clone();
        self.store(repository, digest, reading, &tags)?;

        let answer = self.stored(receiving.row, repository, named_as, &digest, bytes);
        let answer = match subject.filter(|_| self.tells_subject()) {
            Some(subject) => answer.header("oci-subject", subject),
            None => answer,
        };
        Ok(receiving.tags.iter().fold(answer, |answer, tag| answer.header("oci-tag", tag)))
    }

    /// The answer to a manifest that was stored.
    fn stored(
        &self,
        row: Option<Row>,
        repository: &Repository,
        named_as: &Named,
        digest: &Digest,
        bytes: Bytes,
    ) -> Answer {
        let behaviour = &self.options.behaviour.manifests;
        let mut answer = named(Answer::new(row, status(behaviour.status)), digest, behaviour.digest);
        let path = match (behaviour.location, named_as) {
            (ManifestLocation::Reference | ManifestLocation::PrivateHost, Named::Tag(tag)) => {
                Some(format!("/v2/{repository}/manifests/{tag}"))
            }
            (ManifestLocation::Digest | ManifestLocation::Reference | ManifestLocation::PrivateHost, _) => {
                Some(format!("/v2/{repository}/manifests/{digest}"))
            }
            (ManifestLocation::Upload, _) => Some(format!("/v2/{repository}/blobs/uploads/{digest}")),
            (ManifestLocation::OtherHost | ManifestLocation::Absent, _) => None,
        };
        answer = match (path, behaviour.location) {
            (Some(path), ManifestLocation::PrivateHost) => {
                answer.header(LOCATION, format_args!("http://10.0.0.7:80{path}"))
            }
            (Some(path), _) => answer.header(LOCATION, self.located_here(path)),
            (None, ManifestLocation::OtherHost) => {
                answer.header(LOCATION, format_args!("https://storage.invalid/{}", digest.hex()))
            }
            (None, _) => answer,
        };
        if let Some(etag) = self.etag(digest).filter(|_| behaviour.etag_when_stored) {
            answer = answer.header(ETAG, etag);
        }
        match behaviour.echo {
            Echo::Manifest => answer.body("application/json", Body::Bytes(bytes)),
            Echo::Text => answer.body("text/html; charset=utf-8", Body::Bytes("OK".into())),
            Echo::Nothing if answer.status == StatusCode::NO_CONTENT => answer,
            Echo::Nothing => answer.header(CONTENT_LENGTH, 0),
        }
    }

    /// Stores a manifest and the tags that name it.
    pub(crate) fn store(
        &mut self,
        repository: &Repository,
        digest: Digest,
        reading: Reading,
        tags: &[Tag],
    ) -> Result<(), Refusal> {
        self.check_manifest_room(repository, &digest, &reading, tags)?;
        let content = (reading.stored.media_type.clone(), reading.stored.bytes.clone());
        let mut records = vec![Record::Manifest { repository: repository.clone(), digest, content }];
        records.extend(tags.iter().map(|tag| Record::Tag { repository: repository.clone(), tag: tag.clone(), digest }));
        for (written, record) in records.iter().enumerate() {
            if let Err(error) = self.storage.record(record) {
                self.unwrite(&records[..written]);
                return Err(error.into());
            }
        }
        self.untagged_check = None;
        self.state.store_manifest(repository, digest, reading.stored);
        self.state.contents(repository).tags.extend(tags.iter().map(|tag| (tag.clone(), digest)));
        Ok(())
    }

    /// Undoes records, as far as the failing storage allows. The state still has the entries from before.
    fn unwrite(&mut self, records: &[Record]) {
        for record in records {
            let before = match record {
                Record::Manifest { repository, digest, .. } => {
                    let contents = self.state.repositories.get(repository);
                    contents.is_some_and(|contents| contents.manifests.contains_key(digest)).then(|| record.clone())
                }
                Record::Tag { repository, tag, .. } => {
                    let contents = self.state.repositories.get(repository);
                    let digest = contents.and_then(|contents| contents.tags.get(tag)).copied();
                    digest.map(|digest| Record::Tag { repository: repository.clone(), tag: tag.clone(), digest })
                }
                Record::Blob { .. } => Some(record.clone()),
            };
            drop(match before {
                Some(before) => self.storage.record(&before),
                None => self.storage.erase(record),
            });
        }
    }

    fn too_large(&self) -> Refusal {
        let message = format!("a manifest has at most {} bytes", self.options.limits.manifest);
        let given = status(self.options.behaviour.manifests.over_limit);
        Refusal::new(given, Code::ManifestInvalid, message)
    }
}
