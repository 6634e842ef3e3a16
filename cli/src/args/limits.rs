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
    /// The longest manifest [default: 4194304]
    #[arg(long, value_name = "BYTES", value_parser = values::size)]
    max_manifest: Option<u64>,
    /// The longest blob [default: 1099511627776]
    #[arg(long, value_name = "BYTES", value_parser = values::size)]
    max_blob: Option<u64>,
    /// How many manifests a repository may have [default: 100000]
    #[arg(long, value_name = "COUNT")]
    max_manifests: Option<usize>,
    /// How many blobs a repository may have [default: 1000000]
    #[arg(long, value_name = "COUNT")]
    max_blobs: Option<usize>,
    /// How many tags a repository may have [default: 100000]
    #[arg(long, value_name = "COUNT")]
    max_tags: Option<usize>,
    /// How many repositories there may be [default: 10000]
    #[arg(long, value_name = "COUNT")]
    max_repositories: Option<usize>,
    /// How many bytes all manifests together may have [default: 1073741824]
    #[arg(long, value_name = "BYTES", value_parser = values::size)]
    max_manifest_bytes: Option<u64>,
    /// How many uploads may be open [default: 10000]
    #[arg(long, value_name = "COUNT")]
    max_uploads: Option<usize>,
    /// How many requests may be on their way in [default: 10000]
    #[arg(long, value_name = "COUNT")]
    max_pending: Option<usize>,
    /// How many connections there may be; of more, the one that is idle for the longest gives way [default: 1000]
    #[arg(long, value_name = "COUNT")]
    max_connections: Option<usize>,
    /// The most entries in a page of tags or referrers [default: 1000]
    #[arg(long, value_name = "COUNT")]
    max_page: Option<NonZeroUsize>,
    /// After how many seconds an upload that nobody touches is gone [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    upload_lifetime: Option<u64>,
    /// How many bytes of blobs and uploads are kept in memory [default: 4294967296]
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
