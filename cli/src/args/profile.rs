//! Which registry `longshore mock` plays.

use clap::Args;

/// Which registry is played.
#[derive(Debug, Args)]
pub(crate) struct ProfileArguments {
    /// The registry to play: a name that --list shows, or your own TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "spec")]
    pub(crate) profile: String,
    /// Change one switch of the profile, such as mount.policy=never or manifests.missing-reference=accepted. Can be given
    /// more than once
    #[arg(long, value_name = "GROUP.SWITCH=VALUE")]
    pub(crate) set: Vec<String>,
    /// Print the registries that can be played, with their quirks and the source of each. With --profile, print only that one
    #[arg(long, conflicts_with = "explain")]
    pub(crate) list: bool,
    /// Print what a quirk is, what a client must do about it, and which registries have it
    #[arg(long, value_name = "QUIRK")]
    pub(crate) explain: Option<String>,
}
