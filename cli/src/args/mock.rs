//! `longshore mock`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, ArgMatches, Args, Command, ValueEnum};
use longshore_core::Origin;
use longshore_mock_registry::fault::Faults;

use super::limits::LimitArguments;
use super::profile::ProfileArguments;
use super::values;

/// What `--help` says at its end.
pub(crate) const HELP: &str = "\
Each option can also be given as an environment variable: LONGSHORE_MOCK_LISTEN for --listen. An option that can be given more \
than once has one value in each line there, and a flag is set by 1, true or yes.
The first line of standard output is the URL. It is printed when connections are accepted, as GET /healthz shows, too.
Exit status: 0 done, 1 refused or failed, or with --strict a client broke a MUST, 2 misuse.";

/// How the names of the variables begin that stand for options.
const VARIABLES: &str = "LONGSHORE_MOCK_";

/// Options of `longshore mock`.
#[derive(Debug, Args)]
pub(crate) struct MockArguments {
    /// The address to listen on: 127.0.0.1:5000, localhost:0, or :5000 for all addresses. Port 0 takes a free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
    /// The URL at which clients reach the registry, if it is behind a proxy. Its answers use this URL, whatever host was requested
    #[arg(long, value_name = "URL", value_parser = values::Discreet(values::origin))]
    pub(crate) external_url: Option<Origin>,
    /// Also answer to this host name, with any port. A registry on a loopback address answers to this machine's names only.
    /// Can be given more than once
    #[arg(long = "allow-host", value_name = "NAME")]
    pub(crate) allowed_hosts: Vec<String>,
    /// Also answer requests from web pages of other sites
    #[arg(long)]
    pub(crate) allow_cross_origin: bool,
    #[command(flatten)]
    pub(crate) profile: ProfileArguments,
    /// Add a fault, such as 'PATCH#2: answer-lost' or 'every p=0.1: status 503 retry-after 7'. Can be given more than once
    #[arg(long = "fault", value_name = "RULE", value_parser = values::faults)]
    pub(crate) faults: Vec<Faults>,
    /// Read faults from this file, one in each line
    #[arg(long = "faults", value_name = "FILE")]
    pub(crate) fault_file: Option<PathBuf>,
    /// Derive ids, tokens and chances from this number: the same number gives the same run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// At the end, write what clients did wrong: as JSON, as JUnit if the name ends in .xml, or to standard output for -
    #[arg(long, value_name = "FILE")]
    pub(crate) judge: Option<PathBuf>,
    /// End with status 1 if a client broke a MUST
    #[arg(long)]
    pub(crate) strict: bool,
    /// Also listen on this address for tests that control the registry. The second line of standard output is this URL and its token
    #[arg(long, value_name = "ADDR")]
    pub(crate) control: Option<String>,
    #[arg(
        long = "load",
        value_name = "LAYOUT[=NAME]",
        help = "Start with this image, from an OCI layout in a folder or tar; LAYOUT:NAME selects one image of several. NAME is its repository[:tag] in the registry; by default the layout names it. Can be given more than once"
    )]
    pub(crate) layouts: Vec<String>,
    /// Keep everything in this folder, which is made if it does not exist. By default, everything is in memory
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Read every blob of the folder at the start, and leave out those whose bytes have changed
    #[arg(long, requires = "data_dir")]
    pub(crate) check: bool,
    /// Append a line of JSON for each request to this file, or to standard output for -
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Use TLS, with a certificate for this address and localhost, issued by a CA that is made at the start
    #[arg(long)]
    pub(crate) tls: bool,
    /// Write the certificate of that CA to this file, for --ca of other commands
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Use TLS with this certificate (PEM, with its chain)
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Admit only the users of this htpasswd file (bcrypt). A third field limits what a user may do: name:hash:team/*=pull,push
    #[arg(long, value_name = "FILE")]
    pub(crate) auth: Option<PathBuf>,
    /// How users authenticate: with a token from the registry's own token service, or with the password in each request. By default
    /// as in the profile, or else with a token
    #[arg(long, value_name = "SCHEME", requires = "auth")]
    pub(crate) auth_scheme: Option<Scheme>,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

/// How users authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scheme {
    // With a token.
    Bearer,
    // With name and password.
    Basic,
}

/// Lets every option of `longshore mock` be given by an environment variable.
pub(crate) fn with_environment(command: Command) -> Command {
    command.mut_subcommand("mock", |mock| {
        mock.mut_args(|argument| match argument.get_long() {
            Some(long) if long != "help" => {
                let name = format!("{VARIABLES}{}", long.to_uppercase().replace('-', "_"));
                let argument = match argument.get_action() {
                    ArgAction::Append => argument.value_delimiter('\n'),
                    ArgAction::SetTrue => argument.value_parser(BoolishValueParser::new()),
                    _ => argument,
                };
                argument.env(OsString::from(name)).hide_env(true)
            }
            _ => argument,
        })
    })
}

/// All that was given on the command line and in the environment.
pub(crate) fn matches(command: Command) -> ArgMatches {
    with_environment(command).get_matches()
}

/// The variables of the environment that are named like options of `longshore mock` and are none.
pub(crate) fn unknown_variables(command: Command) -> Vec<String> {
    let command = with_environment(command);
    let options = command.find_subcommand("mock").into_iter().flat_map(Command::get_arguments);
    let known: Vec<_> = options.filter_map(|option| option.get_env()).collect();
    let given = std::env::vars_os().map(|(name, _)| name).filter(|name| !known.contains(&name.as_os_str()));
    given.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(VARIABLES)).collect()
}
