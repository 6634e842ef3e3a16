//! Manifests: reading, storing and deleting them.

mod document;
mod put;

use http::StatusCode;
use http::header::ETAG;
use longshore_core::{Digest, Repository, Tag};
use serde_json::json;

use crate::answer::{Answer, Body, Row};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::{Asked, digest, sought_digest};
use crate::state::Contents;
use crate::storage::Record;

pub(crate) use document::restore;
pub(crate) use put::Receiving;

/// A manifest's name in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Tag(Tag),
    Digest(Digest),
}

impl Named {
    /// Reads a name; anything with a colon is meant as a digest.
    pub(crate) fn of(reference: &str) -> Result<Self, Refusal> {
        if reference.contains(':') {
            return Ok(Self::Digest(digest(reference)?));
        }
        let tag = reference
            .parse()
            .map_err(|error| Refusal::bad_request(Code::ManifestInvalid, format!("the manifest's name: {error}")))?;
        Ok(Self::Tag(tag))
    }

    pub(crate) fn find(&self, contents: &Contents) -> Option<Digest> {
        match self {
            Self::Tag(tag) => contents.tags.get(tag).copied(),
            Self::Digest(digest) => contents.manifests.contains_key(digest).then_some(*digest),
        }
    }
}

impl Registry {
    /// `end-3`.
    pub(crate) fn manifest(&self, asked: &Asked, repository: &Repository, reference: &str) -> Result<Answer, Refusal> {
        let named = sought(reference)?;
        let (digest, stored) =
            self.state.repositories.get(repository).ok_or_else(|| crate::tags::unknown(repository)).and_then(
                |contents| {
                    let digest = named.find(contents).ok_or_else(|| unknown(reference))?;
                    Ok((digest, contents.manifests.get(&digest).ok_or_else(|| unknown(reference))?))
                },
            )?;
        let etag = etag(&digest);
        let answer =
            |status| Answer::new(Row::End3, status).header("docker-content-digest", digest).header(ETAG, &etag);
        if asked.header("if-none-match").is_some_and(|condition| matches(condition, Some(&etag))) {
            return Ok(answer(StatusCode::NOT_MODIFIED));
        }
        Ok(answer(StatusCode::OK).body(stored.media_type.as_str(), Body::Bytes(stored.bytes.clone())))
    }

    /// `end-9`: a tag goes alone, a manifest goes with the tags that name it.
    pub(crate) fn delete_manifest(&mut self, repository: &Repository, reference: &str) -> Result<Answer, Refusal> {
        let named = sought(reference)?;
        let contents = self.state.repositories.get_mut(repository).ok_or_else(|| crate::tags::unknown(repository))?;
        let digest = named.find(contents).ok_or_else(|| unknown(reference))?;
        let tags: Vec<Tag> = match named {
            Named::Tag(tag) => vec![tag],
            Named::Digest(_) => {
                let named = contents.tags.iter().filter(|(_, of)| **of == digest);
                named.map(|(tag, _)| tag.clone()).collect()
            }
        };
        let whole = reference.contains(':');
        for tag in tags {
            self.storage.erase(&Record::Tag { repository: repository.clone(), tag: tag.clone(), digest })?;
            contents.tags.remove(&tag);
        }
        if let Some(stored) = contents.manifests.get(&digest).filter(|_| whole) {
            let content = (stored.media_type.clone(), stored.bytes.clone());
            self.storage.erase(&Record::Manifest { repository: repository.clone(), digest, content })?;
            contents.manifests.remove(&digest);
        }
        Ok(Answer::new(Row::End9, StatusCode::ACCEPTED))
    }
}

fn sought(reference: &str) -> Result<Named, Refusal> {
    if reference.contains(':') {
        sought_digest(reference, Code::ManifestUnknown).map(Named::Digest)
    } else {
        reference.parse().map(Named::Tag).map_err(|_| unknown(reference))
    }
}

fn unknown(reference: &str) -> Refusal {
    Refusal::not_found(Code::ManifestUnknown, "the repository has no such manifest")
        .detail(json!({ "reference": reference }))
}

/// The validator of a manifest: what it is called.
pub(crate) fn etag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// Whether a condition names this validator (RFC 9110, section 13.1). `*` matches whatever is there.
pub(crate) fn matches(condition: &str, etag: Option<&str>) -> bool {
    let Some(etag) = etag else { return false };
    condition.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}
