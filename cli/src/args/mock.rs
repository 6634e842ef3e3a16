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
Each option can be given as an environment variable: LONGSHORE_MOCK_LISTEN for --listen. What can be given more than once
stands in lines there; a flag is on for 1, true or yes.
The first line of standard output is the URL, once connections are taken in; GET /healthz asks for no more.
Exit status: 0 done, 1 refused or failed, or with --strict a client broke a MUST, 2 misuse.";

/// How the names of the variables begin that stand for options.
const VARIABLES: &str = "LONGSHORE_MOCK_";

/// Options of `longshore mock`.
#[derive(Debug, Args)]
pub(crate) struct MockArguments {
    /// Where to listen: 127.0.0.1:5000, localhost:0, or :5000 for all addresses; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
    /// The URL under which clients reach it, whatever they ask for: for a registry behind a proxy
    #[arg(long, value_name = "URL", value_parser = values::origin)]
    pub(crate) external_url: Option<Origin>,
    /// Answer to this host name too, with any port: a registry that only this machine reaches answers to its own names only.
    /// Can be given more than once
    #[arg(long = "allow-host", value_name = "NAME")]
    pub(crate) allowed_hosts: Vec<String>,
    /// Answer what web pages of other sites send, too
    #[arg(long)]
    pub(crate) allow_cross_origin: bool,
    #[command(flatten)]
    pub(crate) profile: ProfileArguments,
    /// Something that goes wrong, such as 'PATCH#2: answer-lost' or 'every p=0.1: status 503 retry-after 7'. Can be given more
    /// than once
    #[arg(long = "fault", value_name = "RULE", value_parser = values::faults)]
    pub(crate) faults: Vec<Faults>,
    /// Read what goes wrong from this file, a rule a line
    #[arg(long = "faults", value_name = "FILE")]
    pub(crate) fault_file: Option<PathBuf>,
    /// Make ids, tokens and chances from this number: the same number, the same run
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Write at the end what clients did wrong: as JSON, as JUnit where the name ends in .xml, or to standard output for -
    #[arg(long, value_name = "FILE")]
    pub(crate) judge: Option<PathBuf>,
    /// End with status 1 where a client broke a MUST
    #[arg(long)]
    pub(crate) strict: bool,
    /// Listen here for tests that steer the registry; the second line of standard output is the URL and its token
    #[arg(long, value_name = "ADDR")]
    pub(crate) control: Option<String>,
    #[arg(
        long = "load",
        value_name = "LAYOUT[=NAME]",
        help = "Have this image at the start: an OCI layout in a folder or tar, of which LAYOUT:NAME is one image. NAME is what it is called here, repository[:tag]; without it, the layout says that. Can be given more than once"
    )]
    pub(crate) layouts: Vec<String>,
    /// Keep everything in this folder, which is made if need be; otherwise in memory
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Read every blob of the folder at the start, and leave out those whose bytes changed
    #[arg(long, requires = "data_dir")]
    pub(crate) check: bool,
    /// Add a line of JSON to this file, or to standard output for -, for each request
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Speak TLS, with a certificate for this address and localhost, of a CA that is made now
    #[arg(long)]
    pub(crate) tls: bool,
    /// Write the certificate of that CA to this file: for --ca of other commands
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Speak TLS with this certificate, as PEM, and those that signed it behind it
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of that certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Let in only the users of this htpasswd file (bcrypt); a third field says what each may do: name:hash:team/*=pull,push
    #[arg(long, value_name = "FILE")]
    pub(crate) auth: Option<PathBuf>,
    /// How users say who they are: with a token from the registry's own token service, or in each request. As the profile
    /// has it where nothing is said; with a token where that says nothing
    #[arg(long, value_name = "SCHEME", requires = "auth")]
    pub(crate) auth_scheme: Option<Scheme>,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

/// How users say who they are.
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

/// All that was said on the command line and in the environment.
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
