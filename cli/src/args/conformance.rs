//! `longshore conformance`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use longshore_conformance::suite::Version;
use longshore_core::{Digest, Reference, Repository, Scheme};
use longshore_mock_registry::report::Level;

use super::login::{LoginArguments, TrustArguments};
use crate::exit::Error;

/// The repository that is used if none is named.
const REPOSITORY: &str = "longshore/conformance";

/// What `--help` says about the status.
pub(super) const HELP: &str = "\
Each requirement is passed, failed, skipped (the registry does not support it, which the specification allows), known to fail \
(--known-failures), passed although it was known to fail, or an error: it could not be checked, because its preparation failed \
or took too long.

Exit status: 0 no MUST failed or had an error (but for known failures), 1 one did, 2 misuse, 130 stopped by Ctrl-C.";

/// Options of `longshore conformance`.
#[derive(Debug, Args)]
pub(crate) struct ConformanceArguments {
    // No documentation comment: brackets are links there.
    #[arg(
        required_unless_present = "list",
        value_name = "URL",
        value_parser = super::values::Discreet(TestedRegistry::parse),
        help = "The registry, and the repository to work in: [http[s]://]registry[:port][/repository]. The default repository is longshore/conformance"
    )]
    pub(crate) registry: Option<TestedRegistry>,
    /// Use plain HTTP. This is the default for localhost and loopback addresses
    #[arg(long, conflicts_with = "https")]
    pub(crate) plain_http: bool,
    /// Use HTTPS, also on localhost. --ca, --client-cert and --insecure-skip-verify imply it
    #[arg(long)]
    pub(crate) https: bool,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    #[command(flatten)]
    pub(crate) runs: RunArguments,
    #[command(flatten)]
    pub(crate) login: LoginArguments,
    #[command(flatten)]
    pub(crate) trust: TrustArguments,
}

/// What is checked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Requirements")]
pub(crate) struct SelectionArguments {
    /// Show the requirements that would be checked, and send nothing
    #[arg(long)]
    pub(crate) list: bool,
    /// Only requirements whose id contains this text. Can be given more than once
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Vec<String>,
    /// Only requirements of this level or a stronger one
    #[arg(long, value_name = "LEVEL", default_value = "may")]
    pub(crate) level: RequirementLevel,
    /// The version of the specification: 1.0, 1.1, or 1.2 (a draft)
    #[arg(long, value_name = "VERSION", default_value = "1.1")]
    pub(crate) spec: Version,
    /// A TOML file of requirements that are known to fail: a table known-failures with a reason for each id
    #[arg(long, value_name = "FILE")]
    pub(crate) known_failures: Option<PathBuf>,
    /// An existing blob that these credentials may not read, as repository@digest: checks that a mount does not give access to it
    #[arg(long, value_name = "BLOB", value_parser = private_blob)]
    pub(crate) private_blob: Option<(Repository, Digest)>,
}

/// How it is run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArguments {
    /// Write results.json, junit.xml and report.html into this folder, which is made if it does not exist
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Print the report as JSON, in place of the table
    #[arg(long)]
    pub(crate) json: bool,
    /// How many requirements are checked at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// How long the check of one requirement may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) time_limit: Duration,
    /// The second repository, for mounts [default: the name of the first with -second after it]
    #[arg(long, value_name = "NAME")]
    pub(crate) second_repository: Option<Repository>,
    /// Send the same content as the run that had this seed
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

/// How much a requirement is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RequirementLevel {
    // A registry that does otherwise does not conform.
    Must,
    // A registry needs a good reason to do otherwise.
    Should,
    // All.
    May,
}

impl From<RequirementLevel> for Level {
    fn from(level: RequirementLevel) -> Self {
        match level {
            RequirementLevel::Must => Self::Must,
            RequirementLevel::Should => Self::Should,
            RequirementLevel::May => Self::May,
        }
    }
}

/// A registry, the scheme that was written before it, and the repository behind it.
#[derive(Debug, Clone)]
pub(crate) struct TestedRegistry {
    scheme: Option<Scheme>,
    reference: Reference,
}

impl TestedRegistry {
    /// `[http[s]://]registry[:port][/repository]`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            Some((other, _)) => return Err(format!("{other}:// is no scheme of a registry: http:// or https://")),
            None => (None, text),
        };
        let rest = rest.trim_end_matches('/');
        let whole = if rest.contains('/') { rest.to_owned() } else { format!("{rest}/{REPOSITORY}") };
        let reference: Reference = whole.parse().map_err(|error| format!("{error}"))?;
        if reference.tag.is_some() || reference.digest.is_some() {
            return Err("a repository is named without tag and digest".to_owned());
        }
        Ok(Self { scheme, reference })
    }

    /// The registry and the repository, over the scheme that was asked for.
    pub(super) fn reference(&self, plain_http: bool, https: bool, trust: &TrustArguments) -> Result<Reference, Error> {
        let mut reference = self.reference.clone();
        let scheme = match (plain_http, https, self.scheme) {
            (true, _, Some(Scheme::Https)) | (_, true, Some(Scheme::Http)) => {
                return Err(Error::misuse("the URL has one scheme and the option another"));
            }
            (true, ..) => Some(Scheme::Http),
            (_, true, _) => Some(Scheme::Https),
            (_, _, Some(scheme)) => Some(scheme),
            _ => trust.is_about_tls().then_some(Scheme::Https),
        };
        if let Some(scheme) = scheme {
            reference.registry = reference.registry.with_scheme(scheme);
        }
        Ok(reference)
    }
}

impl ConformanceArguments {
    /// The registry and the repository, over the scheme that was asked for.
    pub(crate) fn reference(&self) -> Result<Reference, Error> {
        let registry = self.registry.as_ref().ok_or_else(|| Error::misuse("name a registry"))?;
        registry.reference(self.plain_http, self.https, &self.trust)
    }
}

fn private_blob(text: &str) -> Result<(Repository, Digest), String> {
    let (repository, digest) = text.split_once('@').ok_or("a private blob is written as repository@digest")?;
    let repository = repository.parse().map_err(|error| format!("{error}"))?;
    Ok((repository, digest.parse().map_err(|error| format!("{error}"))?))
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds.into())),
        _ => Err("a number of seconds, from 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_with_and_without_scheme_and_repository() {
        for (text, expected) in [
            ("localhost:5000", "localhost:5000/longshore/conformance"),
            ("http://10.0.0.1:5000/", "10.0.0.1:5000/longshore/conformance"),
            ("https://r.example/a/b", "r.example/a/b"),
        ] {
            let tested: TestedRegistry = TestedRegistry::parse(text).unwrap();
            let reference = tested.reference;
            assert_eq!(format!("{}/{}", reference.registry, reference.repository), expected, "{text}");
        }
        for text in ["ftp://r.example", "r.example/a:tag", ""] {
            assert!(TestedRegistry::parse(text).is_err(), "{text}");
        }
    }
}
