//! Changes to finished answers, for behaviour that has no switch of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::row::{row_id, row_id_named, row_ids};

/// A change to some answers: other headers, another status, code or body.
///
/// It changes only the answer, never what the registry does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct AnswerChange {
    /// The answers that it changes.
    pub when: AnswerFilter,
    /// The new status.
    #[serde(default)]
    #[serde(deserialize_with = "super::status::read_optional")]
    pub status: Option<u16>,
    /// The new code of each error in the body, if errors have codes.
    #[serde(default)]
    pub code: Option<String>,
    /// The new body. An answer with an empty body has no `Content-Type`.
    #[serde(default)]
    pub body: Option<String>,
    /// Headers, which replace those of the same name. An empty value removes the header. In a value, the name of a
    /// header of the answer in braces, such as `{range}`, is replaced by the value of that header, and `{empty}` by
    /// nothing.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// Selects answers by words with spaces between them. All words must match. A word is a method (`HEAD`), a row
/// (`end-6`, `token`), a status (`404`) or a class of them (`4xx`), an error code (`BLOB_UNKNOWN`), or `json` or `text`
/// for the type of the body. A filter without words matches every answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AnswerFilter {
    method: Option<Method>,
    row: Option<String>,
    /// The lowest and the highest status.
    status: Option<(u16, u16)>,
    code: Option<String>,
    /// The kind of the `Content-Type`.
    body: Option<BodyType>,
}

/// A kind of `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyType {
    Json,
    Text,
}

impl BodyType {
    const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }

    /// How the type begins.
    const fn begins(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/",
        }
    }
}

impl AnswerFilter {
    /// Whether the filter matches an answer. `code` gives the code of the first error in the body.
    pub(crate) fn fits(&self, method: &Method, answer: &Answer, code: impl FnOnce() -> Option<String>) -> bool {
        let content_type =
            || answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.row.as_ref().is_none_or(|wanted| wanted == row_id(answer.row))
            && self.status.is_none_or(|(low, high)| (low..=high).contains(&answer.status.as_u16()))
            && self.body.is_none_or(|body| content_type().starts_with(body.begins()))
            && self.code.as_ref().is_none_or(|wanted| code().as_ref() == Some(wanted))
    }
}

impl FromStr for AnswerFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            let class = word.strip_suffix("xx").and_then(|class| class.parse::<u16>().ok());
            if let Some(body) = [BodyType::Json, BodyType::Text].into_iter().find(|body| body.word() == word) {
                filter.body = Some(body);
            } else if let Some(row) = row_id_named(word) {
                filter.row = Some(row.to_owned());
            } else if let Some(class) = class.filter(|class| (1..=5).contains(class)) {
                filter.status = Some((class * 100, class * 100 + 99));
            } else if let Some(status) = word.parse::<StatusCode>().ok().map(|status| status.as_u16()) {
                filter.status = Some((status, status));
            } else if let Some(method) = METHODS.iter().find(|method| method.as_str() == word) {
                filter.method = Some(method.clone());
            } else if word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
                filter.code = Some(word.to_owned());
            } else {
                let rows: Vec<&str> = row_ids().collect();
                return Err(format!(
                    "{word:?} is no method, no row ({}), no status (404, 4xx), no error code, and neither json nor text",
                    rows.join(", ")
                ));
            }
        }
        Ok(filter)
    }
}

const METHODS: &[Method] =
    &[Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::PUT, Method::DELETE, Method::OPTIONS];

impl TryFrom<String> for AnswerFilter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<AnswerFilter> for String {
    fn from(filter: AnswerFilter) -> Self {
        filter.to_string()
    }
}

impl fmt::Display for AnswerFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status =
            self.status.map(|(low, high)| if low == high { low.to_string() } else { format!("{}xx", low / 100) });
        let words = [
            self.method.as_ref().map(ToString::to_string),
            self.row.clone(),
            status,
            self.body.map(|body| body.word().to_owned()),
            self.code.clone(),
        ];
        f.write_str(&words.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

impl AnswerChange {
    /// A change of these answers, at first without any effect.
    #[must_use]
    pub const fn to(when: AnswerFilter) -> Self {
        Self { when, status: None, code: None, body: None, headers: BTreeMap::new() }
    }

    /// Sets the new status.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets a header. An empty value removes the header of this name.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// The headers whose names and values are valid in HTTP; `None` removes a header.
    pub(crate) fn headers(&self, others: &HeaderMap) -> Vec<(HeaderName, Option<HeaderValue>)> {
        let text = |value: &str| {
            let known = others.iter().filter_map(|(name, value)| Some((format!("{{{name}}}"), value.to_str().ok()?)));
            known.fold(value.replace("{empty}", ""), |text, (name, value)| text.replace(&name, value))
        };
        let parsed = |(name, value): (&String, &String)| {
            let given = if value.is_empty() { None } else { Some(text(value).parse().ok()?) };
            Some((name.parse().ok()?, given))
        };
        self.headers.iter().filter_map(parsed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_they_are_printed() {
        for text in ["", "HEAD", "end-6", "404", "4xx", "PUT end-7a 400 json MANIFEST_INVALID", "token 200"] {
            assert_eq!(text.parse::<AnswerFilter>().unwrap().to_string(), text);
        }
        for bad in ["end-99", "6xx", "head", "blob unknown"] {
            assert!(bad.parse::<AnswerFilter>().is_err(), "{bad}");
        }
    }
}
