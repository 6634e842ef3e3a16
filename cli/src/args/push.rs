//! `longshore push`.

use std::path::PathBuf;

use clap::Args;
use longshore_core::content::Platform;
use longshore_core::{MediaType, Reference, Repository, Tag};

use super::connection::ConnectionArguments;
use super::style::Style;
use super::values;
use crate::exit::Error;

/// What `longshore push --help` ends with.
pub(crate) const HELP: &str = "\
SOURCE is a folder, a tar (.tar, .tar.gz, .tar.zst), or - for a tar on standard input. If it has several images, \
SOURCE:NAME or SOURCE@DIGEST selects one (-:NAME for standard input). A tar that is compressed or comes through a pipe is first copied \
into a temporary file in TMPDIR. `docker save` (Docker 25 and later), `docker buildx build -o type=oci` and `skopeo copy … oci:FOLDER` \
write such layouts.

Blobs that are missing from the layout must be in the repository, or in one that --mount-from names. Images of an index that are \
missing must be in the repository.

--stdin-layer pushes standard input up to its end. If the program before the pipe fails halfway, that cannot be seen, and the part \
is pushed as a whole layer.

Exit status: 0 pushed, 1 refused or failed, 2 misuse, 130 stopped by Ctrl-C.";

/// What is to be pushed is in a layout, or comes on standard input.
const USAGE: &str = "\
longshore push [OPTIONS] <SOURCE> <REFERENCE>
       longshore push [OPTIONS] --stdin-layer <MEDIA-TYPE> <REFERENCE>";

/// Options of `longshore push`.
#[derive(Debug, Args)]
#[command(override_usage = USAGE)]
pub(crate) struct PushArguments {
    /// An OCI image layout: a folder, a tar of one, or - for standard input
    #[arg(allow_hyphen_values = true, value_parser = values::source)]
    pub(crate) source: String,
    // No documentation comment: brackets are links there.
    #[arg(required_unless_present = "stdin_layer", value_parser = values::Discreet(values::reference), help = "Where to push: [registry/]repository[:tag][@digest]. Without tag and digest, the tag is `latest`")]
    reference: Option<Reference>,
    /// Another tag. Can be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    /// Push only the image for this platform, also out of an index in an index: linux/arm/v7, windows/amd64:10.0.20348
    #[arg(long, value_name = "PLATFORM", value_parser = values::platform)]
    pub(crate) platform: Option<Platform>,
    /// Mount layers from this repository of the same registry, if it has them. Can be given more than once: the first one is tried
    /// first
    #[arg(long = "mount-from", value_name = "REPOSITORY")]
    pub(crate) mount_from: Vec<Repository>,
    /// A tag of the repository whose image may be similar, such as the last release: the layers that it has are neither asked about
    /// nor sent
    #[arg(long, value_name = "TAG")]
    pub(crate) like: Vec<Tag>,
    /// Also push what refers to the image: manifests whose subject it is, and tags that are named after its digest
    /// (sha256-DIGEST.sig, .att, .sbom)
    #[arg(long)]
    pub(crate) with_referrers: bool,
    /// Also push layers whose media type says that they must not be distributed
    #[arg(long)]
    pub(crate) push_nondistributable: bool,
    /// Follow links in the folder that lead out of it, such as those that Bazel and Nix make
    #[arg(long)]
    pub(crate) follow_links: bool,
    /// Ask about every blob and manifest even if the image is already there, and send again what the registry has lost
    #[arg(long)]
    pub(crate) recheck: bool,
    /// Send larger blobs in chunks of this size, such as 8M (K, M and G stand for KiB, MiB and GiB): after a lost connection, only a chunk
    /// is sent again
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub(crate) chunk_size: Option<u64>,
    /// Save the progress of the push in this file, and continue from it if it exists. It is deleted when the push is done
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
    /// A file that `longshore probe` has written: what it says about the registry is not tried out again
    #[arg(long, value_name = "FILE")]
    pub(crate) learned: Option<PathBuf>,
    /// Trust the layout: do not hash blobs while they are sent. The registry still verifies them
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Instead of SOURCE: push standard input as a layer of this media type, while it is read. The result is an artifact with one layer,
    /// not an image that can be run
    #[arg(
        long,
        value_name = "MEDIA-TYPE",
        conflicts_with_all = [
            "platform", "mount_from", "like", "with_referrers", "push_nondistributable", "follow_links", "recheck", "resume", "no_verify",
            "password_stdin", "registry_token_stdin",
        ],
    )]
    pub(crate) stdin_layer: Option<MediaType>,
    /// The type of that artifact [default: the layer's media type]
    #[arg(long, value_name = "TYPE", requires = "stdin_layer")]
    pub(crate) artifact_type: Option<MediaType>,
    /// The name of the file that the artifact's layer becomes when it is pulled: a relative path
    #[arg(long, value_name = "NAME", requires = "stdin_layer")]
    pub(crate) title: Option<String>,
    /// An annotation of the artifact. Can be given more than once
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = values::annotation, requires = "stdin_layer")]
    pub(crate) annotations: Vec<(String, String)>,
    /// How to show progress on standard error. auto: bars on a terminal, plain lines elsewhere
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    pub(crate) progress: Style,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

impl PushArguments {
    /// Where to push. Without SOURCE, it is the first argument.
    pub(crate) fn reference(&self) -> Result<Reference, Error> {
        match (&self.stdin_layer, &self.reference) {
            (Some(_), Some(_)) => Err(Error::misuse("--stdin-layer takes the place of SOURCE: leave out one of them")),
            (_, Some(reference)) => Ok(reference.clone()),
            (_, None) => values::reference(&self.source).map_err(|why| {
                Error::misuse(format!(
                    "invalid value '{}' for '<REFERENCE>': {why}",
                    values::without_user(&self.source)
                ))
            }),
        }
    }
}
