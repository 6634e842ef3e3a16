//! The text form of a fault: a name and values.

use std::fmt;
use std::time::Duration;

use super::error::FaultError;
use super::{Fault, RetryAfter};

/// The text form of each fault, and its effect. Numbers of bytes may end in `KiB`, `MiB` or `GiB`; times end in `us`,
/// `ms` or `s`.
pub const EFFECTS: [(&str, &str); 24] = [
    ("not-sent", "nothing leaves the client: HTTP/2 refuses the stream, HTTP/1 closes the connection unread"),
    ("request-lost", "the connection is closed before the registry sees the request"),
    ("request-reset", "the connection is reset (RST) before the registry sees the request"),
    ("answer-lost", "the registry acts, and its answer is lost"),
    ("answer-reset", "the registry acts, and the connection is reset (RST) instead of an answer"),
    ("body-cut BYTES", "the connection is lost after so many bytes of the request's body"),
    ("head-cut BYTES", "the connection is lost after so many bytes of the answer's head"),
    (
        "answer-cut BYTES",
        "the connection is lost after so many bytes of the answer's body; without a body the answer is lost",
    ),
    ("garbage", "what arrives instead of the answer is no HTTP"),
    ("oversize BYTES", "the answer's body has so many bytes"),
    ("latency TIME", "the answer comes so much later; comes on top of other faults"),
    ("drip-request BYTES", "the request's body is taken in at so many bytes a second; comes on top of other faults"),
    ("drip-answer BYTES", "the answer's body is sent at so many bytes a second; comes on top of other faults"),
    ("bandwidth BYTES", "both bodies go at so many bytes a second; comes on top of other faults"),
    (
        "status CODE [retry-after SECONDS | retry-after date+SECONDS | retry-after TEXT]",
        "somebody on the way answers with this status, and the registry sees nothing",
    ),
    ("redirect CODE [URL]", "somebody on the way redirects to this URL, or to the same one; the registry sees nothing"),
    ("location URL", "the registry acts and answers, with this URL as Location"),
    ("token-expired", "the token is no longer good, nor is any other of the same user"),
    ("blob-not-yet-visible", "blobs are not there for this request"),
    ("hidden-from-get", "content is not there for a GET, though HEAD finds it"),
    ("upload-gone", "the upload is gone"),
    ("upload-missed", "the upload is not found, and is there for the next request"),
    ("twice", "the registry gets the request twice; the answer is the second one"),
    ("health-check", "a load balancer on the way answers 200 with words of its own"),
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent => f.write_str("not-sent"),
            Self::RequestLost => f.write_str("request-lost"),
            Self::RequestReset => f.write_str("request-reset"),
            Self::AnswerLost => f.write_str("answer-lost"),
            Self::AnswerReset => f.write_str("answer-reset"),
            Self::BodyCut(bytes) => write!(f, "body-cut {bytes}"),
            Self::HeadCut(bytes) => write!(f, "head-cut {bytes}"),
            Self::AnswerCut(bytes) => write!(f, "answer-cut {bytes}"),
            Self::Garbage => f.write_str("garbage"),
            Self::Oversize(bytes) => write!(f, "oversize {bytes}"),
            Self::Latency(micros) => write!(f, "latency {micros}us"),
            Self::DripRequest(rate) => write!(f, "drip-request {rate}"),
            Self::DripAnswer(rate) => write!(f, "drip-answer {rate}"),
            Self::Bandwidth(rate) => write!(f, "bandwidth {rate}"),
            Self::Status(status, None) => write!(f, "status {status}"),
            Self::Status(status, Some(retry_after)) => write!(f, "status {status} retry-after {retry_after}"),
            Self::Redirect(status, None) => write!(f, "redirect {status}"),
            Self::Redirect(status, Some(url)) => write!(f, "redirect {status} {url}"),
            Self::Location(url) => write!(f, "location {url}"),
            Self::TokenExpired => f.write_str("token-expired"),
            Self::BlobNotYetVisible => f.write_str("blob-not-yet-visible"),
            Self::HiddenFromGet => f.write_str("hidden-from-get"),
            Self::UploadGone => f.write_str("upload-gone"),
            Self::UploadMissed => f.write_str("upload-missed"),
            Self::Twice => f.write_str("twice"),
            Self::HealthCheck => f.write_str("health-check"),
        }
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::Date(seconds) => write!(f, "date+{seconds}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The name in an entry of [`EFFECTS`].
pub(super) fn name_of(form: &str) -> &str {
    form.split(' ').next().unwrap_or_default()
}

/// Reads a fault from its name and values.
pub(super) fn fault(text: &str) -> Result<Fault, FaultError> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let values: Vec<&str> = words.collect();
    let Some((form, _)) = EFFECTS.iter().find(|(form, _)| name_of(form) == name) else {
        return Err(FaultError::unknown_fault(name, EFFECTS.iter().map(|(form, _)| name_of(form))));
    };
    read(name, &values).ok_or_else(|| FaultError::BadValues { given: text.chars().take(256).collect(), form })
}

fn read(name: &str, values: &[&str]) -> Option<Fault> {
    Some(match (name, values) {
        ("not-sent", []) => Fault::NotSent,
        ("request-lost", []) => Fault::RequestLost,
        ("request-reset", []) => Fault::RequestReset,
        ("answer-lost", []) => Fault::AnswerLost,
        ("answer-reset", []) => Fault::AnswerReset,
        ("body-cut", [after]) => Fault::BodyCut(bytes(after)?),
        ("head-cut", [after]) => Fault::HeadCut(bytes(after)?),
        ("answer-cut", [after]) => Fault::AnswerCut(bytes(after)?),
        ("garbage", []) => Fault::Garbage,
        ("oversize", [size]) => Fault::Oversize(bytes(size)?),
        ("latency", [given]) => Fault::Latency(u64::try_from(time(given)?.as_micros()).ok()?),
        ("drip-request", [rate]) => Fault::DripRequest(bytes(rate).filter(|rate| *rate > 0)?),
        ("drip-answer", [rate]) => Fault::DripAnswer(bytes(rate).filter(|rate| *rate > 0)?),
        ("bandwidth", [rate]) => Fault::Bandwidth(bytes(rate).filter(|rate| *rate > 0)?),
        ("status", [code]) => Fault::Status(status(code)?, None),
        ("status", [code, "retry-after", rest @ ..]) if !rest.is_empty() => {
            Fault::Status(status(code)?, Some(retry_after(&rest.join(" "))?))
        }
        ("redirect", [code]) => Fault::Redirect(status(code)?, None),
        ("redirect", [code, url]) => Fault::Redirect(status(code)?, Some((*url).to_owned())),
        ("location", [url]) => Fault::Location((*url).to_owned()),
        ("token-expired", []) => Fault::TokenExpired,
        ("blob-not-yet-visible", []) => Fault::BlobNotYetVisible,
        ("hidden-from-get", []) => Fault::HiddenFromGet,
        ("upload-gone", []) => Fault::UploadGone,
        ("upload-missed", []) => Fault::UploadMissed,
        ("twice", []) => Fault::Twice,
        ("health-check", []) => Fault::HealthCheck,
        _ => return None,
    })
}

fn status(text: &str) -> Option<u16> {
    text.parse().ok().filter(|code| (100..1000).contains(code))
}

fn retry_after(text: &str) -> Option<RetryAfter> {
    if let Some(seconds) = text.strip_prefix("date+") {
        return seconds.parse().ok().map(RetryAfter::Date);
    }
    Some(match text.parse() {
        Ok(seconds) => RetryAfter::Seconds(seconds),
        Err(_) => RetryAfter::Text(text.to_owned()),
    })
}

/// A number of bytes, with or without a unit.
fn bytes(text: &str) -> Option<u64> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let unit = units.into_iter().find_map(|(unit, power)| Some((text.strip_suffix(unit)?, power)));
    let (number, power) = unit.unwrap_or((text, 0));
    number.parse::<u64>().ok()?.checked_mul(1 << power)
}

/// A time, with its unit.
pub(super) fn time(text: &str) -> Option<Duration> {
    let units = [("us", 1), ("ms", 1000), ("s", 1_000_000)];
    let (number, micros) = units.into_iter().find_map(|(unit, micros)| Some((text.strip_suffix(unit)?, micros)))?;
    number.parse::<u64>().ok()?.checked_mul(micros).map(Duration::from_micros)
}
