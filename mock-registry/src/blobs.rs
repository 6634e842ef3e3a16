//! Blobs: reading them, whole or in ranges, and deleting them.

use std::ops::Range;

use http::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};
use http::{Method, StatusCode};
use longshore_core::{Digest, Repository};

use crate::answer::{Answer, Body, Row};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::{Asked, sought_digest};
use crate::storage::Record;

impl Registry {
    /// `end-2`.
    pub(crate) fn blob(&self, asked: &Asked, repository: &Repository, digest: &str) -> Result<Answer, Refusal> {
        let digest = sought_digest(digest, Code::BlobUnknown)?;
        let size = self.state.blob(repository, &digest, self.now).ok_or_else(|| unknown(&digest))?.size;
        let wanted =
            asked.header(RANGE.as_str()).filter(|_| asked.method == Method::GET).and_then(|range| ranges(range, size));
        let (status, range) = match wanted {
            None => (StatusCode::OK, 0..size),
            Some(Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
            Some(None) => {
                let message = format!("the blob has {size} bytes");
                return Err(Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, Code::SizeInvalid, message)
                    .header(CONTENT_RANGE, format!("bytes */{size}")));
            }
        };
        let mut answer =
            Answer::new(Row::End2, status).header("docker-content-digest", digest).header(ACCEPT_RANGES, "bytes");
        if status == StatusCode::PARTIAL_CONTENT {
            answer = answer.header(CONTENT_RANGE, format_args!("bytes {}-{}/{size}", range.start, range.end - 1));
        }
        Ok(answer.body("application/octet-stream", Body::Blob { digest, range }))
    }

    /// `end-10`.
    pub(crate) fn delete_blob(&mut self, repository: &Repository, digest: &str) -> Result<Answer, Refusal> {
        let digest = sought_digest(digest, Code::BlobUnknown)?;
        let size = self.state.blob(repository, &digest, self.now).ok_or_else(|| unknown(&digest))?.size;
        self.storage.erase(&Record::Blob { repository: repository.clone(), digest, size })?;
        self.state.contents(repository).blobs.remove(&digest);
        self.sweep(&digest);
        Ok(Answer::new(Row::End10, StatusCode::ACCEPTED))
    }

    /// Removes the bytes of a blob that no repository has any more.
    pub(crate) fn sweep(&mut self, digest: &Digest) {
        if !self.state.repositories.values().any(|contents| contents.blobs.contains_key(digest)) {
            self.storage.remove(digest);
        }
    }
}

fn unknown(digest: &Digest) -> Refusal {
    Refusal::not_found(Code::BlobUnknown, "the repository has no such blob")
        .detail(serde_json::json!({ "digest": digest.to_string() }))
}

/// What a `Range` header asks of a body of this size (RFC 9110, section 14): nothing that we serve, so the whole; or
/// bytes that there are; or bytes that there are not.
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
