//! An answer, with the methods by which checks examine it.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Response};
use longshore_core::target::{Source, admit};
use longshore_core::text::{shown, shown_bytes};
use longshore_core::{Digest, Target};
use serde_json::Value;

use super::stop::{Finding, Stop};
use super::tested::TestedRegistry;

/// The error codes of the specification.
pub(super) const ERROR_CODES: [&str; 14] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
];

/// An answer. Its methods stop the check if the answer is not as expected.
#[derive(Clone)]
pub(super) struct Received<'c, 'a> {
    tested: &'c TestedRegistry<'a>,
    at: usize,
    from: Target,
    response: Response<Bytes>,
}

impl<'c, 'a> Received<'c, 'a> {
    pub(super) const fn new(
        tested: &'c TestedRegistry<'a>,
        at: usize,
        from: Target,
        response: Response<Bytes>,
    ) -> Self {
        Self { tested, at, from, response }
    }

    pub(super) fn code(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(super) fn is_success(&self) -> bool {
        self.response.status().is_success()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    pub(super) fn bytes(&self) -> &Bytes {
        self.response.body()
    }

    /// The end of the check, because this answer is not as expected.
    pub(super) fn fail(&self, expected: impl fmt::Display, found: impl fmt::Display) -> Stop {
        Stop::Failed(Finding {
            expected: expected.to_string(),
            found: shown(&found.to_string()),
            exchange: Some(self.at),
        })
    }

    /// Expects this status.
    pub(super) fn status(self, expected: u16) -> Result<Self, Stop> {
        self.status_of(&[expected])
    }

    /// Expects one of these statuses.
    pub(super) fn status_of(self, expected: &[u16]) -> Result<Self, Stop> {
        if expected.contains(&self.code()) {
            return Ok(self);
        }
        let list: Vec<String> = expected.iter().map(ToString::to_string).collect();
        Err(self.fail(format!("status {}", list.join(" or ")), self.summary()))
    }

    /// Expects any status of success, for a part that the check is not about.
    pub(super) fn done(self) -> Result<Self, Stop> {
        if self.is_success() { Ok(self) } else { Err(self.fail("a status of success", self.summary())) }
    }

    /// Expects any status of success, for a part that the check needs. Without it the check has no result.
    pub(super) fn prepared(self) -> Result<Self, Stop> {
        if self.is_success() { Ok(self) } else { Err(Stop::NotPrepared(self.summary())) }
    }

    /// Expects a refusal: 4xx.
    pub(super) fn refused(self) -> Result<Self, Stop> {
        if self.response.status().is_client_error() { Ok(self) } else { Err(self.fail("status 4xx", self.summary())) }
    }

    /// The status, and the beginning of the message of a refusal.
    pub(super) fn summary(&self) -> String {
        let body = self.bytes();
        match body.is_empty() || self.is_success() {
            true => format!("status {}", self.code()),
            false => format!("status {}: {}", self.code(), shown_bytes(body[..body.len().min(300)].trim_ascii())),
        }
    }

    /// A header, which is expected exactly once.
    pub(super) fn header(&self, name: &str) -> Result<String, Stop> {
        match self.header_if_any(name)? {
            Some(value) => Ok(value),
            None => Err(self.fail(format!("a header {name}"), "none")),
        }
    }

    /// A header, which is expected at most once.
    pub(super) fn header_if_any(&self, name: &str) -> Result<Option<String>, Stop> {
        let mut all = self.headers().get_all(name).iter();
        let Some(value) = all.next() else { return Ok(None) };
        let text = || value.to_str().map(str::to_owned);
        match (all.next(), text()) {
            (None, Ok(text)) => Ok(Some(text)),
            (Some(_), _) => Err(self.fail(format!("one header {name}"), "several")),
            (None, Err(_)) => Err(self.fail(format!("visible ASCII in {name}"), shown_bytes(value.as_bytes()))),
        }
    }

    /// Expects a header with this value.
    pub(super) fn says(self, name: &str, expected: &str) -> Result<Self, Stop> {
        let value = self.header(name)?;
        if value == expected {
            Ok(self)
        } else {
            Err(self.fail(format!("{name}: {expected}"), format!("{name}: {value}")))
        }
    }

    /// Expects that a header is absent or has this value.
    pub(super) fn says_if_any(self, name: &str, expected: &str) -> Result<Self, Stop> {
        if self.headers().contains_key(name) { self.says(name, expected) } else { Ok(self) }
    }

    /// Expects this body.
    pub(super) fn body(self, expected: &[u8]) -> Result<Self, Stop> {
        if self.bytes() == expected {
            return Ok(self);
        }
        Err(self.fail(format!("the {} bytes that were stored", expected.len()), self.difference(expected)))
    }

    /// Expects of a 206 that its body is the part of `whole` that its `Content-Range` names.
    pub(super) fn part_of(self, whole: &[u8]) -> Result<Self, Stop> {
        let named = self.header("content-range")?;
        let range = || {
            let (range, _) = named.strip_prefix("bytes ")?.split_once('/')?;
            let (first, last) = range.split_once('-')?;
            whole.get(first.parse().ok()?..=last.parse().ok()?)
        };
        let Some(part) = range() else {
            return Err(self.fail(format!("a range within the {} bytes that were stored", whole.len()), named));
        };
        match self.bytes() == part {
            true => Ok(self),
            false => Err(self.fail(format!("the {} bytes of {named}", part.len()), self.difference(part))),
        }
    }

    /// How the body differs from what is expected.
    fn difference(&self, expected: &[u8]) -> String {
        let body = self.bytes();
        match body.iter().zip(expected).position(|(one, other)| one != other) {
            Some(at) => format!("{} bytes, of which the one at {at} is the first other one", body.len()),
            None => format!("{} of them", body.len()),
        }
    }

    /// All values of a header that is a list.
    pub(super) fn header_values(&self, name: &str) -> Vec<String> {
        let split = |value: String| value.split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>();
        self.raw_values(name).into_iter().flat_map(split).collect()
    }

    /// All values of a header, as they were received.
    pub(super) fn raw_values(&self, name: &str) -> Vec<String> {
        let values = self.headers().get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }

    /// The target of the request that was answered.
    pub(super) const fn from(&self) -> &Target {
        &self.from
    }

    /// Resolves a URL reference from this answer.
    pub(super) fn resolve(&self, reference: &str) -> Result<Target, Stop> {
        let resolved = self.from.resolve(reference);
        resolved.map_err(|error| self.fail("a URL", format!("{reference}: {error}")))
    }

    /// The target of `Location`, to which the client must be allowed to send requests.
    pub(super) fn location(&self) -> Result<Target, Stop> {
        let location = self.header("location")?;
        let bad = |why: String| self.fail("a Location that leads somewhere", why);
        let target = self.from.resolve(&location).map_err(|error| bad(format!("{location}: {error}")))?;
        let signer = self.tested.around.signer;
        let admitted = admit(signer.policy(), signer.registry(), &self.from, target, Source::Location);
        admitted.map(|admitted| admitted.target).map_err(|refusal| bad(refusal.to_string()))
    }

    /// Expects a JSON body.
    pub(super) fn json(&self) -> Result<Value, Stop> {
        serde_json::from_slice(self.bytes()).map_err(|error| self.fail("a body of JSON", format!("{error}")))
    }

    /// The codes of its errors; empty if its body is not JSON.
    pub(super) fn error_codes(&self) -> Vec<String> {
        let Ok(body) = serde_json::from_slice::<Value>(self.bytes()) else { return Vec::new() };
        let errors = body["errors"].as_array().into_iter().flatten();
        errors.filter_map(|error| error["code"].as_str().map(str::to_owned)).collect()
    }

    /// Expects that, if the body is JSON, one of its error codes is among these.
    pub(super) fn error(self, expected: &[&str]) -> Result<Self, Stop> {
        if self.json().is_err() {
            return Ok(self);
        }
        let codes = self.error_codes();
        if codes.iter().any(|code| expected.contains(&code.as_str())) {
            return Ok(self);
        }
        let found = if codes.is_empty() { "no code".to_owned() } else { codes.join(", ") };
        Err(self.fail(format!("the error code {}", expected.join(" or ")), found))
    }

    /// Expects `Docker-Content-Digest`. If it has the same algorithm, it must be this digest.
    pub(super) fn names(self, digest: &Digest) -> Result<Self, Stop> {
        let value = self.header("docker-content-digest")?;
        self.named(digest, &value)
    }

    /// Expects that `Docker-Content-Digest` is absent or is this digest.
    pub(super) fn names_if_any(self, digest: &Digest) -> Result<Self, Stop> {
        match self.header_if_any("docker-content-digest")? {
            Some(value) => self.named(digest, &value),
            None => Ok(self),
        }
    }

    fn named(self, digest: &Digest, value: &str) -> Result<Self, Stop> {
        let expected = || format!("docker-content-digest: {digest}");
        match value.parse::<Digest>() {
            Ok(named) if named.algorithm() != digest.algorithm() || named == *digest => Ok(self),
            Ok(named) => Err(self.fail(expected(), named)),
            Err(error) => Err(self.fail(expected(), format!("{value}: {error}"))),
        }
    }
}
