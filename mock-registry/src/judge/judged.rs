//! A request, as the judge stores it until it is answered.

use http::Method;
use http::header::CONTENT_RANGE;
use longshore_core::{Digest, Repository, Row};

use crate::request::ParsedRequest;
use crate::route::Route;
use crate::state::UploadId;

/// The parts of a request that the judge needs when it is answered.
#[derive(Debug, Clone)]
pub(crate) struct JudgedRequest {
    pub(crate) number: u64,
    pub(crate) row: Option<Row>,
    pub(crate) method: Method,
    pub(crate) repository: Option<Repository>,
    pub(super) upload: Option<UploadId>,
    /// The first byte of the chunk in the body, from its `Content-Range`.
    pub(super) first: Option<u64>,
    /// The digest of the content of the request: a blob, or, after it was read, a manifest.
    pub(crate) digest: Option<Digest>,
    /// The subject of the manifest in the body.
    pub(crate) subject: Option<String>,
}

impl JudgedRequest {
    pub(crate) fn of(number: u64, request: &ParsedRequest) -> Self {
        let (repository, named, upload) = match &request.route {
            Route::Blob(repository, digest) | Route::Manifest(repository, digest) => {
                (Some(repository), Some(digest.as_str()), None)
            }
            Route::Upload(repository, id) => (Some(repository), request.query.first("digest"), Some(id)),
            Route::Uploads(repository) => {
                (Some(repository), request.query.first("digest").or(request.query.first("mount")), None)
            }
            Route::Tags(repository) | Route::Referrers(repository, _) => (Some(repository), None, None),
            Route::Base | Route::Catalog | Route::Part | Route::Token | Route::Bare(_) => (None, None, None),
        };
        Self {
            number,
            row: request.row,
            method: request.method.clone(),
            repository: repository.cloned(),
            upload: upload.cloned(),
            first: request
                .headers
                .get(CONTENT_RANGE)
                .and_then(|range| numbers(range.to_str().ok()?))
                .map(|(first, _)| first),
            digest: named.and_then(|named| named.parse().ok()),
            subject: None,
        }
    }
}

/// The first and the last byte of a chunk, both inclusive, from its `Content-Range`.
pub(super) fn numbers(range: &str) -> Option<(u64, u64)> {
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    };
    Some((number(first)?, number(last)?))
}
