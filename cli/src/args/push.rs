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
SOURCE is a folder, a tar (.tar, .tar.gz, .tar.zst), or - for a tar on standard input. Where it holds several images, \
SOURCE:NAME or SOURCE@DIGEST says which (-:NAME of standard input). A tar that is compressed or comes through a pipe is copied into a temporary file \
first, in TMPDIR. `docker save` (Docker 25 and later), `docker buildx build -o type=oci` and `skopeo copy … oci:FOLDER` \
write such layouts.

Blobs that the layout lacks must be in the repository, or in one that --mount-from names; images of an index, in the \
repository.

What --stdin-layer reads is pushed up to its end: a program before the pipe that fails half-way looks like one that is done.

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
    #[arg(required_unless_present = "stdin_layer", value_parser = values::reference, help = "Where to: [registry/]repository[:tag][@digest]; where neither tag nor digest is said, the tag is `latest`")]
    reference: Option<Reference>,
    /// Another tag for it; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    /// Push the image for this platform only, out of any number of indexes: linux/arm/v7, windows/amd64:10.0.20348
    #[arg(long, value_name = "PLATFORM", value_parser = values::platform)]
    pub(crate) platform: Option<Platform>,
    /// A repository of the same registry that has some of the layers: they are taken from there. May be given several times;
    /// a layer is asked for in the first that is named, and in the next where the registry refuses that
    #[arg(long = "mount-from", value_name = "REPOSITORY")]
    pub(crate) mount_from: Vec<Repository>,
    /// A tag there that may hold something like it, such as the last release: what that has need not be asked about or sent
    #[arg(long, value_name = "TAG")]
    pub(crate) like: Vec<Tag>,
    /// Push what refers to the image too: by its subject, and under tags of its own (NAME.sig, .att, .sbom of its digest)
    #[arg(long)]
    pub(crate) with_referrers: bool,
    /// Push layers too that their maker forbids to distribute
    #[arg(long)]
    pub(crate) push_nondistributable: bool,
    /// Follow links in the folder that lead out of it, as Bazel and Nix make them
    #[arg(long)]
    pub(crate) follow_links: bool,
    /// Ask about every blob and manifest, though the image stands there already, and send again what was lost
    #[arg(long)]
    pub(crate) recheck: bool,
    /// Send larger blobs in chunks of this size (K, M and G are understood), so that what breaks off goes on where it was
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub(crate) chunk_size: Option<u64>,
    /// Keep in this file how far the push is, and go on from there; it is gone when the push is done
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
    /// What `longshore probe` found out of the registry: nothing of that is tried out again
    #[arg(long, value_name = "FILE")]
    pub(crate) learned: Option<PathBuf>,
    /// Trust the layout: do not hash blobs while they are sent. The registry still does
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Instead of SOURCE: push what comes on standard input, as it comes, as a layer of this media type. It becomes an artifact
    /// of one layer, not an image to run
    #[arg(
        long,
        value_name = "MEDIA-TYPE",
        conflicts_with_all = [
            "platform", "mount_from", "like", "with_referrers", "push_nondistributable", "follow_links", "recheck", "resume", "no_verify",
            "password_stdin", "registry_token_stdin",
        ],
    )]
    pub(crate) stdin_layer: Option<MediaType>,
    /// What that artifact is; where it is not said, what its layer is
    #[arg(long, value_name = "TYPE", requires = "stdin_layer")]
    pub(crate) artifact_type: Option<MediaType>,
    /// The name that the artifact's layer has where it is unpacked: a path below a folder
    #[arg(long, value_name = "NAME", requires = "stdin_layer")]
    pub(crate) title: Option<String>,
    /// An annotation of the artifact; may be given several times
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = values::annotation, requires = "stdin_layer")]
    pub(crate) annotations: Vec<(String, String)>,
    /// How to show what happens, on standard error: auto is bars on a terminal and plain lines elsewhere
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    pub(crate) progress: Style,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

impl PushArguments {
    /// Where to. Without SOURCE, it is what stands first.
    pub(crate) fn reference(&self) -> Result<Reference, Error> {
        match (&self.stdin_layer, &self.reference) {
            (Some(_), Some(_)) => Err(Error::misuse("--stdin-layer takes the place of SOURCE: leave out one of them")),
            (_, Some(reference)) => Ok(reference.clone()),
            (_, None) => values::reference(&self.source)
                .map_err(|why| Error::misuse(format!("invalid value '{}' for '<REFERENCE>': {why}", self.source))),
        }
    }
}
