//! The rows of the spec's endpoint table.

use std::fmt;

use http::Method;

/// One row of [the spec's endpoint
/// table](https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints),
/// split by method. [`Display`](fmt::Display) writes its id, such as `end-4a`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Row {
    /// `end-1`: check whether the origin is a registry.
    Ping,
    /// `end-2`, GET: pull a blob.
    PullBlob,
    /// `end-2`, HEAD: check whether a blob exists.
    CheckBlob,
    /// `end-3`, GET: pull a manifest.
    PullManifest,
    /// `end-3`, HEAD: check whether a manifest exists.
    CheckManifest,
    /// `end-4a`: start an upload.
    StartUpload,
    /// `end-4b`: upload a whole blob in one POST.
    PostBlob,
    /// `end-4c`: start an upload of a blob whose digest is not SHA-256.
    StartUploadFor,
    /// `end-5`: send a chunk.
    SendChunk,
    /// `end-6`: close an upload, with the blob's digest.
    CloseUpload,
    /// `end-7a`: push a manifest, by tag or digest.
    PutManifest,
    /// `end-7b`: push a manifest by digest, with tags.
    PutTaggedManifest,
    /// `end-8a`: list all tags.
    ListTags,
    /// `end-8b`: list some tags.
    ListSomeTags,
    /// `end-9`: delete a manifest or a tag.
    DeleteManifest,
    /// `end-10`: delete a blob.
    DeleteBlob,
    /// `end-11`: mount a blob from another repository.
    MountBlob,
    /// `end-12a`: list the referrers of a manifest.
    ListReferrers,
    /// `end-12b`: list the referrers of one artifact type.
    ListSomeReferrers,
    /// `end-13`: ask how many bytes of an upload are stored.
    CheckUpload,
    /// `end-14`: cancel an upload.
    CancelUpload,
    /// A request to a token service, which is not in the spec's table.
    FetchToken,
}

impl Row {
    /// Every row of the table, in its order.
    pub const ALL: [Self; 21] = [
        Self::Ping,
        Self::PullBlob,
        Self::CheckBlob,
        Self::PullManifest,
        Self::CheckManifest,
        Self::StartUpload,
        Self::PostBlob,
        Self::StartUploadFor,
        Self::SendChunk,
        Self::CloseUpload,
        Self::PutManifest,
        Self::PutTaggedManifest,
        Self::ListTags,
        Self::ListSomeTags,
        Self::DeleteManifest,
        Self::DeleteBlob,
        Self::MountBlob,
        Self::ListReferrers,
        Self::ListSomeReferrers,
        Self::CheckUpload,
        Self::CancelUpload,
    ];

    /// The spec's id, such as `end-4a`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.describe().0
    }

    /// The purpose of the request, as the end of a sentence such as "refused to ...": `begin an upload`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.describe().1
    }

    /// The method of its requests.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Ping | Self::PullBlob | Self::PullManifest | Self::CheckUpload => Method::GET,
            Self::ListTags | Self::ListSomeTags | Self::ListReferrers | Self::ListSomeReferrers => Method::GET,
            // With a refresh token the method is POST.
            Self::FetchToken => Method::GET,
            Self::CheckBlob | Self::CheckManifest => Method::HEAD,
            Self::StartUpload | Self::StartUploadFor | Self::PostBlob | Self::MountBlob => Method::POST,
            Self::SendChunk => Method::PATCH,
            Self::CloseUpload | Self::PutManifest | Self::PutTaggedManifest => Method::PUT,
            Self::DeleteManifest | Self::DeleteBlob | Self::CancelUpload => Method::DELETE,
        }
    }

    const fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::Ping => ("end-1", "reach the registry"),
            Self::PullBlob => ("end-2", "pull a blob"),
            Self::CheckBlob => ("end-2", "check for a blob"),
            Self::PullManifest => ("end-3", "pull a manifest"),
            Self::CheckManifest => ("end-3", "check for a manifest"),
            Self::StartUpload => ("end-4a", "begin an upload"),
            Self::PostBlob => ("end-4b", "upload a blob in one request"),
            Self::StartUploadFor => ("end-4c", "begin an upload"),
            Self::SendChunk => ("end-5", "send a chunk"),
            Self::CloseUpload => ("end-6", "finish an upload"),
            Self::PutManifest => ("end-7a", "push a manifest"),
            Self::PutTaggedManifest => ("end-7b", "push a manifest and its tags"),
            Self::ListTags => ("end-8a", "list tags"),
            Self::ListSomeTags => ("end-8b", "list tags"),
            Self::DeleteManifest => ("end-9", "delete a manifest"),
            Self::DeleteBlob => ("end-10", "delete a blob"),
            Self::MountBlob => ("end-11", "mount a blob"),
            Self::ListReferrers => ("end-12a", "list referrers"),
            Self::ListSomeReferrers => ("end-12b", "list referrers"),
            Self::CheckUpload => ("end-13", "ask how far an upload is"),
            Self::CancelUpload => ("end-14", "cancel an upload"),
            Self::FetchToken => ("token", "fetch a token"),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
