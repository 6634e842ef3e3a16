//! `longshore attach`.

use std::path::PathBuf;

use clap::Args;
use longshore_core::{MediaType, Reference};

use super::{ConnectionArguments, values};
use crate::progress::Style;

/// Options of `longshore attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArguments {
    // No documentation comment: brackets are links there.
    #[arg(value_parser = values::reference, help = "The image or artifact that the new one is about: [registry/]repository[:tag][@digest]")]
    pub(crate) subject: Reference,
    /// The files that the artifact holds; each is a layer, titled with its name
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What the artifact is, such as application/spdx+json
    #[arg(long, value_name = "TYPE")]
    pub(crate) artifact_type: MediaType,
    /// What the files are
    #[arg(long, value_name = "TYPE", default_value = MediaType::OCTET_STREAM)]
    pub(crate) media_type: MediaType,
    /// An annotation of the artifact; may be given several times
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = values::annotation)]
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
