//! Who one is to a registry, and whom one trusts.

use std::path::PathBuf;

use clap::Args;
use longshore_core::Origin;

use super::values;

/// Who one is. Secrets are read from standard input only: arguments can be seen by every user of the machine.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Credentials (default: what `docker login` or `skopeo login` has stored)")]
pub(crate) struct LoginArguments {
    /// The user name. Give the password with --password-stdin
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    pub(crate) username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,
    /// Read a bearer token for the registry from standard input. It is sent as it is, and no token service is asked
    #[arg(long, conflicts_with_all = ["username", "password_stdin"])]
    pub(crate) registry_token_stdin: bool,
    /// Use no credentials
    #[arg(long, conflicts_with_all = ["username", "password_stdin", "registry_token_stdin"])]
    pub(crate) anonymous: bool,
}

/// Whom one trusts.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Trust")]
pub(crate) struct TrustArguments {
    /// Also trust the certificates in this PEM file: those of CAs, or the server's own. Can be given more than once
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Vec<PathBuf>,
    /// The client certificate for the registry (PEM, with its chain)
    #[arg(long, value_name = "FILE", requires = "client_key", conflicts_with = "plain_http")]
    pub(crate) client_cert: Option<PathBuf>,
    /// The key of the client certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Accept any certificate from the registry. An attacker in the network can then read and change what is sent
    #[arg(long, conflicts_with = "plain_http")]
    pub(crate) insecure_skip_verify: bool,
    /// Let the registry refer to this origin, even over plain HTTP or in a private network: for its storage or token service. Can be given more than once
    #[arg(long = "allow-origin", value_name = "URL", value_parser = values::Discreet(values::origin))]
    pub(crate) allowed_origins: Vec<Origin>,
}

impl TrustArguments {
    /// Whether something was said that makes sense with TLS alone.
    pub(super) const fn is_about_tls(&self) -> bool {
        !self.ca.is_empty() || self.client_cert.is_some() || self.insecure_skip_verify
    }
}
