//! `longshore pull`.

use std::path::PathBuf;

use clap::Args;
use longshore_core::Reference;
use longshore_core::content::Platform;

use super::connection::ConnectionArguments;
use super::style::Style;
use super::values;

/// What `longshore pull --help` ends with.
pub(crate) const HELP: &str = "\
Everything is verified against its digest, and appears under its name only when it is complete.

--files writes a file for each layer that has a title. A layer that ORAS clients or `longshore artifact` have made of a folder is \
unpacked: files and folders only, no links. Nothing is written outside DIR, and nothing in it is replaced.

Exit status: 0 pulled, 1 refused or failed, 2 misuse, 130 stopped by Ctrl-C.";

const USAGE: &str = "\
longshore pull [OPTIONS] <REFERENCE> <LAYOUT>
       longshore pull [OPTIONS] <REFERENCE> --files <DIR>";

/// Options of `longshore pull`.
#[derive(Debug, Args)]
#[command(override_usage = USAGE)]
pub(crate) struct PullArguments {
    // No documentation comment: brackets are links there.
    #[arg(value_parser = values::Discreet(values::reference), help = "What to pull: [registry/]repository[:tag][@digest]")]
    pub(crate) reference: Reference,
    /// The folder that becomes an OCI image layout. It must be empty, or not exist
    #[arg(required_unless_present = "files")]
    pub(crate) layout: Option<PathBuf>,
    /// Instead of LAYOUT: write the files of an artifact into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "layout")]
    pub(crate) files: Option<PathBuf>,
    /// Pull only the image for this platform, also out of an index in an index: linux/arm/v7, windows/amd64:10.0.20348
    #[arg(long, value_name = "PLATFORM", value_parser = values::platform)]
    pub(crate) platform: Option<Platform>,
    /// The most bytes that one folder may unpack to (K, M and G stand for KiB, MiB and GiB)
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = values::size, requires = "files")]
    pub(crate) unpack_limit: u64,
    /// How to show progress on standard error. auto: bars on a terminal, plain lines elsewhere
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    pub(crate) progress: Style,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}
