//! Serves blobs, whole or in ranges, and deletes them.

use std::ops::Range;

use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE,
};
use http::{Method, StatusCode};
use longshore_core::{Algorithm, Digest, Repository};

use crate::answer::{Answer, Body};
use crate::behaviour::DigestHeader;
use crate::changes::changed;
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::{ParsedRequest, sought_digest};
use crate::storage::Record;
use longshore_core::Row;

impl Registry {
    /// `end-2`. If a fault hides blobs, there is none.
    pub(crate) fn blob(
        &self,
        request: &ParsedRequest,
        repository: &Repository,
        digest: &str,
        blobs_hidden: bool,
    ) -> Result<Answer, Refusal> {
        let read = &self.options.behaviour.read;
        let digest = sought_digest(digest, Code::BlobUnknown)?;
        let there = self.state.blob(repository, &digest, self.now).filter(|_| !blobs_hidden);
        let Some(size) = there.map(|blob| blob.size) else {
            let given = if request.method == Method::HEAD { read.missing_blob } else { 404 };
            return Err(unknown(&digest).with_status(given));
        };
        let redirected = read.blob_redirect && (request.method == Method::GET || read.blob_head_redirect);
        if redirected && self.options.storage.is_some() && !request.at_storage {
            let location = self.at_storage(format!("/v2/{repository}/blobs/{digest}"));
            let redirect = Answer::new(request.row, StatusCode::TEMPORARY_REDIRECT);
            return Ok(redirect.header(LOCATION, location).header(CONTENT_LENGTH, 0));
        }
        let is_ranged = request.method == Method::GET && read.ranges && self.is_unchanged(request, &digest);
        let range = request.header(RANGE.as_str()).filter(|_| is_ranged);
        let (status, range) = match range.and_then(|range| ranges(range, size)) {
            None => (StatusCode::OK, 0..size),
            Some(Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
            Some(None) => {
                let message = format!("the blob has {size} bytes");
                return Err(Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, Code::SizeInvalid, message)
                    .header(CONTENT_RANGE, format!("bytes */{size}")));
            }
        };
        let mut answer = named(Answer::new(request.row, status), &digest, read.blob_digest);
        if read.ranges {
            answer = answer.header(ACCEPT_RANGES, "bytes");
        }
        if status == StatusCode::PARTIAL_CONTENT {
            answer = answer.header(CONTENT_RANGE, format_args!("bytes {}-{}/{size}", range.start, range.end - 1));
        }
        answer = answer.body("application/octet-stream", Body::Blob { digest, range });
        if request.method == Method::HEAD && read.blob_head_length_zero {
            answer.headers.insert(CONTENT_LENGTH, 0.into());
        }
        if !read.blob_content_type {
            answer.headers.remove(CONTENT_TYPE);
        }
        Ok(answer)
    }

    /// Whether `If-Range`, if there is one, has the validator that this blob is sent with; otherwise `Range` is ignored
    /// (RFC 9110, section 13.1.5). Only a profile sends blobs with one.
    fn is_unchanged(&self, request: &ParsedRequest, digest: &Digest) -> bool {
        let behaviour = &self.options.behaviour;
        request.headers.get(IF_RANGE).is_none_or(|condition| {
            let whole = named(Answer::new(request.row, StatusCode::OK), digest, behaviour.read.blob_digest);
            let sent = changed(whole, &request.method, &behaviour.answers);
            // A weak validator matches nothing here.
            let is_weak = condition.as_bytes().starts_with(b"W/");
            !is_weak && [ETAG, LAST_MODIFIED].iter().any(|name| sent.headers.get(name) == Some(condition))
        })
    }

    /// `end-10`.
    pub(crate) fn delete_blob(&mut self, repository: &Repository, digest: &str) -> Result<Answer, Refusal> {
        let done = deletion(self.options.behaviour.listing.delete_blob)?;
        let digest = sought_digest(digest, Code::BlobUnknown)?;
        let size = self.state.blob(repository, &digest, self.now).ok_or_else(|| unknown(&digest))?.size;
        self.storage.erase(&Record::Blob { repository: repository.clone(), digest, size })?;
        self.state.contents(repository).blobs.remove(&digest);
        self.sweep(&digest);
        Ok(Answer::new(Row::DeleteBlob, done))
    }

    /// Removes the bytes of a blob from the storage if no repository has it any more.
    pub(crate) fn sweep(&mut self, digest: &Digest) {
        if !self.state.repositories.values().any(|contents| contents.blobs.contains_key(digest)) {
            self.storage.remove(digest);
        }
    }
}

/// Sets `Docker-Content-Digest`, as the behaviour says.
pub(crate) fn named(answer: Answer, digest: &Digest, header: DigestHeader) -> Answer {
    match header {
        DigestHeader::Sent => answer.header("docker-content-digest", digest),
        DigestHeader::Absent => answer,
        DigestHeader::Wrong => {
            let other = Digest::of(Algorithm::Sha256, digest.to_string().as_bytes());
            answer.header("docker-content-digest", other)
        }
    }
}

/// The status of a deletion, or its refusal.
pub(crate) fn deletion(given: u16) -> Result<StatusCode, Refusal> {
    let status = status(given);
    if status.is_success() {
        Ok(status)
    } else {
        Err(Refusal::new(status, Code::Unsupported, "this cannot be deleted here"))
    }
}

fn unknown(digest: &Digest) -> Refusal {
    Refusal::not_found(Code::BlobUnknown, "the repository has no such blob")
        .detail(serde_json::json!({ "digest": digest.to_string() }))
}

/// Interprets `Range` for a body of this size (RFC 9110, section 14): a form that is not supported, so that the whole
/// body is sent; existing bytes; or bytes that do not exist.
fn ranges(header: &str, size: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().unwrap_or(u64::MAX));
    match (first, last) {
        ("", "") => None,
        ("", suffix) => {
            let suffix = number(suffix)?.min(size);
            Some((suffix > 0).then(|| size - suffix..size))
        }
        (first, last) => {
            let first = number(first)?;
            let end = if last.is_empty() { size } else { number(last)?.saturating_add(1).min(size) };
            Some((first < end).then_some(first..end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_rfc_9110() {
        let table = [
            ("bytes=0-0", Some(Some(0..1))),
            ("bytes=2-5", Some(Some(2..6))),
            ("bytes=8-100", Some(Some(8..10))),
            ("bytes=3-", Some(Some(3..10))),
            ("bytes=-4", Some(Some(6..10))),
            ("bytes=-400", Some(Some(0..10))),
            ("bytes=-0", Some(None)),
            ("bytes=10-", Some(None)),
            ("bytes=5-0", Some(None)),
            ("bytes=18446744073709551615-18446744073709551616", Some(None)),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
            ("items=0-1", None),
        ];
        for (header, range) in table {
            assert_eq!(ranges(header, 10), range, "{header}");
        }
        assert_eq!(ranges("bytes=0-", 0), Some(None));
    }
}
