//! The form of records in files.

use bytes::Bytes;
use longshore_core::{Algorithm, Digest};
use serde::{Deserialize, Serialize};

use crate::storage::Record;

/// A record without the content that has a file of its own.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Line {
    Blob {
        repository: String,
        digest: Digest,
        size: u64,
    },
    #[serde(rename_all = "camelCase")]
    Manifest {
        repository: String,
        digest: Digest,
        media_type: String,
    },
    Tag {
        repository: String,
        tag: String,
        digest: Digest,
    },
}

impl Line {
    pub(super) fn of(record: &Record) -> Self {
        match record {
            Record::Blob { repository, digest, size } => {
                Self::Blob { repository: repository.to_string(), digest: *digest, size: *size }
            }
            Record::Manifest { repository, digest, content: (media_type, _) } => Self::Manifest {
                repository: repository.to_string(),
                digest: *digest,
                media_type: media_type.to_string(),
            },
            Record::Tag { repository, tag, digest } => {
                Self::Tag { repository: repository.to_string(), tag: tag.to_string(), digest: *digest }
            }
        }
    }

    /// The record, with the content of a manifest; `None` if a name in it is invalid.
    pub(super) fn into_record(self, content: Bytes) -> Option<Record> {
        Some(match self {
            Self::Blob { repository, digest, size } => {
                Record::Blob { repository: repository.parse().ok()?, digest, size }
            }
            Self::Manifest { repository, digest, media_type } => Record::Manifest {
                repository: repository.parse().ok()?,
                digest,
                content: (media_type.parse().ok()?, content),
            },
            Self::Tag { repository, tag, digest } => {
                Record::Tag { repository: repository.parse().ok()?, tag: tag.parse().ok()?, digest }
            }
        })
    }
}

/// The name of a record's file: the hash of its key.
pub(super) fn name(record: &Record) -> String {
    let key = match record {
        Record::Blob { repository, digest, .. } => format!("blob {repository} {digest}"),
        Record::Manifest { repository, digest, .. } => format!("manifest {repository} {digest}"),
        Record::Tag { repository, tag, .. } => format!("tag {repository} {tag}"),
    };
    Digest::of(Algorithm::Sha256, key.as_bytes()).hex()
}
