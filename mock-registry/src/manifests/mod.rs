//! Manifests: reading, storing and deleting them.

mod check;
mod document;
mod put;
pub(crate) mod receiving;

use std::collections::BTreeSet;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_LENGTH, ETAG};
use http::{Method, StatusCode};
use longshore_core::{Algorithm, Digest, MediaType, Repository, Tag};

use receiving::{Named, unknown};

use crate::answer::{Answer, Body};
use crate::behaviour::{BadDigest, EtagForm};
use crate::blobs::{deletion, named};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::{ParsedRequest, unknown_repository};
use longshore_core::Row;

use crate::storage::Record;

pub(crate) use document::{read, restore};

impl Registry {
    /// `end-3`.
    pub(crate) fn manifest(
        &self,
        request: &ParsedRequest,
        repository: &Repository,
        reference: &str,
    ) -> Result<Answer, Refusal> {
        let read = &self.options.behaviour.read;
        let is_head = request.method == Method::HEAD;
        if is_head && !read.manifest_head {
            return Err(self.method_refused(request));
        }
        let named_as = Named::sought(reference)
            .map_err(|refusal| self.bad_reference(reference, refusal, read.bad_reference_as_text.then_some(404)))?;
        let missing = |refusal: Refusal| if is_head { refusal.with_status(read.missing_manifest) } else { refusal };
        let contents = self.state.repositories.get(repository);
        let contents = contents.ok_or_else(|| match read.missing_repository.filter(|_| is_head) {
            Some(given) => unknown_repository(repository).with_status(given),
            None => missing(unknown_repository(repository)),
        })?;
        let found = named_as.find(contents).and_then(|digest| Some((digest, contents.manifests.get(&digest)?)));
        let (digest, stored) = found.ok_or_else(|| missing(unknown(reference)))?;
        if read.accept_filters && !accepts(request, &stored.media_type) {
            return Err(unknown(reference));
        }
        let etag = self.etag(&digest);
        let mut answer = named(Answer::new(request.row, StatusCode::OK), &digest, read.manifest_digest);
        if let Some(etag) = &etag {
            answer = answer.header(ETAG, etag);
        }
        if request.header("if-none-match").is_some_and(|condition| matches(condition, etag.as_deref())) {
            answer.status = StatusCode::NOT_MODIFIED;
            return Ok(answer);
        }
        answer = answer.body(stored.media_type.as_str(), Body::Bytes(stored.bytes.clone()));
        if is_head && read.manifest_head_length_differs {
            answer.headers.insert(CONTENT_LENGTH, (stored.bytes.len() + 1).into());
        }
        Ok(answer)
    }

    /// `end-9`: deletes a tag alone, or a manifest with all tags that name it.
    pub(crate) fn delete_manifest(&mut self, repository: &Repository, reference: &str) -> Result<Answer, Refusal> {
        let listing = &self.options.behaviour.listing;
        let mut done = deletion(listing.delete_manifest)?;
        let named = Named::sought(reference)?;
        if matches!(named, Named::Tag(_)) {
            done = deletion(listing.delete_tag)?;
        }
        let contents = self.state.repositories.get_mut(repository).ok_or_else(|| unknown_repository(repository))?;
        let digest = named.find(contents).ok_or_else(|| unknown(reference))?;
        let tags: Vec<Tag> = match &named {
            Named::Tag(tag) => vec![tag.clone()],
            Named::Digest(_) => {
                let named = contents.tags.iter().filter(|(_, of)| **of == digest);
                named.map(|(tag, _)| tag.clone()).collect()
            }
        };
        for tag in tags {
            self.storage.erase(&Record::Tag { repository: repository.clone(), tag: tag.clone(), digest })?;
            contents.tags.remove(&tag);
        }
        self.untagged_check = None;
        let whole = matches!(named, Named::Digest(_));
        if let Some(stored) = contents.manifests.get(&digest).filter(|_| whole) {
            let content = (stored.media_type.clone(), stored.bytes.clone());
            self.storage.erase(&Record::Manifest { repository: repository.clone(), digest, content })?;
            self.state.remove_manifest(repository, &digest);
        }
        Ok(Answer::new(Row::DeleteManifest, done))
    }

    /// Deletes manifests that no tag names after their lifetime (`push-by-digest-temporary`).
    pub(crate) fn expire_untagged(&mut self) {
        let Some(micros) = self.options.behaviour.manifests.untagged_lifetime else { return };
        if self.untagged_check.is_some_and(|check| self.now < check) {
            return;
        }
        let lifetime = Duration::from_micros(micros);
        // The next moment at which a lifetime ends, unless a tag or a manifest changes.
        let mut next = self.now.after(lifetime);
        let mut over = Vec::new();
        for (repository, contents) in &self.state.repositories {
            let listed: BTreeSet<Digest> =
                contents.manifests.values().flat_map(|stored| &stored.children).copied().collect();
            let tagged: BTreeSet<Digest> = contents.tags.values().copied().collect();
            for (digest, stored) in &contents.manifests {
                let kept = tagged.contains(digest) || listed.contains(digest) || stored.subject.is_some();
                let end = stored.stored.after(lifetime);
                if !kept && end <= self.now {
                    over.push((repository.clone(), *digest));
                } else if end > self.now {
                    next = next.min(end);
                }
            }
        }
        // A deleted manifest may have been the last one that listed another one.
        self.untagged_check = over.is_empty().then_some(next);
        for (repository, digest) in over {
            if let Some(stored) = self.state.remove_manifest(&repository, &digest) {
                let record = Record::Manifest { repository, digest, content: (stored.media_type, stored.bytes) };
                // A record that the storage cannot erase now is loaded after a restart and is then deleted again.
                drop(self.storage.erase(&record));
            }
        }
    }

    /// The refusal of a reference that is neither a tag nor a digest. With a status, it is an answer of the router.
    fn bad_reference(&self, reference: &str, refusal: Refusal, routed: Option<u16>) -> Refusal {
        match (self.options.behaviour.manifests.bad_digest, routed) {
            (BadDigest::Refused(given), _) if reference.contains(':') => {
                Refusal::new(status(given), Code::Unknown, "unknown error")
            }
            (_, Some(given)) => refusal.with_status(given).page("text/plain; charset=utf-8", "404 page not found\n"),
            (_, None) => refusal,
        }
    }

    /// The validator (`ETag`) of a manifest.
    fn etag(&self, digest: &Digest) -> Option<String> {
        match self.options.behaviour.manifests.etag {
            EtagForm::Digest => Some(format!("\"{digest}\"")),
            EtagForm::Unquoted => {
                Some(Digest::of(Algorithm::Sha256, digest.to_string().as_bytes()).hex()[..40].to_owned())
            }
            EtagForm::Absent => None,
        }
    }
}

/// Whether the `Accept` headers of a request name this type, or there are none.
fn accepts(request: &ParsedRequest, media_type: &MediaType) -> bool {
    let mut named = request.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    named.peek().is_none()
        || named.flat_map(|value| value.split(',')).any(|range| {
            let essence = range.split(';').next().unwrap_or_default().trim();
            essence == "*/*" || essence.parse().is_ok_and(|range: MediaType| range == *media_type)
        })
}

/// Whether a condition matches this validator (RFC 9110, section 13.1). `*` matches any existing manifest.
fn matches(condition: &str, etag: Option<&str>) -> bool {
    let Some(etag) = etag else { return false };
    condition.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}
