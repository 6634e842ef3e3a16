//! Every endpoint of the spec as a value, one for each [`Row`], that builds the head of a request and parses the
//! answer.
//!
//! This layer can be used alone. It does not send, wait, authenticate, follow redirects or retry; the caller does. A
//! call is three lines: build, send, parse.
//!
//! ```
//! use bytes::Bytes;
//! use longshore_core::Reference;
//! use longshore_core::endpoint::{CancelUpload, Endpoint, StartUpload, UploadEnded};
//!
//! # fn send(request: &http::Request<()>) -> http::Response<Bytes> {
//! #     let answer = http::Response::builder();
//! #     let answer = match request.method().as_str() {
//! #         "POST" => answer.status(202).header("location", "/v2/you/app/blobs/uploads/1?_state=a%2Fb"),
//! #         _ => answer.status(204),
//! #     };
//! #     answer.body(Bytes::new()).unwrap()
//! # }
//! // Checks the permission to push: start an upload, then cancel it. `send` is any HTTP stack.
//! let reference: Reference = "registry.example/you/app".parse()?;
//! let origin = reference.registry.origin();
//!
//! let start = StartUpload { origin: &origin, repository: &reference.repository, algorithm: None };
//! let answer = send(&start.request()?);
//! let upload = start.parse(&start.target(), &answer)?;
//! assert_eq!(upload.target().path_and_query(), "/v2/you/app/blobs/uploads/1?_state=a%2Fb");
//!
//! let cancel = CancelUpload { upload: &upload };
//! let answer = send(&cancel.request()?);
//! assert_eq!(cancel.parse(&cancel.target(), &answer)?, UploadEnded::Cancelled);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! For all endpoints:
//!
//! - A request's URL is its target, byte for byte. It has every header except `Host`, which follows from the URL, and
//!   `Authorization`. Attach a body with `request.map(|()| body)`; its length must be the one that the value was given.
//! - Digests that a registry reports are compared with those that the client knows, and never used in place of them.
//! - A header that is missing or malformed is an error only if the protocol cannot continue without it. The
//!   documentation of each value names the quirks of real registries.
//! - [`OpenUpload`] and [`NextPage`] can only be made from an answer.

mod blob;
mod cancel_upload;
mod check_upload;
mod close_upload;
mod delete_blob;
mod delete_manifest;
mod list_referrers;
mod list_tags;
mod manifest;
mod mount_blob;
mod page;
mod ping;
mod post_blob;
mod put_manifest;
mod send_chunk;
mod start_upload;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod transcript;
mod upload;
mod wire;

use bytes::Bytes;
use http::{Request, Response};

pub use blob::{BlobContent, BlobPresence, CheckBlob, PullBlob};
pub use cancel_upload::{CancelUpload, UploadEnded};
pub use check_upload::CheckUpload;
pub use close_upload::{BlobStored, CloseUpload, ClosingBody};
pub use delete_blob::DeleteBlob;
pub use delete_manifest::DeleteManifest;
pub use list_referrers::{ListMoreReferrers, ListReferrers, ReferrersPage};
pub use list_tags::{ListMoreTags, ListTags, TagsPage};
pub use manifest::{CheckManifest, ManifestHead, ManifestPresence, PullManifest, PulledManifest, TagOrDigest};
pub use mount_blob::{MountBlob, MountedBlob};
pub use page::NextPage;
pub use ping::{Ping, RegistryReached};
pub use post_blob::{PostBlob, PostedBlob};
pub use put_manifest::{Condition, ManifestStored, PutManifest, PutName};
pub use send_chunk::{Chunk, SendChunk};
pub use start_upload::StartUpload;

pub use crate::header::{OpenUpload, UploadProgress};
pub use crate::outcome::{AnswerError, Digests, Flaw, Refused, Row};

use crate::Target;
use crate::target::TargetError;

/// A request of the spec, and how to read its answer.
pub trait Endpoint {
    /// The content of a successful answer.
    type Output;

    /// The row of the spec's endpoint table.
    fn row(&self) -> Row;

    /// The target of the request.
    fn target(&self) -> Target;

    /// Builds the head of the request: its method, the target's exact bytes, and the headers, including
    /// `Content-Length`. The caller attaches the body, if there is one, with `request.map(|()| body)`.
    ///
    /// # Errors
    /// If the target is longer than an `http::Uri` can be.
    fn request(&self) -> Result<Request<()>, TargetError>;

    /// Parses the answer. `from` is the target that answered: the last redirect's target if redirects were followed,
    /// and otherwise [`Endpoint::target`].
    ///
    /// # Errors
    /// If the registry refuses or redirects, or if the answer is malformed.
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<Self::Output, AnswerError>;
}
