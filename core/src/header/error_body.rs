//! The body of an error. The spec defines one form, registries send many others, and reading them never fails.

use std::fmt;

use serde_json::{Map, Value};

use super::text::{self, MAX_TEXT};
use crate::text::shown;

/// The longest body that is read as JSON, in bytes. Of a longer body only the beginning is kept, as text.
const MAX_BODY: usize = 64 * 1024;
/// The most errors of one body that are kept.
const MAX_ERRORS: usize = 16;
/// The longest code that is kept, in bytes.
const MAX_CODE: usize = 128;
/// How many errors `Display` shows.
const SHOWN_ERRORS: usize = 4;

/// What a registry says about an error: JSON in the spec's form or in another one, HTML, text or nothing
/// ([quirks](crate::quirks) `error-body-shapes`, `error-codes-non-spec`, `429-non-json-body`).
///
/// [`Display`](fmt::Display) shows it in one line that is safe for a terminal. The line is for people: a program
/// decides by the status first, by the code second, and never by a message alone.
///
/// ```
/// use longshore_core::header::ErrorBody;
///
/// let body = ErrorBody::read(br#"{"errors":[{"code":"DENIED","message":"no push for you"}]}"#);
/// assert!(body.has_code("DENIED"));
/// assert_eq!(body.to_string(), "DENIED: no push for you");
/// assert_eq!(ErrorBody::read(b"<html>\n<h1>Length Required</h1>").to_string(), "<html> <h1>Length Required</h1>");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ErrorBody {
    /// The errors that it lists, at most 16.
    pub errors: Vec<ErrorEntry>,
    /// The beginning of the body as text, at most 1 KiB, if no error could be read from it; otherwise empty.
    pub text: String,
}

/// One error of the list. Every part is optional.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ErrorEntry {
    /// The kind of error, such as `BLOB_UNKNOWN`. Some registries use codes of their own, even with spaces.
    pub code: Option<String>,
    /// A description for people, at most 1 KiB. A value that is not a string is kept as JSON text.
    pub message: Option<String>,
    /// More information, at most 1 KiB. A value that is not a string is kept as JSON text.
    pub detail: Option<String>,
}

impl ErrorBody {
    /// Reads any body. This never fails.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let errors = if body.len() <= MAX_BODY { read_json(body) } else { Vec::new() };
        let text = if errors.is_empty() { beginning(body) } else { String::new() };
        Self { errors, text }
    }

    /// The codes, in order.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.errors.iter().filter_map(|error| error.code.as_deref())
    }

    /// Whether one of the errors has this code. A space counts as an underscore: Quay writes `METHOD NOT ALLOWED`
    /// ([quirk](crate::quirks) `error-codes-non-spec`).
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        let joined = |byte: u8| if byte == b' ' { b'_' } else { byte };
        self.codes().any(|written| written.bytes().map(joined).eq(code.bytes()))
    }

    /// Whether it has neither errors nor text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.errors.is_empty() && self.text.is_empty()
    }
}

fn read_json(body: &[u8]) -> Vec<ErrorEntry> {
    // Some registries send JSON in another charset: what is not UTF-8 becomes a replacement character.
    let body = String::from_utf8_lossy(body);
    let Ok(Value::Object(object)) = serde_json::from_str(body.trim_start_matches('\u{feff}')) else {
        return Vec::new();
    };
    let entries = match object.get("errors") {
        Some(Value::Array(errors)) => errors.iter().take(MAX_ERRORS).filter_map(entry).collect(),
        Some(error @ (Value::Object(_) | Value::String(_))) => entry(error).into_iter().collect(),
        _ => Vec::new(),
    };
    if entries.is_empty() { entry_of(&object).into_iter().collect() } else { entries }
}

fn entry(error: &Value) -> Option<ErrorEntry> {
    match error {
        Value::Object(object) => entry_of(object),
        Value::String(message) => Some(ErrorEntry { message: Some(kept(message)), ..ErrorEntry::default() }),
        _ => None,
    }
}

/// Reads one error, by any of the names that registries use for its parts. `None` if it has none of them.
fn entry_of(object: &Map<String, Value>) -> Option<ErrorEntry> {
    let first = |names: &[&str]| names.iter().find_map(|name| object.get(*name)).and_then(any_text);
    let entry = ErrorEntry {
        code: first(&["code"]).map(|code| text::cut(&code, MAX_CODE).to_owned()),
        message: first(&["message", "error", "error_description"]),
        detail: first(&["detail", "details"]),
    };
    (entry != ErrorEntry::default()).then_some(entry)
}

/// A string as it is, any other value as JSON text. `None` for `null` and for everything that is empty.
fn any_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(kept(text)),
        Value::Object(object) if object.is_empty() => None,
        Value::Array(array) if array.is_empty() => None,
        other => Some(kept(&other.to_string())),
    }
}

fn kept(text: &str) -> String {
    text::cut(text, MAX_TEXT).to_owned()
}

fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..MAX_TEXT).unwrap_or(body));
    // A character that the cut has split became a replacement character, which is removed.
    let text = if body.len() > MAX_TEXT { text.trim_end_matches('\u{fffd}') } else { &text };
    kept(text.trim_ascii())
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().take(SHOWN_ERRORS).enumerate() {
            f.write_str(if i == 0 { "" } else { "; " })?;
            fmt::Display::fmt(error, f)?;
        }
        match self.errors.len().saturating_sub(SHOWN_ERRORS) {
            0 => {}
            more => write!(f, "; and {more} more")?,
        }
        let words: Vec<&str> = self.text.split_ascii_whitespace().collect();
        f.write_str(&shown(&words.join(" ")))
    }
}

impl fmt::Display for ErrorEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.code, &self.message, &self.detail];
        // The detail often repeats the message or is structured, so it is shown only if there is no message.
        let parts_shown = if self.message.is_some() { 2 } else { 3 };
        for (i, part) in parts.into_iter().take(parts_shown).flatten().enumerate() {
            f.write_str(if i == 0 { "" } else { ": " })?;
            f.write_str(&shown(part))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
