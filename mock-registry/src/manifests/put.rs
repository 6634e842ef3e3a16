//! Storing a manifest.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, ETAG, LOCATION};
use longshore_core::{Algorithm, Digest, Repository, Tag};
use serde_json::json;

use super::document::{Reading, read};
use super::{Named, etag, matches};
use crate::answer::{Answer, Row};
use crate::refusal::{Code, Refusal};
use crate::registry::{BodyEnd, Receiver, Registry, Step};
use crate::request::Asked;
use crate::storage::{Record, StorageError};

/// A manifest on its way in.
#[derive(Debug)]
pub(crate) struct Receiving {
    pub(crate) row: Row,
    repository: Repository,
    named: Named,
    tags: Vec<Tag>,
    content_type: Option<String>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    bytes: BytesMut,
}

impl Registry {
    /// `end-7a` and `end-7b`.
    pub(crate) fn put_manifest(
        &mut self,
        asked: &Asked,
        repository: &Repository,
        reference: &str,
    ) -> Result<Step, Refusal> {
        let named = Named::of(reference)?;
        if asked.content_length().is_some_and(|len| len > self.options.limits.manifest as u64) {
            return Err(self.too_large());
        }
        self.check_room(repository)?;
        let tags = match named {
            Named::Tag(_) => Ok(Vec::new()),
            Named::Digest(_) => asked.query.all("tag").map(str::parse).collect(),
        };
        let tags = tags.map_err(|error: longshore_core::TagError| {
            Refusal::bad_request(Code::ManifestInvalid, format!("a tag in the query: {error}"))
        })?;
        let text = |name| asked.header(name).map(str::to_owned);
        Ok(Step::Receive(Receiver::Manifest(Receiving {
            row: asked.row,
            repository: repository.clone(),
            named,
            tags,
            content_type: asked.content_type().map(str::to_owned),
            if_match: text("if-match"),
            if_none_match: text("if-none-match"),
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

    pub(crate) fn finish_manifest(&mut self, receiving: Receiving, how: BodyEnd) -> Result<Answer, Refusal> {
        if how == BodyEnd::Cut {
            return Err(Refusal::bad_request(Code::ManifestInvalid, "the body ended before its end"));
        }
        let bytes = receiving.bytes.freeze();
        let (digest, mut tags) = match receiving.named {
            Named::Digest(digest) if !digest.matches(&bytes) => {
                return Err(Refusal::bad_request(Code::DigestInvalid, "the digest is not that of the manifest"));
            }
            Named::Digest(digest) => (digest, Vec::new()),
            Named::Tag(ref tag) => (Digest::of(Algorithm::Sha256, &bytes), vec![tag.clone()]),
        };
        let (repository, named) = (&receiving.repository, &receiving.named);
        self.check_conditions(repository, named, receiving.if_match.as_deref(), receiving.if_none_match.as_deref())?;
        let reading = read(receiving.content_type.as_deref(), bytes)?;
        self.check_references(repository, &reading)?;
        let subject = reading.stored.subject.clone();
        tags.extend(receiving.tags.iter().cloned());
        self.store(repository, digest, reading, &tags)?;

        let mut answer = Answer::new(receiving.row, StatusCode::CREATED)
            .header(LOCATION, format_args!("/v2/{repository}/manifests/{digest}"))
            .header("docker-content-digest", digest)
            .header(ETAG, etag(&digest))
            .header(CONTENT_LENGTH, 0);
        if let Some(subject) = subject {
            answer = answer.header("oci-subject", subject);
        }
        Ok(receiving.tags.iter().fold(answer, |answer, tag| answer.header("oci-tag", tag)))
    }

    /// `If-Match` and `If-None-Match` (RFC 9110, section 13.1) against what stands under the name now.
    fn check_conditions(
        &self,
        repository: &Repository,
        named: &Named,
        if_match: Option<&str>,
        if_none_match: Option<&str>,
    ) -> Result<(), Refusal> {
        let current = self.state.repositories.get(repository).and_then(|contents| named.find(contents));
        let current = current.as_ref().map(etag);
        let fails = if_match.is_some_and(|condition| !matches(condition, current.as_deref()))
            || if_none_match.is_some_and(|condition| matches(condition, current.as_deref()));
        if fails {
            let message = "something else stands under this name: read it, and try again";
            return Err(Refusal::new(StatusCode::PRECONDITION_FAILED, Code::ManifestInvalid, message));
        }
        Ok(())
    }

    /// All blobs and manifests that a manifest refers to must be in its repository. Its subject need not.
    fn check_references(&self, repository: &Repository, reading: &Reading) -> Result<(), Refusal> {
        let has_manifest = |digest: &&Digest| {
            self.state.repositories.get(repository).is_some_and(|contents| contents.manifests.contains_key(*digest))
        };
        let blobs = reading.stored.blobs.iter().filter(|blob| self.state.blob(repository, blob, self.now).is_none());
        let manifests = reading.manifests.iter().filter(|digest| !has_manifest(digest));
        let message = "the manifest refers to content that the repository does not have";
        let refusal = blobs.chain(manifests).fold(None, |refusal: Option<Refusal>, missing| {
            let refusal = match refusal {
                None => Refusal::bad_request(Code::ManifestBlobUnknown, message),
                Some(refusal) => refusal.and(Code::ManifestBlobUnknown, message),
            };
            Some(refusal.detail(json!({ "digest": missing.to_string() })))
        });
        refusal.map_or(Ok(()), Err)
    }

    fn store(
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
        let contents = self.state.contents(repository);
        contents.manifests.insert(digest, reading.stored);
        contents.tags.extend(tags.iter().map(|tag| (tag.clone(), digest)));
        Ok(())
    }

    /// Takes records back, as well as a storage that fails lets us: what stands in the state is what was there before.
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

    fn check_manifest_room(
        &self,
        repository: &Repository,
        digest: &Digest,
        reading: &Reading,
        tags: &[Tag],
    ) -> Result<(), Refusal> {
        let limits = &self.options.limits;
        let all = self.state.repositories.values().flat_map(|contents| contents.manifests.values());
        let bytes: u64 = all.map(|stored| stored.bytes.len() as u64).sum();
        let contents = self.state.repositories.get(repository);
        let known = contents.is_some_and(|contents| contents.manifests.contains_key(digest));
        let manifests = contents.map_or(0, |contents| contents.manifests.len());
        let names = contents.map_or(0, |contents| contents.tags.len());
        let full = (!known && manifests >= limits.manifests)
            || bytes + reading.stored.bytes.len() as u64 > limits.manifest_bytes
            || names + tags.len() > limits.tags;
        if full { Err(StorageError::Full.into()) } else { Ok(()) }
    }

    fn too_large(&self) -> Refusal {
        let message = format!("a manifest has at most {} bytes", self.options.limits.manifest);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::ManifestInvalid, message)
    }
}
