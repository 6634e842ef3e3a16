//! Interprets the refusal of a manifest.

use http::StatusCode;

use crate::Manifest;
use crate::endpoint::Refused;

/// What a refusal of a PUT says about the tag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Conflict {
    /// Nothing.
    None,
    /// The tag cannot be moved.
    Immutable,
    /// Another writer interfered.
    Writers,
    /// 409 without a reason: one of these two.
    Either,
}

impl Conflict {
    pub(super) fn of(refused: &Refused) -> Self {
        let says = |text: &str| {
            let messages = refused.errors.errors.iter().filter_map(|entry| entry.message.as_deref());
            messages.map(str::to_ascii_lowercase).any(|message| message.contains(text))
        };
        if says_immutable(refused) {
            Self::Immutable
        } else if refused.status != StatusCode::CONFLICT {
            Self::None
        } else if refused.errors.has_code("CONFLICT")
            || ["retry", "try again", "concurrent", "another", "in progress", "locked"].into_iter().any(says)
        {
            Self::Writers
        } else {
            Self::Either
        }
    }
}

/// Whether a refusal says that a blob or a child manifest is missing (quirk `missing-blob-status-zoo`).
pub(super) fn says_missing(refused: &Refused, manifest: &Manifest) -> bool {
    let says = |code| refused.errors.has_code(code);
    if says("MANIFEST_BLOB_UNKNOWN") || says("BLOB_UNKNOWN") {
        // The code counts, whatever the status: some registries answer 422.
        return refused.status.is_client_error();
    }
    if !matches!(refused.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) {
        return false;
    }
    // Quay only says that the manifest is invalid. Some registries report a missing child as an unknown manifest.
    has_references(manifest)
        && (says("MANIFEST_INVALID") || refused.status == StatusCode::NOT_FOUND && says("MANIFEST_UNKNOWN"))
}

/// Whether a refusal gives no reason, so that a missing blob or child manifest may be it: a web page in the place of the
/// spec's error codes, for example.
pub(super) fn may_be_missing(refused: &Refused, manifest: &Manifest) -> bool {
    matches!(refused.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND)
        && refused.errors.errors.iter().all(|entry| entry.code.is_none())
        && has_references(manifest)
}

fn has_references(manifest: &Manifest) -> bool {
    manifest.blobs().next().is_some() || manifest.children().next().is_some()
}

/// Whether a refusal says that a tag cannot be moved (quirk `tag-immutable-status-zoo`). 403 and 409 have many reasons,
/// so their text must say it.
pub(super) fn says_immutable(refused: &Refused) -> bool {
    let says = |text: &str| text.to_ascii_lowercase().contains("immutable");
    refused.status == StatusCode::PRECONDITION_FAILED
        || refused.errors.errors.iter().filter_map(|entry| entry.message.as_deref()).any(says)
        || ["TAG_INVALID", "TAG_IMMUTABLE", "TAG_ALREADY_EXISTS"].iter().any(|code| refused.errors.has_code(code))
}

/// Whether `tag` parameters may be the reason for the refusal of a manifest. One reason that the spec names is a URL
/// that is too long.
pub(super) fn may_be_about_tags(status: StatusCode) -> bool {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE => false,
        StatusCode::NOT_IMPLEMENTED => true,
        other => other.is_client_error(),
    }
}
