//! What was said, as text.

use std::fmt::{self, Debug, Write};

use bytes::Bytes;
use http::header::HeaderMap;
use http::request::Parts;
use http::{Response, Uri};
use longshore_core::driver::{Body, End, NoAnswer};
use longshore_core::{Instant, Target, text};

use crate::fault::Fault;

/// The headers that are left out: they say nothing about what happens.
const DULL: [&str; 5] = ["accept", "user-agent", "date", "host", "docker-distribution-api-version"];

/// The exchanges of a simulation, to read: `C:` is the client, `S:` the other side, `!:` what went wrong between them.
///
/// No secret is in it: query values that may be secret and the values of `Authorization` are left out, though they count
/// for [`Transcript::fingerprint`].
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    text: String,
    fingerprint: Fnv,
}

impl Transcript {
    /// A number made of everything that was sent and answered, byte for byte.
    /// The same seed gives the same one, and what is left out of the text counts too.
    #[must_use]
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint.0
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn asked<K: Debug>(&mut self, now: Instant, ordinal: u64, head: &Parts, body: &Body<K>) {
        self.fingerprint.line(format_args!("{now:?} {} {} {:?} {body:?}", head.method, head.uri, head.headers));
        let at = Moment(now);
        self.line(format_args!("C: {at} #{ordinal} {} {}", head.method, shown(&head.uri)));
        self.headers("C:", &head.headers, None);
        match body {
            Body::Empty => {}
            Body::Bytes(bytes) => self.line(format_args!("C:     {} bytes", bytes.len())),
            Body::Blob { key, range } => self.line(format_args!("C:     {key:?} {}..{}", range.start, range.end)),
            Body::Rest { key, from } => self.line(format_args!("C:     {key:?} {from}..")),
        }
    }

    pub(crate) fn answered(&mut self, now: Instant, ordinal: u64, uri: &Uri, answer: &Response<Bytes>, end: End) {
        self.fingerprint.line(format_args!("{now:?} {answer:?} {end:?}"));
        let how = match end {
            End::Complete | End::Poured { .. } => "",
            End::OverLimit => " (longer than its limit)",
            End::Cut => " (cut)",
        };
        self.line(format_args!("S: {} #{ordinal} {}{how}", Moment(now), answer.status()));
        self.headers("S:", answer.headers(), Some(uri));
        if !answer.body().is_empty() {
            let text = String::from_utf8_lossy(answer.body());
            let is_text = answer.body().len() <= 200 && !text.contains(char::REPLACEMENT_CHARACTER);
            match is_text {
                true => self.line(format_args!("S:     {}", text::shown(&text))),
                false => self.line(format_args!("S:     {} bytes", answer.body().len())),
            }
        }
    }

    pub(crate) fn failed(&mut self, now: Instant, ordinal: u64, why: &NoAnswer) {
        self.fingerprint.line(format_args!("{now:?} {why:?}"));
        self.line(format_args!("!: {} #{ordinal} {why}", Moment(now)));
    }

    pub(crate) fn fault(&mut self, now: Instant, ordinal: u64, fault: &Fault) {
        self.line(format_args!("!: {} #{ordinal} meets {fault:?}", Moment(now)));
    }

    pub(crate) fn note(&mut self, now: Instant, what: fmt::Arguments<'_>) {
        self.fingerprint.line(what);
        self.line(format_args!(" : {} {what}", Moment(now)));
    }

    fn headers(&mut self, who: &str, headers: &HeaderMap, from: Option<&Uri>) {
        for (name, value) in headers {
            if DULL.contains(&name.as_str()) {
                continue;
            }
            let value = text::shown(&String::from_utf8_lossy(value.as_bytes()));
            let value = match name.as_str() {
                "authorization" | "cookie" | "set-cookie" => hidden(&value),
                "location" => url(from, &value),
                "link" => link(from, &value),
                _ => value,
            };
            self.line(format_args!("{who}     {name}: {value}"));
        }
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        let _ = writeln!(self.text, "{line}");
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The first word only: the scheme of an authorization.
fn hidden(value: &str) -> String {
    format!("{} …", value.split([' ', '=']).next().unwrap_or_default())
}

/// A URL reference without what may be secret in it.
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

/// FNV-1a of 64 bits: it tells one run from another, and proves nothing.
#[derive(Debug, Clone, Copy)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        let _ = self.write_fmt(line);
        let _ = self.write_char('\n');
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
