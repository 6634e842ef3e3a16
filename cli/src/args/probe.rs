//! `longshore probe`.

use std::path::PathBuf;

use clap::Args;
use longshore_core::{Reference, Repository};

use super::conformance::TestedRegistry;
use super::login::{LoginArguments, TrustArguments};
use crate::exit::Error;

/// What `--help` says at its end.
pub(super) const HELP: &str = "\
`longshore mock --profile FILE` plays the profile. Each line has the request and the answer that showed it. It does not have what is \
as in the specification, nor what cannot be seen from outside (--unobserved lists that, with the reasons).

Exit status: 0 done, 1 refused or failed, 2 misuse, 130 stopped by Ctrl-C.";

/// Options of `longshore probe`.
#[derive(Debug, Args)]
pub(crate) struct ProbeArguments {
    // No documentation comment: brackets are links there.
    #[arg(
        required_unless_present = "unobserved",
        value_name = "URL",
        value_parser = super::values::Discreet(TestedRegistry::parse),
        help = "The registry, and the repository to work in: [http[s]://]registry[:port][/repository]. The default repository is longshore/conformance"
    )]
    pub(crate) registry: Option<TestedRegistry>,
    /// Use plain HTTP. This is the default for localhost and loopback addresses
    #[arg(long, conflicts_with = "https")]
    pub(crate) plain_http: bool,
    /// Use HTTPS, also on localhost. --ca, --client-cert and --insecure-skip-verify imply it
    #[arg(long)]
    pub(crate) https: bool,
    /// Write the profile into this file [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The registry's name in the profile [default: its address]
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// The second repository, for mounts [default: the name of the first with -second after it]
    #[arg(long, value_name = "NAME")]
    pub(crate) second_repository: Option<Repository>,
    /// List the switches that are not observed, with the reasons, and send nothing
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
