//! `longshore probe`.

use std::path::PathBuf;

use clap::Args;
use longshore_core::{Reference, Repository};

use super::conformance::TestedRegistry;
use super::login::{LoginArguments, TrustArguments};
use crate::exit::Error;

/// What `--help` says at its end.
pub(super) const HELP: &str = "\
The profile is what `longshore mock --profile FILE` plays: each line has the exchange that showed it. What is as the
specification has it is not in it, nor what cannot be seen from outside (--unobserved tells what, and why).

Exit status: 0 done, 1 refused or failed, 2 misuse, 130 stopped by Ctrl-C.";

/// Options of `longshore probe`.
#[derive(Debug, Args)]
pub(crate) struct ProbeArguments {
    // No documentation comment: brackets are links there.
    #[arg(
        required_unless_present = "unobserved",
        value_name = "URL",
        help = "The registry, and the repository to work in: [http[s]://]registry[:port][/repository]; longshore/conformance where none is named"
    )]
    pub(crate) registry: Option<TestedRegistry>,
    /// Talk plain HTTP to the registry; implied for localhost and loopback addresses
    #[arg(long, conflicts_with = "https")]
    pub(crate) plain_http: bool,
    /// Talk HTTPS to the registry, also on localhost; implied by --ca, --client-cert and --insecure-skip-verify
    #[arg(long)]
    pub(crate) https: bool,
    /// Write the profile into this file; otherwise to standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The registry's name in the profile; its address where none is given
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// The other repository, for mounts; the one to work in with -second behind it where none is named
    #[arg(long, value_name = "NAME")]
    pub(crate) second_repository: Option<Repository>,
    /// Show which switches are not looked at, and why, and send nothing
    #[arg(long)]
    pub(crate) unobserved: bool,
    #[command(flatten)]
    pub(crate) login: LoginArguments,
    #[command(flatten)]
    pub(crate) trust: TrustArguments,
}

impl ProbeArguments {
    /// The registry and the repository, over the scheme that was asked for.
    pub(crate) fn reference(&self) -> Result<Reference, Error> {
        let registry = self.registry.as_ref().ok_or_else(|| Error::misuse("name a registry"))?;
        registry.reference(self.plain_http, self.https, &self.trust)
    }
}
