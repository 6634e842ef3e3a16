//! Every endpoint of the spec as a value: [`Row`] by row, a value makes the head of a request, and reads the answer.
//!
//! This layer needs no other. Nothing in it sends anything, waits, signs, follows a redirect or tries again; that is
//! the caller's. A call is three lines: build, send, parse.
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
//! // May I push there? Begin an upload, and give it up. `send` is any HTTP stack.
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
//! What is true of all of them:
//!
//! - A request's URL is its target, byte for byte; its headers are all there but `Host`, which the URL says, and
//!   whatever the caller signs with. A body is attached with `request.map(|()| body)`, and its length is the one the
//!   value was given.
//! - Digests that a registry reports are compared with those this side knows, and never adopted.
//! - A header that is missing or odd is an error only where nothing can go on without it. What real registries send is
//!   in the docs of each value, by the name of the quirk.
//! - A value that only an answer can make has no other way to be made: [`OpenUpload`], [`NextPage`].

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

/// A request that the spec knows, and what its answer says.
pub trait Endpoint {
    /// What a good answer says.
    type Output;

    /// The row of the spec's table.
    fn row(&self) -> Row;

    /// Where the request goes.
    fn target(&self) -> Target;

    /// The head of the request: its method, the target's exact bytes, and every header, `Content-Length` among them.
    /// The caller attaches the body, if it has one, with `request.map(|()| body)`.
    ///
    /// # Errors
    /// Where the target is longer than an `http::Uri` can be.
    fn request(&self) -> Result<Request<()>, TargetError>;

    /// Reads the answer. `from` is the target that answered: where redirects were followed, the last one, and otherwise
    /// [`Endpoint::target`].
    ///
    /// # Errors
    /// Where the registry refuses, redirects, or answers with what cannot be an answer.
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<Self::Output, AnswerError>;
}
