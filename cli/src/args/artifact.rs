//! `longshore artifact` and `longshore attach`.

use std::ffi::OsString;

use clap::Args;
use longshore_core::{MediaType, Reference, Tag};

use super::connection::ConnectionArguments;
use super::style::Style;
use super::values;

/// What `longshore artifact --help` ends with.
pub(crate) const HELP: &str = "\
The title of a file is its path if that is relative, and otherwise its name. A folder becomes a tar+gzip layer, which ORAS clients \
and `longshore pull --files` unpack.

A Helm chart: --config chart.json:application/vnd.cncf.helm.config.v1+json, with the data of its Chart.yaml as JSON, and \
NAME-VERSION.tgz:application/vnd.cncf.helm.chart.content.v1.tar+gzip as the file.

Exit status: 0 pushed, 1 refused or failed, 2 misuse, 130 stopped by Ctrl-C.";

/// What an artifact is made of.
#[derive(Debug, Args)]
pub(crate) struct ContentArguments {
    // No documentation comment: brackets are links there.
    #[arg(
        required = true,
        value_name = "FILE[:MEDIA-TYPE]",
        help = "The files and folders of the artifact, each as a layer. A media type can follow after a colon"
    )]
    pub(crate) files: Vec<OsString>,
    /// The type of the artifact, such as application/spdx+json
    #[arg(long, value_name = "TYPE", required_unless_present = "config")]
    pub(crate) artifact_type: Option<MediaType>,
    /// The media type of the files that are given without one
    #[arg(long, value_name = "TYPE", default_value = MediaType::OCTET_STREAM)]
    pub(crate) media_type: MediaType,
    /// A file that becomes the config, with its media type
    #[arg(long, value_name = "FILE:MEDIA-TYPE")]
    pub(crate) config: Option<OsString>,
    /// An annotation of the artifact. Can be given more than once
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = values::annotation)]
    pub(crate) annotations: Vec<(String, String)>,
    /// How to show progress on standard error. auto: bars on a terminal, plain lines elsewhere
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    pub(crate) progress: Style,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `longshore artifact`.
#[derive(Debug, Args)]
pub(crate) struct ArtifactArguments {
    // No documentation comment: brackets are links there.
    #[arg(value_parser = values::Discreet(values::reference), help = "Where to push: [registry/]repository[:tag][@digest]. Without tag, digest and --subject, the tag is `latest`")]
    pub(crate) reference: Reference,
    #[command(flatten)]
    pub(crate) content: ContentArguments,
    /// Another tag. Can be given more than once
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    /// The image or artifact of the same repository that this one refers to: a reference, or a digest. Without a tag, the artifact is
    /// found only among its referrers
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) subject: Option<String>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

/// Options of `longshore attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArguments {
    // No documentation comment: brackets are links there.
    #[arg(value_parser = values::Discreet(values::reference), help = "The image or artifact to attach to: [registry/]repository[:tag][@digest]")]
    pub(crate) subject: Reference,
    #[command(flatten)]
    pub(crate) content: ContentArguments,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}
