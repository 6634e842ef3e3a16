//! Which registry `longshore mock` plays.

use clap::Args;

/// Which registry is played.
#[derive(Debug, Args)]
pub(crate) struct ProfileArguments {
    /// Play this registry: a name that --list shows, or a TOML file of one's own
    #[arg(long, value_name = "NAME|FILE", default_value = "spec")]
    pub(crate) profile: String,
    /// Set one switch otherwise than the profile, such as mount.policy=never or manifests.missing-reference=accepted. Can be
    /// given more than once
    #[arg(long, value_name = "GROUP.SWITCH=VALUE")]
    pub(crate) set: Vec<String>,
    /// Print the registries that can be played, their quirks, and the source of each; with --profile that one alone
    #[arg(long, conflicts_with = "explain")]
    pub(crate) list: bool,
    /// Print what a quirk is, what a client makes of it, and which registries have it
    #[arg(long, value_name = "QUIRK")]
    pub(crate) explain: Option<String>,
}
