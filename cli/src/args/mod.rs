//! What can be given on the command line.

mod artifact;
mod conformance;
mod connection;
mod judge;
mod limits;
mod login;
mod mock;
mod probe;
mod profile;
mod pull;
mod push;
mod repository;
mod style;
mod values;

use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use artifact::{ArtifactArguments, AttachArguments, ContentArguments};
pub(crate) use conformance::ConformanceArguments;
pub(crate) use connection::ConnectionArguments;
pub(crate) use judge::JudgeArguments;
pub(crate) use login::{LoginArguments, TrustArguments};
pub(crate) use mock::{MockArguments, Scheme};
pub(crate) use probe::ProbeArguments;
pub(crate) use profile::ProfileArguments;
pub(crate) use pull::PullArguments;
pub(crate) use push::PushArguments;
pub(crate) use repository::{CheckArguments, ReferrersArguments, RmArguments};
pub(crate) use style::Style;

use crate::exit;

/// Push container images to any OCI registry.
#[derive(Debug, Parser)]
#[command(version, after_help = exit::HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Push an OCI image layout to a registry, or what comes through a pipe
    #[command(after_help = push::HELP)]
    Push(PushArguments),
    /// Pull an image or artifact into an OCI image layout, or the files of an artifact into a folder
    #[command(after_help = pull::HELP)]
    Pull(PullArguments),
    /// Push files and folders as an artifact, such as a Helm chart
    #[command(after_help = artifact::HELP)]
    Artifact(ArtifactArguments),
    /// Attach files to an image: an artifact that refers to it, such as an SBOM or a signature
    #[command(after_help = exit::HELP)]
    Attach(AttachArguments),
    /// List what refers to an image
    #[command(after_help = exit::HELP)]
    Referrers(ReferrersArguments),
    /// Find out whether a push would be allowed, without leaving anything behind
    #[command(after_help = exit::HELP)]
    Check(CheckArguments),
    /// Delete a tag, or a manifest with all its tags. An artifact is also removed from its subject's list of referrers
    #[command(after_help = exit::HELP)]
    Rm(RmArguments),
    /// Run a registry on this machine, for tests and for trying things out
    #[command(after_help = mock::HELP)]
    Mock(MockArguments),
    /// Find out whether a registry follows the specification
    #[command(after_help = conformance::HELP)]
    Conformance(ConformanceArguments),
    /// Find out how a registry differs from others, and write a profile for `longshore mock --profile`
    #[command(after_help = probe::HELP)]
    Probe(ProbeArguments),
    /// Let a client push to different registries and through faults, and report what it does
    #[command(after_help = judge::HELP)]
    Judge(JudgeArguments),
    /// Show a whole push to a built-in registry: what is sent, what a second push costs, and that every byte comes back
    #[command(after_help = exit::HELP)]
    Demo(DemoArguments),
}

/// Options of `longshore demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {
    /// Also write the image into this folder, as an OCI layout that you can push yourself
    #[arg(long, value_name = "DIR")]
    pub(crate) layout: Option<PathBuf>,
}

impl Arguments {
    /// What was given on the command line and, for `longshore mock`, in the environment.
    pub(crate) fn read() -> Self {
        let matches = mock::matches(Self::command());
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// The variables of the environment that are named like options of `longshore mock` and are none.
    pub(crate) fn unknown_variables() -> Vec<String> {
        mock::unknown_variables(Self::command())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        super::mock::with_environment(super::Arguments::command()).debug_assert();
    }
}
