//! A manifest while it is received, and references to manifests.

use bytes::BytesMut;
use longshore_core::{Digest, Repository, Row, Tag};
use serde_json::json;

use crate::refusal::{Code, Refusal};
use crate::request::{digest, sought_digest};
use crate::state::Contents;

/// A manifest while it is received.
#[derive(Debug)]
pub(crate) struct Receiving {
    pub(crate) row: Option<Row>,
    pub(super) repository: Repository,
    pub(super) named: Named,
    /// Tags from the query.
    pub(super) tags: Vec<Tag>,
    pub(super) content_type: Option<String>,
    pub(super) conditions: Conditions,
    pub(super) bytes: BytesMut,
}

/// The reference of a manifest in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Tag(Tag),
    Digest(Digest),
}

impl Named {
    /// Reads a reference. A reference with a colon is a digest.
    pub(super) fn of(reference: &str) -> Result<Self, Refusal> {
        if reference.contains(':') {
            return Ok(Self::Digest(digest(reference)?));
        }
        let tag = reference
            .parse()
            .map_err(|error| Refusal::bad_request(Code::ManifestInvalid, format!("the manifest's name: {error}")))?;
        Ok(Self::Tag(tag))
    }

    /// Reads the reference of a manifest that a client requests.
    pub(super) fn sought(reference: &str) -> Result<Self, Refusal> {
        if reference.contains(':') {
            sought_digest(reference, Code::ManifestUnknown).map(Self::Digest)
        } else {
            reference.parse().map(Self::Tag).map_err(|_| unknown(reference))
        }
    }

    pub(super) fn find(&self, contents: &Contents) -> Option<Digest> {
        match self {
            Self::Tag(tag) => contents.tags.get(tag).copied(),
            Self::Digest(digest) => contents.manifests.contains_key(digest).then_some(*digest),
        }
    }
}

/// The headers that make a `PUT` conditional.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    pub(super) if_match: Option<String>,
    pub(super) if_none_match: Option<String>,
}

/// The refusal of a request for a manifest that does not exist.
pub(super) fn unknown(reference: &str) -> Refusal {
    Refusal::not_found(Code::ManifestUnknown, "the repository has no such manifest")
        .detail(json!({ "reference": reference }))
}
