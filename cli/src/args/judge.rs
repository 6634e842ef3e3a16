//! `longshore judge`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::conformance::seconds;

/// What `--help` says at its end.
pub(super) const HELP: &str = "\
In the command, {registry} stands for the registry's address, {storage} for that of the storage that some registries have \
behind them, and {layout} for a folder that has an OCI layout with an index of two images, called v1 there. The client may push it to any repository and tag. For example:

  longshore judge -- longshore push {layout} {registry}/judged/app:v1
  longshore judge --all-profiles --all-faults --output results -- \\
    skopeo copy --all --dest-tls-verify=false oci:{layout}:v1 docker://{registry}/judged/app:v1

Each cell shows whether the client succeeded, whether everything is stored byte for byte, which rules it broke, how many requests it \
sent, and how long it took.

Exit status: 0 everything is well, 1 something is not, 2 misuse, 130 stopped by Ctrl-C.";

/// Options of `longshore judge`.
#[derive(Debug, Args)]
pub(crate) struct JudgeArguments {
    /// The registry to play: a name that `longshore mock --list` shows, or a TOML file. Can be given more than once
    #[arg(long, value_name = "NAME|FILE", default_value = "spec")]
    pub(crate) profile: Vec<String>,
    /// Play every known registry
    #[arg(long, conflicts_with = "profile")]
    pub(crate) all_profiles: bool,
    /// Push once more with this fault, written as for `longshore mock --fault`, such as 'end-6#1: answer-lost'. Can be given more
    /// than once
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Vec<String>,
    /// Push once more with each of a dozen faults, by the number of the request and by endpoint
    #[arg(long)]
    pub(crate) all_faults: bool,
    /// The time limit of one push
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) time_limit: Duration,
    /// Judge each client of this file that is installed: TOML, with a table for each client that has push and version
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub(crate) clients: Option<PathBuf>,
    /// Write matrix.md, results.json, junit.xml and report.html into this folder, which is made if it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Print the report as JSON, in place of the table
    #[arg(long)]
    pub(crate) json: bool,
    /// The client and its arguments
    #[arg(last = true, required_unless_present = "clients", value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
