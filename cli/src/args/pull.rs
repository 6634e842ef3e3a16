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
Everything is checked against its digest, and appears under its name only when all of it is there.

--files writes a file for each layer with a title. A layer that ORAS clients, or `longshore artifact`, made of a folder is \
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
    #[arg(value_parser = values::reference, help = "What to pull: [registry/]repository[:tag][@digest]")]
    pub(crate) reference: Reference,
    /// The folder that becomes an OCI image layout; it must not be there yet, or be empty
    #[arg(required_unless_present = "files")]
    pub(crate) layout: Option<PathBuf>,
    /// Instead of LAYOUT: write the files of an artifact into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "layout")]
    pub(crate) files: Option<PathBuf>,
    /// Pull the image for this platform only, out of any number of indexes: linux/arm/v7, windows/amd64:10.0.20348
    #[arg(long, value_name = "PLATFORM", value_parser = values::platform)]
    pub(crate) platform: Option<Platform>,
    /// How large one folder may become where it is unpacked (K, M and G are understood)
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = values::size, requires = "files")]
    pub(crate) unpack_limit: u64,
    /// How to show what happens, on standard error: auto is bars on a terminal and plain lines elsewhere
    #[arg(long, value_name = "STYLE", default_value = "auto")]
    pub(crate) progress: Style,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}
