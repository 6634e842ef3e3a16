//! What the user of the command can do about a failure: which option helps.

use http::StatusCode;
use longshore_core::driver::NoAnswer;
use longshore_core::endpoint::Row;
use longshore_core::{Failure, FailureKind, Scheme};

use crate::args::LoginArguments;

/// Knows what was said on the command line.
pub(crate) struct Advisor {
    login: Login,
}

/// The source of the credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Login {
    Nobody,
    Password,
    Token,
    Stored,
}

impl Advisor {
    pub(crate) const fn new(arguments: &LoginArguments) -> Self {
        let login = if arguments.anonymous {
            Login::Nobody
        } else if arguments.registry_token_stdin {
            Login::Token
        } else if arguments.username.is_some() {
            Login::Password
        } else {
            Login::Stored
        };
        Self { login }
    }

    /// What went wrong, and what to do about it where an option helps.
    pub(crate) fn sentence(&self, failure: &Failure) -> String {
        match self.advice(failure) {
            Some(advice) => format!("{failure}; {advice}"),
            None => failure.to_string(),
        }
    }

    fn advice(&self, failure: &Failure) -> Option<&'static str> {
        let is_https = failure.target.as_ref().is_some_and(|target| target.origin().scheme() == Scheme::Https);
        match &failure.kind {
            FailureKind::NoAnswer(NoAnswer::Untrusted(_)) if !is_https => Some("--https talks HTTPS to it"),
            FailureKind::NoAnswer(NoAnswer::Untrusted(why)) if why.contains("does not speak TLS") => {
                Some("--plain-http talks plain HTTP to it")
            }
            // A certificate of another name or time is no better for being named.
            FailureKind::NoAnswer(NoAnswer::Untrusted(why)) if why.contains("no CA") || why.contains("a CA's own") => {
                Some("--ca FILE trusts the certificates in that file")
            }
            FailureKind::NoAnswer(NoAnswer::Untrusted(_)) => None,
            FailureKind::Denied(why) | FailureKind::Refused(why) if why.contains("`allow_origin`") => {
                Some("here that is --allow-origin URL, if you trust what is there")
            }
            // If a password was given, the registry's refusal says what else can be done.
            FailureKind::Denied(_) if failure.row != Some(Row::FetchToken) && self.login == Login::Password => None,
            FailureKind::Denied(_) => Some(self.about_credentials()),
            FailureKind::NotReplayable => Some("--chunk-size SIZE sends it in chunks"),
            // A registry that gives a reason does not mean the size.
            FailureKind::TooManySessions { answer, .. }
                if answer.as_ref().is_none_or(|answer| answer.errors.errors.is_empty()) =>
            {
                Some("--chunk-size SIZE sends smaller bodies")
            }
            FailureKind::TooManySessions { .. } => None,
            _ => match failure.refused()?.status {
                StatusCode::PROXY_AUTHENTICATION_REQUIRED => Some(
                    "that was the proxy: HTTP_PROXY and HTTPS_PROXY may name user and password, http://user:password@host",
                ),
                // How servers of TLS answer plain HTTP, where they do so in HTTP.
                StatusCode::BAD_REQUEST if !is_https && failure.to_string().contains("HTTPS") => {
                    Some("--https talks HTTPS to it")
                }
                _ => None,
            },
        }
    }

    /// They were refused, or there are none.
    const fn about_credentials(&self) -> &'static str {
        match self.login {
            Login::Nobody => "--anonymous sends no credentials",
            Login::Password => "check --username and what --password-stdin reads",
            Login::Token => "check what --registry-token-stdin reads",
            Login::Stored => "log in with `docker login` or `skopeo login`, or give --username and --password-stdin",
        }
    }
}
