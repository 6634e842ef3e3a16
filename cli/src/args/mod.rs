//! What can be said on the command line.

mod connection;
mod login;
mod mock;
mod push;
mod values;

use clap::{Parser, Subcommand};

pub(crate) use connection::ConnectionArguments;
pub(crate) use login::{LoginArguments, TrustArguments};
pub(crate) use mock::MockArguments;
pub(crate) use push::PushArguments;

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
    /// Push an OCI image layout to a registry
    #[command(after_help = push::HELP)]
    Push(PushArguments),
    /// Run a registry on this machine, for tests and for trying things
    #[command(after_help = exit::HELP)]
    Mock(MockArguments),
    /// Show a whole push, to a registry of its own: what is sent, what a second push costs, and that every byte comes back
    #[command(after_help = exit::HELP)]
    Demo(DemoArguments),
}

/// Options of `longshore demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        super::Arguments::command().debug_assert();
    }
}
