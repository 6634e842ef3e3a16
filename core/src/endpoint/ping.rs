//! [`end-1`]: `GET /v2/`.
//!
//! [`end-1`]: https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#endpoints

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::wire::{Head, malformed, succeeded};
use super::{AnswerError, Endpoint, Flaw, Row};
use crate::header::challenges;
use crate::target::TargetError;
use crate::{Origin, Target};

/// Asks whether the origin is a registry (`end-1`). If it answers 401, that answer has the challenge that its other
/// answers may lack ([quirk](crate::quirks) `challenge-missing-www-authenticate`).
#[derive(Debug, Clone, Copy)]
pub struct Ping<'a> {
    /// The registry.
    pub origin: &'a Origin,
}

/// The origin is a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryReached {
    /// The texts of the `WWW-Authenticate` headers. Some registries allow anonymous reads and still send a challenge
    /// here, for other requests ([quirk](crate::quirks) `ping-200-with-challenge`).
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

    /// The body is ignored: some registries send something other than `{}` ([quirk](crate::quirks)
    /// `ping-body-not-object`).
    fn parse(&self, from: &Target, response: &Response<Bytes>) -> Result<RegistryReached, AnswerError> {
        succeeded(self.row(), from, response)?;
        match response.status() {
            StatusCode::OK => Ok(RegistryReached { challenges: challenges(response.headers()) }),
            _ => Err(malformed(self.row(), response, Flaw::Status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::transcript::{answer, origin, parse, play};

    #[test]
    fn end_1() {
        let origin = origin();
        let reached = play(
            "end-1",
            &Ping { origin: &origin },
            "C: GET /v2/ HTTP/1.1
             C: Host: registry.example.org
             C:
             S: HTTP/1.1 200 OK
             S: Content-Length: 2
             S:
             S: {}",
        );
        assert_eq!(reached, Ok(RegistryReached { challenges: Vec::new() }));
    }

    #[test]
    fn a_challenge_is_kept_on_200_and_on_401() {
        let origin = origin();
        let ping = Ping { origin: &origin };
        let headers = [("www-authenticate", "basic realm=reg"), ("www-authenticate", "Bearer realm=\"https://a/t\"")];
        let challenges = vec!["basic realm=reg".to_owned(), "Bearer realm=\"https://a/t\"".to_owned()];
        let reached = parse(&ping, &answer(200, &headers, "true"));
        assert_eq!(reached, Ok(RegistryReached { challenges: challenges.clone() }));
        let error = parse(&ping, &answer(401, &headers, "")).unwrap_err();
        assert_eq!(error.refused().map(|refused| &refused.challenges), Some(&challenges));
        assert_eq!(
            error.to_string(),
            "end-1: the registry refused to reach the registry: 401 Unauthorized \
             (it asks for: basic realm=reg, Bearer realm=\"https://a/t\")"
        );
        assert!(parse(&ping, &answer(404, &[], "")).unwrap_err().is_not_found());
        let why = Flaw::Status;
        let error = parse(&ping, &answer(204, &[], ""));
        assert_eq!(error, Err(AnswerError::Malformed { row: Row::Ping, status: StatusCode::NO_CONTENT, why }));
    }
}
