//! `longshore mock`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use longshore_mock_registry::server::Server;

use super::profile::ProfileArguments;

/// Options of `longshore mock`.
#[derive(Debug, Args)]
pub(crate) struct MockArguments {
    /// Address and port to listen on; port 0 takes a free one. Its URL is the first line of standard output
    #[arg(long, value_name = "ADDR", default_value_t = Server::LOOPBACK)]
    pub(crate) listen: SocketAddr,
    /// Answer to this host name too, with any port: a registry that only this machine reaches answers to its own names only.
    /// Can be given more than once
    #[arg(long = "allow-host", value_name = "NAME")]
    pub(crate) allowed_hosts: Vec<String>,
    #[command(flatten)]
    pub(crate) profile: ProfileArguments,
    /// Keep everything in this folder, which is made if need be; otherwise in memory
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Add a line of JSON to this file for each request that is answered
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Speak TLS, with a certificate for this address and localhost, of a CA that is made now
    #[arg(long)]
    pub(crate) tls: bool,
    /// Write the certificate of that CA to this file: for --ca of other commands
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Let in only the users of this htpasswd file (bcrypt); a third field says what each may do: name:hash:team/*=pull,push
    #[arg(long, value_name = "FILE")]
    pub(crate) auth: Option<PathBuf>,
    /// How users say who they are: with a token from the registry's own token service, or in each request. As the profile
    /// has it where nothing is said; with a token where that says nothing
    #[arg(long, value_name = "SCHEME", requires = "auth")]
    pub(crate) auth_scheme: Option<Scheme>,
}

/// How users say who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scheme {
    // With a token.
    Bearer,
    // With name and password.
    Basic,
}
