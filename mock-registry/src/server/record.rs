//! Records of requests, for the log and the control address.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::request::Parts;
use serde::Serialize;

use crate::Answer;
use crate::registry::Registry;
use crate::row::row_id;

/// The record of a request. Secrets are removed.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RequestRecord {
    /// When the request arrived: seconds since 1970, with six decimals.
    pub time: f64,
    /// The number of the request, from 1, as faults and breaches name it; `None` if the registry did not get the
    /// request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// The id of the row in the spec's endpoint table.
    pub row: String,
    /// The method.
    pub method: String,
    /// The path and the query. Of the query, only the values that are not secret are shown.
    pub path: String,
    /// The status of the answer, even if the answer did not arrive.
    pub status: u16,
    /// The number of bytes of the request's body that were received.
    pub received: u64,
    /// The length of the answer's body in bytes.
    pub sent: u64,
    /// The seconds from the head of the request to the beginning of the answer.
    pub seconds: f64,
    /// The faults that were applied to the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// The rules that the request broke.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breaches: Vec<String>,
    /// Why the request was refused before the registry got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The headers of the request, if they are recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    #[serde(skip)]
    begun: std::time::Instant,
    #[serde(skip)]
    breaches_before: usize,
}

impl RequestRecord {
    /// The record of a head, with its headers if `with_headers` is set.
    pub(super) fn of(head: &Parts, with_headers: bool) -> Self {
        let headers = if with_headers { without_secrets(&head.headers) } else { Vec::new() };
        Self {
            method: head.method.to_string(),
            path: shown(head.uri.path(), head.uri.query()),
            headers,
            ..Self::refused("")
        }
        .not_refused()
    }

    /// The record of bytes that were not a request.
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self {
            time: (since_1970().as_secs_f64() * 1e6).round() / 1e6,
            request: None,
            row: "other".to_owned(),
            method: String::new(),
            path: String::new(),
            status: 400,
            received: 0,
            sent: 0,
            seconds: 0.0,
            faults: Vec::new(),
            breaches: Vec::new(),
            refused: Some(why.into()),
            headers: Vec::new(),
            begun: std::time::Instant::now(),
            breaches_before: 0,
        }
    }

    fn not_refused(mut self) -> Self {
        self.refused = None;
        self
    }

    /// Adds the number of the request and its faults, right after the registry opened it.
    pub(super) fn opened(&mut self, registry: &Registry, before: &Before) {
        if registry.requests > before.requests {
            self.request = Some(registry.requests);
        }
        self.faults = registry.struck.iter().skip(before.struck).map(|struck| struck.fault.to_string()).collect();
        self.breaches_before = before.breaches;
    }

    /// Adds the rules that the request broke, right after the registry answered it.
    pub(super) fn judged(&mut self, registry: &Registry) {
        let breaches = registry.judge.breaches.iter().skip(self.breaches_before);
        let own = breaches.filter(|breach| Some(breach.request) == self.request);
        self.breaches = own.map(|breach| breach.rule.to_owned()).collect();
    }

    pub(super) fn answered(&mut self, answer: &Answer) {
        self.row = row_id(answer.row).to_owned();
        self.status = answer.status.as_u16();
        self.sent = answer.body.len();
        self.seconds = (self.begun.elapsed().as_secs_f64() * 1e6).round() / 1e6;
    }

    /// The record as a line of JSON.
    pub(super) fn line(&self) -> String {
        // Text and numbers cannot fail to be written as JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The counters of a registry before a request.
pub(super) struct Before {
    requests: u64,
    struck: usize,
    breaches: usize,
}

impl Before {
    pub(super) fn of(registry: &Registry) -> Self {
        Self { requests: registry.requests, struck: registry.struck.len(), breaches: registry.judge.breaches.len() }
    }
}

pub(super) fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The headers whose values are secrets.
const SECRET: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-registry-auth"];

fn without_secrets(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let value = match value.split_once(' ') {
            _ if !SECRET.contains(&name.as_str()) => value,
            Some((scheme, _)) if name.as_str().ends_with("authorization") => format!("{scheme} …"),
            _ => "…".to_owned(),
        };
        (name.to_string(), value)
    });
    shown.collect()
}

/// The query parameters whose values are not secret.
const HARMLESS: [&str; 11] =
    ["digest", "digest-algorithm", "mount", "from", "n", "last", "tag", "artifactType", "scope", "service", "ns"];

fn shown(path: &str, query: Option<&str>) -> String {
    let pairs = query.into_iter().flat_map(|query| query.split('&')).map(|pair| match pair.split_once('=') {
        Some((key, _)) if HARMLESS.contains(&key) => pair.to_owned(),
        Some((key, _)) => format!("{key}=…"),
        None => "…".to_owned(),
    });
    let pairs: Vec<String> = pairs.collect();
    if query.is_some() { format!("{path}?{}", pairs.join("&")) } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_values_are_shown() {
        assert_eq!(shown("/v2/", None), "/v2/");
        assert_eq!(
            shown("/v2/a/x", Some("_state=secret&digest=sha256:0&secret")),
            "/v2/a/x?_state=…&digest=sha256:0&…"
        );
        let request = http::Request::get("/").header("authorization", "Basic c2VjcmV0").header("cookie", "a=secret b");
        let head = request.header("accept", "*/*").body(()).unwrap().into_parts().0;
        let headers = RequestRecord::of(&head, true).headers;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(headers, [pair("authorization", "Basic …"), pair("cookie", "…"), pair("accept", "*/*")]);
    }
}
