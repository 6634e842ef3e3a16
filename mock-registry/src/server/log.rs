//! One JSON line for each request that is answered.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::request::Parts;
use serde_json::json;

use crate::{Answer, Row};

/// Where the lines go.
///
/// A line has `time` (seconds since 1970, with six decimals), `row` (of the spec's table), `method`, `path` (with the query,
/// of which only harmless values are shown), `status`, and the bytes `received` and `sent` in bodies.
pub struct Log(Option<Mutex<Box<dyn Write + Send>>>);

impl Log {
    /// No log.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Lines to this writer. One that fails is not asked again.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self(Some(Mutex::new(Box::new(writer))))
    }

    pub(super) fn write(&self, entry: &Entry) {
        if let Some(writer) = &self.0 {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            let line = format!("{}\n", entry.line());
            if writer.write_all(line.as_bytes()).and_then(|()| writer.flush()).is_err() {
                *writer = Box::new(std::io::sink());
            }
        }
    }
}

/// What a line says.
pub(super) struct Entry {
    time: f64,
    row: Row,
    method: String,
    path: String,
    status: u16,
    pub(super) received: u64,
    sent: u64,
}

impl Entry {
    pub(super) fn of(head: &Parts) -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let path = shown(head.uri.path(), head.uri.query());
        Self { time, row: Row::Other, method: head.method.to_string(), path, status: 0, received: 0, sent: 0 }
    }

    pub(super) fn answered(&mut self, answer: &Answer) {
        self.row = answer.row;
        self.status = answer.status.as_u16();
        self.sent = answer.body.len();
    }

    fn line(&self) -> String {
        let time = (self.time * 1e6).round() / 1e6;
        json!({
            "time": time,
            "row": self.row.to_string(),
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "received": self.received,
            "sent": self.sent,
        })
        .to_string()
    }
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
    }
}
