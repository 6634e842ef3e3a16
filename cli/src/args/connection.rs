//! How to reach a registry: what every command that talks to one takes.

use std::path::PathBuf;

use clap::Args;
use longshore_core::target::{Policy, Scheme};
use longshore_core::{Options, Reference};

use super::login::{LoginArguments, TrustArguments};
use crate::exit::Error;

/// The most requests in flight, unless --jobs is given.
const JOBS: u16 = 8;

/// How to reach a registry.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArguments {
    /// Use plain HTTP. This is the default for localhost and loopback addresses
    #[arg(long, conflicts_with = "https")]
    pub(crate) plain_http: bool,
    /// Use HTTPS, also on localhost. --ca, --client-cert and --insecure-skip-verify imply it
    #[arg(long)]
    pub(crate) https: bool,
    /// The most requests in flight at a time
    #[arg(long, value_name = "N", default_value_t = JOBS, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: u16,
    /// Write a line of JSON to this file for each request and its answer
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) login: LoginArguments,
    #[command(flatten)]
    pub(crate) trust: TrustArguments,
}

impl ConnectionArguments {
    /// What suits a registry that wants no credentials.
    pub(crate) fn anonymous() -> Self {
        let login = LoginArguments { anonymous: true, ..LoginArguments::default() };
        Self { plain_http: false, https: false, jobs: JOBS, trace: None, login, trust: TrustArguments::default() }
    }

    /// The reference, to be reached over the scheme that was asked for.
    pub(crate) fn reference(&self, mut reference: Reference) -> Reference {
        let scheme = match (self.plain_http, self.https) {
            (true, _) => Scheme::Http,
            (_, true) => Scheme::Https,
            _ if self.trust.is_about_tls() => Scheme::Https,
            (false, false) => return reference,
        };
        reference.registry = reference.registry.with_scheme(scheme);
        reference
    }

    /// What the client is to do where it has a choice.
    pub(crate) fn options(&self) -> Result<Options, Error> {
        let mut options = Options::default();
        options.seed = crate::seed::random()?;
        options.in_flight = usize::from(self.jobs);
        options.policy = self.trust.allowed_origins.iter().cloned().fold(options.policy, Policy::allow_origin);
        Ok(options)
    }
}
