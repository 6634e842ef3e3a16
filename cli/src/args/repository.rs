//! Commands that ask one thing of a repository: `longshore referrers`, `check` and `rm`.

use clap::Args;
use longshore_core::Reference;

use super::connection::ConnectionArguments;
use super::values;

/// Options of `longshore referrers`.
#[derive(Debug, Args)]
pub(crate) struct ReferrersArguments {
    // No documentation comment: brackets are links there.
    #[arg(value_parser = values::Discreet(values::reference), help = "The image or artifact whose referrers are listed: [registry/]repository[:tag][@digest]")]
    pub(crate) reference: Reference,
    /// Only referrers of this artifact type
    #[arg(long, value_name = "TYPE")]
    pub(crate) artifact_type: Option<String>,
    /// Print the list as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

/// Options of `longshore check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    // No documentation comment: brackets are links there.
    #[arg(value_parser = values::Discreet(values::reference), help = "The repository: [registry/]repository")]
    pub(crate) reference: Reference,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

/// Options of `longshore rm`.
#[derive(Debug, Args)]
pub(crate) struct RmArguments {
    // No documentation comment: brackets are links there.
    #[arg(value_parser = values::Discreet(values::reference), help = "What to delete: [registry/]repository:tag, or [registry/]repository@digest")]
    pub(crate) reference: Reference,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}
