//! `longshore push`.

use clap::Args;
use longshore_core::content::Platform;
use longshore_core::{Reference, Tag};

use super::{ConnectionArguments, values};
use crate::progress::Style;

/// What `longshore push --help` ends with.
pub(crate) const HELP: &str = "\
SOURCE is a folder or a tar; where it holds several images, SOURCE:NAME or SOURCE@DIGEST says which.
`docker save` (Docker 25 and later), `docker buildx build -o type=oci` and `skopeo copy … oci:FOLDER` write such layouts.

Exit status: 0 pushed, 1 refused or failed, 2 misuse.";

/// Options of `longshore push`.
#[derive(Debug, Args)]
pub(crate) struct PushArguments {
    /// An OCI image layout: a folder, or a tar of one
    pub(crate) source: String,
    /// Where to: [registry/]repository[:tag][@digest]; where neither tag nor digest is said, the tag is `latest`
    #[arg(value_parser = values::reference)]
    pub(crate) reference: Reference,
    /// Another tag for it; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    /// Push the image for this platform only, out of an index
    #[arg(long, value_name = "OS/ARCH[/VARIANT]", value_parser = values::platform)]
    pub(crate) platform: Option<Platform>,
    /// Trust the layout: do not hash blobs while they are sent. The registry still does
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// How to show what happens, on standard error
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    pub(crate) progress: Style,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}
