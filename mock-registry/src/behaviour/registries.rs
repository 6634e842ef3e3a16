//! Registries as they were seen.

use super::{
    Behaviour, ChunkMin, ContentRange, Echo, LocationForm, MissingReference, MountPolicy, OutOfOrderRange, PatchRange,
    PostRange, ReferrersApi, StatusRange, SubjectHeader, WithoutFrom,
};

impl Behaviour {
    /// Quay until 2021 (`quay-2021`), when it refused a mount without `from` (`mount-without-from-rejected`), with its other
    /// habits:
    /// `post-range-header-variants`, `post-location-absolute`, `patch-overlap-accepted`, `quay-416-range-off-by-one`,
    /// `status-range-exclusive-with-prefix`, `digest-mismatch-code-varies`, `manifest-201-with-body`,
    /// `missing-blob-status-zoo`, `conditional-put-unsupported`, `referrers-404-fallback`, `blob-delete-405`.
    #[must_use]
    pub fn quay_2021() -> Self {
        let mut quay = Self::default();
        quay.mount.without_from = WithoutFrom::Refused(400);
        quay.start.range = PostRange::Unit;
        quay.start.location = LocationForm::Absolute;
        quay.chunks.content_range = ContentRange::Overlapping;
        quay.chunks.out_of_order_range = OutOfOrderRange::OffByOne;
        quay.chunks.out_of_order_code = Some(String::new());
        quay.status.range = StatusRange::Exclusive;
        quay.status.location = false;
        quay.commit.mismatch_code = "BLOB_UPLOAD_INVALID".to_owned();
        quay.manifests.echo = Echo::Text;
        quay.manifests.missing_reference = MissingReference::ManifestInvalid;
        quay.manifests.conditions = false;
        quay.manifests.tag_parameters = false;
        quay.referrers.api = ReferrersApi::NotFound;
        quay.referrers.subject = SubjectHeader::Never;
        quay.listing.delete_blob = 405;
        quay
    }

    /// ECR (`ecr`). With `mounting` off, as it is unless the account asks for it, a mount is 202; with it on, so is one of a
    /// blob that is missing, not allowed, or that no manifest refers to (`mount-only-if-manifest-references-blob`).
    /// Its other habits: `patch-status-201`, `patch-range-header-stale`, `chunk-min-5mib-undeclared`,
    /// `status-get-404-live-session`, `empty-blob-500`, `digest-mismatch-code-varies`, `manifest-mediatype-required`,
    /// `conditional-put-unsupported`, `tags-n-limit`. Repositories are taken to be there.
    #[must_use]
    pub fn ecr(mounting: bool) -> Self {
        let mut ecr = Self::default();
        ecr.mount.policy = if mounting { MountPolicy::Referenced } else { MountPolicy::Never };
        ecr.mount.without_from = WithoutFrom::Upload;
        ecr.start.chunk_min = Some(ChunkMin { bytes: 5 << 20, announced: false });
        ecr.chunks.status = 201;
        ecr.chunks.range = PatchRange::FirstChunk;
        ecr.status.status = 404;
        ecr.commit.empty_blob_refused = Some(500);
        ecr.commit.mismatch_code = "BLOB_UPLOAD_INVALID".to_owned();
        ecr.manifests.media_type_required = true;
        ecr.manifests.conditions = false;
        ecr.manifests.tag_parameters = false;
        ecr.listing.over_limit_refused = true;
        ecr
    }
}
