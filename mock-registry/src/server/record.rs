//! What is written down of each request: for the log, and for those who ask the control address.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::request::Parts;
use serde::Serialize;

use crate::Answer;
use crate::registry::Registry;
use crate::row::row_id;

/// What is written down of a request. Secrets are cut.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RequestRecord {
    /// When it came: seconds since 1970, with six decimals.
    pub time: f64,
    /// Its number, from 1, as faults and breaches name it; nothing where the registry did not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// Its row in the spec's table.
    pub row: String,
    /// The method.
    pub method: String,
    /// The path, with the query, of which only harmless values are shown.
    pub path: String,
    /// The status of the answer, whether it arrived or not.
    pub status: u16,
    /// How many bytes of its body came.
    pub received: u64,
    /// How many bytes the answer's body has.
    pub sent: u64,
    /// How many seconds passed from its head to the beginning of the answer.
    pub seconds: f64,
    /// The faults that struck it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// The rules that it broke.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breaches: Vec<String>,
    /// Why it was refused before the registry saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Its headers, where somebody wants to know them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    #[serde(skip)]
    begun: std::time::Instant,
    #[serde(skip)]
    breaches_before: usize,
}

impl RequestRecord {
    /// Of a head; with its headers, if they are wanted.
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

    /// Of something that was no request.
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

    /// Notes, right after the registry opened it, its number and the faults that struck it.
    pub(super) fn opened(&mut self, registry: &Registry, before: &Before) {
        if registry.requests > before.requests {
            self.request = Some(registry.requests);
        }
        self.faults = registry.struck.iter().skip(before.struck).map(|struck| struck.fault.to_string()).collect();
        self.breaches_before = before.breaches;
    }

    /// Notes, right after the registry answered it, the rules that it broke.
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
        // Text and numbers: nothing here can fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// How far a registry is before a request.
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

/// The query parameters whose values say nothing secret.
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
