//! What bounds the registry of `longshore mock`.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use longshore_mock_registry::Limits;

use super::values;

/// What bounds the registry.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArguments {
    /// The largest manifest [default: 4194304]
    #[arg(long, value_name = "BYTES", value_parser = values::size)]
    max_manifest: Option<u64>,
    /// The largest blob [default: 1099511627776]
    #[arg(long, value_name = "BYTES", value_parser = values::size)]
    max_blob: Option<u64>,
    /// The most manifests in a repository [default: 100000]
    #[arg(long, value_name = "COUNT")]
    max_manifests: Option<usize>,
    /// The most blobs in a repository [default: 1000000]
    #[arg(long, value_name = "COUNT")]
    max_blobs: Option<usize>,
    /// The most tags in a repository [default: 100000]
    #[arg(long, value_name = "COUNT")]
    max_tags: Option<usize>,
    /// The most repositories [default: 10000]
    #[arg(long, value_name = "COUNT")]
    max_repositories: Option<usize>,
    /// The most bytes of all manifests together [default: 1073741824]
    #[arg(long, value_name = "BYTES", value_parser = values::size)]
    max_manifest_bytes: Option<u64>,
    /// The most open uploads [default: 10000]
    #[arg(long, value_name = "COUNT")]
    max_uploads: Option<usize>,
    /// The most requests whose bodies are being received [default: 10000]
    #[arg(long, value_name = "COUNT")]
    max_pending: Option<usize>,
    /// The most connections. If there are more, the one that has been idle the longest is closed [default: 1000]
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<usize>,
    /// The most entries in a page of tags or referrers [default: 1000]
    #[arg(long, value_name = "COUNT")]
    max_page: Option<NonZeroUsize>,
    /// After how many seconds without a request an upload is deleted [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    upload_lifetime: Option<u64>,
    /// The most bytes of blobs and uploads in memory [default: 4294967296]
    #[arg(long, value_name = "BYTES", value_parser = values::size, conflicts_with = "data_dir")]
    pub(crate) memory: Option<u64>,
}

impl LimitArguments {
    /// Sets what was given.
    pub(crate) fn apply(&self, limits: &mut Limits) {
        fn set<T: Copy>(limit: &mut T, given: Option<T>) {
            *limit = given.unwrap_or(*limit);
        }
        set(&mut limits.manifest, self.max_manifest.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)));
        set(&mut limits.blob, self.max_blob);
        set(&mut limits.manifests, self.max_manifests);
        set(&mut limits.blobs, self.max_blobs);
        set(&mut limits.tags, self.max_tags);
        set(&mut limits.repositories, self.max_repositories);
        set(&mut limits.manifest_bytes, self.max_manifest_bytes);
        set(&mut limits.uploads, self.max_uploads);
        set(&mut limits.pending, self.max_pending);
        set(&mut limits.connections, self.max_connections);
        set(&mut limits.page, self.max_page.map(NonZeroUsize::get));
        set(&mut limits.upload_lifetime, self.upload_lifetime.map(Duration::from_secs));
    }
}
