//! The headers of the distribution protocol, and the bodies of its errors. Each is read in one place, with its limits.
//!
//! A header that is absent, too long or malformed counts as absent whenever the protocol can continue without it, and
//! forms that are known quirks are accepted. Nothing in this module panics, or allocates by a number that a peer sent.
//!
//! ```
//! use http::HeaderMap;
//! use longshore_core::header::{RangeHint, RetryAfter, warnings};
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("retry-after", "30".parse()?);
//! headers.insert("range", "0-1023".parse()?);
//! headers.insert("warning", r#"299 - "This image is deprecated.""#.parse()?);
//! assert_eq!(RetryAfter::read(&headers), RetryAfter::Delay(std::time::Duration::from_secs(30)));
//! assert_eq!(RangeHint::read(&headers), RangeHint::Through(1023));
//! assert_eq!(warnings(&headers), ["This image is deprecated."]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chunk_length;
mod content_digest;
mod content_range;
mod error_body;
mod etag;
mod filters;
mod link;
mod location;
mod range;
mod retry_after;
mod subject;
mod tags;
mod text;
mod upload;
mod warning;
mod www_authenticate;

pub use chunk_length::{CHUNK_MAX_LENGTH, CHUNK_MIN_LENGTH, chunk_max_length, chunk_min_length};
pub use content_digest::{CONTENT_DIGEST, ReportedDigest, reported_digest};
pub use content_range::{ChunkRange, PartRange};
pub use error_body::{ErrorBody, ErrorEntry};
pub use etag::ETag;
pub use filters::{FILTERS_APPLIED, filters_applied};
pub use link::{LinkError, next_link};
pub use location::{LocationError, location};
pub use range::RangeHint;
pub use retry_after::RetryAfter;
pub use subject::{SUBJECT, subject};
pub use tags::{TAG, accepted_tags};
pub use upload::{OpenUpload, UploadProgress};
pub use warning::warnings;
pub use www_authenticate::challenges;
