//! `longshore artifact` and `longshore attach`.

use std::ffi::OsString;

use clap::Args;
use longshore_core::{MediaType, Reference, Tag};

use super::connection::ConnectionArguments;
use super::style::Style;
use super::values;

/// What `longshore artifact --help` ends with.
pub(crate) const HELP: &str = "\
A file is titled with its path where that is relative, and with its name elsewhere. A folder becomes a layer of tar+gzip that \
ORAS clients, and `longshore pull --files`, unpack.

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
        help = "The files and folders that it holds, each a layer; a media type may stand behind a colon"
    )]
    pub(crate) files: Vec<OsString>,
    /// What the artifact is, such as application/spdx+json
    #[arg(long, value_name = "TYPE", required_unless_present = "config")]
    pub(crate) artifact_type: Option<MediaType>,
    /// What the files are for which nothing else is said
    #[arg(long, value_name = "TYPE", default_value = MediaType::OCTET_STREAM)]
    pub(crate) media_type: MediaType,
    /// A file that becomes its config, with the config's media type
    #[arg(long, value_name = "FILE:MEDIA-TYPE")]
    pub(crate) config: Option<OsString>,
    /// An annotation of the artifact; may be given several times
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = values::annotation)]
    pub(crate) annotations: Vec<(String, String)>,
    /// How to show what happens, on standard error: auto is bars on a terminal and plain lines elsewhere
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    pub(crate) progress: Style,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `longshore artifact`.
#[derive(Debug, Args)]
pub(crate) struct ArtifactArguments {
    // No documentation comment: brackets are links there.
    #[arg(value_parser = values::reference, help = "Where to: [registry/]repository[:tag][@digest]; where neither tag, digest nor --subject is said, the tag is `latest`")]
    pub(crate) reference: Reference,
    #[command(flatten)]
    pub(crate) content: ContentArguments,
    /// Another tag for it; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<Tag>,
    /// The image or artifact of the same repository that it is about: a reference, or a digest. Without a tag it is found
    /// there only
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) subject: Option<String>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

/// Options of `longshore attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArguments {
    // No documentation comment: brackets are links there.
    #[arg(value_parser = values::reference, help = "The image or artifact that the new one is about: [registry/]repository[:tag][@digest]")]
    pub(crate) subject: Reference,
    #[command(flatten)]
    pub(crate) content: ContentArguments,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}
