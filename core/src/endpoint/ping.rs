//! `end-1`: `GET /v2/`.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::wire::{Head, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, Row};
use crate::header::challenges;
use crate::target::TargetError;
use crate::{Origin, Target};

/// Asks whether there is a registry (`end-1`). Its refusal, a 401, carries the challenge that the registry's other
/// refusals may lack (quirk `challenge-missing-www-authenticate`).
#[derive(Debug, Clone, Copy)]
pub struct Ping<'a> {
    /// The registry.
    pub origin: &'a Origin,
}

/// There is a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryReached {
    /// The texts of the `WWW-Authenticate` headers: some registries let anybody read, and say here how to log in for the
    /// rest (quirk `ping-200-with-challenge`).
    pub challenges: Vec<String>,
}

impl Endpoint for Ping<'_> {
    type Output = RegistryReached;

    fn row(&self) -> Row {
        Row::Ping
    }

    fn target(&self) -> Target {
        Target::of_names(self.origin, "/v2/".to_owned())
    }

    fn request(&self) -> Result<Request<()>, TargetError> {
        Ok(Head::new(self.row(), &self.target())?.done())
    }

    /// The body is not looked at: it is anything but `{}` with some registries (quirk `ping-body-not-object`).
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<RegistryReached, AnswerError> {
        succeeded(self.row(), from, response)?;
        match response.status() {
            StatusCode::OK => Ok(RegistryReached { challenges: challenges(response.headers()) }),
            _ => Err(malformed(self.row(), response, Flaw::Status)),
        }
    }
}
