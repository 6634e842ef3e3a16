//! `--trace FILE`: a line of JSON for each exchange with a registry.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_core::endpoint::Row;
use longshore_core::{Digest, Event};
use serde::Serialize;

use crate::exit::Error;
use crate::files;

/// The file of the lines, if there is one.
///
/// A line has the `time` of its end (seconds since 1970), the `row` of the spec's endpoint table (null for a token
/// service), `method`, `url` (query values that may be secret are left out), `status` (null if there was no answer),
/// the bytes `sent` and `received` in bodies, the `attempt` from 1 on, and the `seconds` it took.
pub(crate) struct Trace(Option<Lines>);

struct Lines {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl Trace {
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self(None)) };
        let file = files::create(path).map_err(|error| failed(path, &error))?;
        Ok(Self(Some(Lines { path: path.to_owned(), writer: BufWriter::new(file) })))
    }

    pub(crate) fn event(&mut self, event: &Event<Digest>) -> Result<(), Error> {
        let (Some(lines), Some(line)) = (&mut self.0, line(event, seconds_since_1970())) else { return Ok(()) };
        // Flushed at once: a trace is read when something hangs.
        let written = writeln!(lines.writer, "{line}").and_then(|()| lines.writer.flush());
        written.map_err(|error| failed(&lines.path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot write the trace {}: {error}", path.display()))
}

fn seconds_since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[derive(Serialize)]
struct Line<'a> {
    time: f64,
    row: Option<&'static str>,
    method: &'a str,
    url: String,
    status: Option<u16>,
    sent: Option<u64>,
    received: u64,
    attempt: u32,
    seconds: f64,
}

fn line(event: &Event<Digest>, time: f64) -> Option<String> {
    let Event::Exchanged { row, method, target, attempt, sent, took, status, received } = event else { return None };
    let line = Line {
        time: in_micros(time),
        row: row.map(Row::id),
        method: method.as_str(),
        url: target.to_string(),
        status: status.map(|status| status.as_u16()),
        sent: *sent,
        received: *received,
        attempt: *attempt,
        seconds: in_micros(took.as_secs_f64()),
    };
    serde_json::to_string(&line).ok()
}

fn in_micros(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{Method, StatusCode};
    use longshore_core::Target;

    use super::*;

    #[test]
    fn i29_a_line_shows_no_signed_query() {
        let event = Event::Exchanged {
            row: Some(Row::CloseUpload),
            method: Method::PUT,
            target: Target::parse("https://storage.example/up?X-Amz-Signature=CANARY&digest=sha256:00").unwrap(),
            attempt: 2,
            sent: Some(5),
            took: Duration::from_micros(1_500_000),
            status: Some(StatusCode::CREATED),
            received: 0,
        };
        let line = line(&event, 1.000_000_1).unwrap();
        let expected = concat!(
            r#"{"time":1.0,"row":"end-6","method":"PUT","#,
            r#""url":"https://storage.example/up?X-Amz-Signature=…&digest=sha256:00","#,
            r#""status":201,"sent":5,"received":0,"attempt":2,"seconds":1.5}"#,
        );
        assert_eq!(line, expected);
    }
}
