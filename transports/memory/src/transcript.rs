//! A transcript of requests and answers.

use std::fmt::{self, Debug, Write};

use bytes::Bytes;
use http::header::HeaderMap;
use http::request::Parts;
use http::{Response, Uri};
use longshore_core::driver::{Body, End, NoAnswer};
use longshore_core::{Instant, Target, text};

use crate::fault::Fault;

/// The headers that are not shown, because they have no effect.
const DULL: [&str; 5] = ["accept", "user-agent", "date", "host", "docker-distribution-api-version"];

/// All requests and answers of a simulation, in the order in which the client sent and received them.
///
/// [`Display`](fmt::Display) writes it as text: `C:` is the client, `S:` the handler, `!:` a fault between them. The
/// text has no secrets: query values that may be secret, and the values of `Authorization`, are left out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Transcript<K> {
    /// The entries, oldest first.
    pub entries: Vec<Entry<K>>,
}

/// One entry of a transcript.
#[derive(Debug, Clone)]
pub struct Entry<K> {
    /// When.
    pub at: Instant,
    /// The number of the request, from 1, in the order of sending; 0 if the entry is about no request.
    pub request: u64,
    /// What happened.
    pub what: Said<K>,
}

/// What happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Said<K> {
    /// The client sends a request.
    Asked {
        /// Its head.
        head: Parts,
        /// Its body.
        body: Body<K>,
    },
    /// The request has a fault.
    Meets(Fault),
    /// The client gets an answer.
    Answered {
        /// The answer, with the part of its body that the client wanted.
        answer: Response<Bytes>,
        /// How its body ended.
        end: End,
    },
    /// The client is told that no answer will come.
    Failed(NoAnswer),
    /// The client aborts the request.
    Aborted,
    /// Another event.
    Note(String),
}

impl<K> Default for Transcript<K> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: Debug> Transcript<K> {
    /// A hash of all requests and answers, byte for byte: the same seed gives the same hash.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::default();
        for entry in &self.entries {
            // A hash takes all that is written to it.
            let _ = writeln!(hash, "{entry:?}");
            // A body prints its length alone.
            if let Said::Asked { body: Body::Bytes(bytes), .. } = &entry.what {
                let _ = writeln!(hash, "{bytes:?}");
            }
        }
        hash.0
    }

    pub(crate) fn add(&mut self, at: Instant, request: u64, what: Said<K>) {
        self.entries.push(Entry { at, request, what });
    }

    /// The URI that a request went to.
    fn uri(&self, request: u64) -> Option<&Uri> {
        self.entries.iter().find_map(|entry| match &entry.what {
            Said::Asked { head, .. } if entry.request == request => Some(&head.uri),
            _ => None,
        })
    }
}

impl<K: Debug> fmt::Display for Transcript<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Entry { at, request, what } in &self.entries {
            let at = Moment(*at);
            match what {
                Said::Asked { head, body } => {
                    writeln!(f, "C: {at} #{request} {} {}", head.method, shown(&head.uri))?;
                    write_headers(f, "C:", &head.headers, None)?;
                    match body {
                        Body::Empty => {}
                        Body::Bytes(bytes) => write_content(f, "C:", Some(&head.uri), bytes)?,
                        Body::Blob { key, range } => writeln!(f, "C:     {key:?} {}..{}", range.start, range.end)?,
                        Body::Rest { key, from } => writeln!(f, "C:     {key:?} {from}..")?,
                    }
                }
                Said::Answered { answer, end } => {
                    let how = match end {
                        End::Complete | End::Poured { .. } => "",
                        End::OverLimit => " (longer than its limit)",
                        End::Cut => " (cut)",
                    };
                    writeln!(f, "S: {at} #{request} {}{how}", answer.status())?;
                    write_headers(f, "S:", answer.headers(), self.uri(*request))?;
                    write_content(f, "S:", self.uri(*request), answer.body())?;
                }
                Said::Meets(fault) => writeln!(f, "!: {at} #{request} meets {fault:?}")?,
                Said::Failed(why) => writeln!(f, "!: {at} #{request} {why}")?,
                Said::Aborted => writeln!(f, "C: {at} #{request} is given up")?,
                Said::Note(what) => writeln!(f, " : {at} {what}")?,
            }
        }
        Ok(())
    }
}

fn write_headers(f: &mut fmt::Formatter<'_>, who: &str, headers: &HeaderMap, from: Option<&Uri>) -> fmt::Result {
    for (name, value) in headers.iter().filter(|(name, _)| !DULL.contains(&name.as_str())) {
        let value = text::shown(&String::from_utf8_lossy(value.as_bytes()));
        let value = match name.as_str() {
            "authorization" | "cookie" | "set-cookie" => hidden(&value),
            "location" => url(from, &value),
            "link" => link(from, &value),
            _ => value,
        };
        writeln!(f, "{who}     {name}: {value}")?;
    }
    Ok(())
}

/// Writes content of a registry. Bodies to and from a token service are secret.
fn write_content(f: &mut fmt::Formatter<'_>, who: &str, uri: Option<&Uri>, content: &[u8]) -> fmt::Result {
    let is_registrys = uri.is_some_and(|uri| uri.path().starts_with("/v2/"));
    match std::str::from_utf8(content) {
        Ok("") => Ok(()),
        Ok(text) if is_registrys && content.len() <= 500 => writeln!(f, "{who}     {}", text::shown(text)),
        _ => writeln!(f, "{who}     {} bytes", content.len()),
    }
}

/// The first word only: the scheme of an authorization.
fn hidden(value: &str) -> String {
    format!("{} …", value.split([' ', '=']).next().unwrap_or_default())
}

/// A URL reference without its parts that may be secret.
fn url(from: Option<&Uri>, reference: &str) -> String {
    let target = from.and_then(target).and_then(|from| from.resolve(reference).ok());
    target.map_or_else(|| "…".to_owned(), |target| target.to_string())
}

fn link(from: Option<&Uri>, value: &str) -> String {
    match value.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((reference, rest)) => format!("<{}>{rest}", url(from, reference)),
        None => "…".to_owned(),
    }
}

fn shown(uri: &Uri) -> String {
    target(uri).map_or_else(|| "…".to_owned(), |target| target.to_string())
}

fn target(uri: &Uri) -> Option<Target> {
    Target::parse(&uri.to_string()).ok()
}

/// Seconds and microseconds.
struct Moment(Instant);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{:3}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

/// FNV-1a with 64 bits. It distinguishes runs, but is not cryptographic.
#[derive(Debug, Clone, Copy)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        Ok(())
    }
}
