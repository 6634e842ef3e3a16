//! Messages as text, so that a corpus can be read: a first line, headers, an empty line, a body. A line `==` parts them.

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use longshore_core::Instant;
use longshore_memory::{BodyEnd, ExchangeId, Fault, Handler, Reply};

use crate::{BlobPlan, DocumentPlan, Image, Plan, Subject};

/// A message: a request or an answer, as its first line has it.
pub(super) struct Message {
    /// The words of the first line.
    pub(super) words: Vec<String>,
    /// What of the headers can be one.
    pub(super) headers: HeaderMap,
    /// The rest.
    pub(super) body: Bytes,
}

/// The messages of an input, in order.
pub(super) fn messages(bytes: &[u8]) -> Vec<Message> {
    super::parts(bytes).iter().map(|part| message(part)).collect()
}

fn message(part: &[u8]) -> Message {
    let lines: Vec<&[u8]> = super::lines(part).collect();
    let end = lines.iter().position(|line| line.is_empty()).unwrap_or(lines.len());
    let (head, body) = lines.split_at(end);
    let first = String::from_utf8_lossy(head.first().copied().unwrap_or_default());
    let headers = head.iter().skip(1).filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        Some((name, value))
    });
    Message {
        words: first.split(' ').map(str::to_owned).collect(),
        headers: headers.collect(),
        body: body.iter().skip(1).copied().collect::<Vec<_>>().join(&b'\n').into(),
    }
}

/// A peer that says what it was told to, whatever it is asked, over and over: `503 slow`, `201 lost`, `200 cut`.
pub(super) struct Script {
    answers: Vec<Reply>,
    /// What it was asked.
    pub(super) heads: Vec<Parts>,
}

impl Script {
    pub(super) fn new(messages: Vec<Message>) -> Self {
        Self { answers: messages.into_iter().map(reply).collect(), heads: Vec::new() }
    }
}

fn reply(message: Message) -> Reply {
    let Message { words, headers, body } = message;
    let mut answer = Response::new(body);
    *answer.status_mut() = words.first().and_then(|word| word.parse().ok()).unwrap_or(StatusCode::OK);
    *answer.headers_mut() = headers;
    let fault = match words.get(1).map(String::as_str) {
        Some("lost") => Some(Fault::AnswerLost),
        Some("cut") => Some(Fault::AnswerCut(answer.body().len() / 2)),
        Some("slow") => Some(Fault::Slow(Duration::from_secs(60))),
        _ => None,
    };
    Reply { answer, fault }
}

impl Handler for Script {
    fn open(&mut self, _: Instant, _: ExchangeId, head: Parts) -> Option<Reply> {
        self.heads.push(head);
        None
    }

    fn piece(&mut self, _: Instant, _: ExchangeId, _: Bytes) -> Option<Reply> {
        None
    }

    fn close(&mut self, _: Instant, _: ExchangeId, _: BodyEnd) -> Reply {
        let turn = self.heads.len().saturating_sub(1) % self.answers.len().max(1);
        self.answers.get(turn).cloned().unwrap_or_else(|| Response::new(Bytes::new()).into())
    }
}

/// A small image with three blobs, and something that refers to it.
pub(super) fn image() -> Image {
    let blob = |len, fill| BlobPlan { len, fill, sha512: false };
    let document = DocumentPlan { blobs: vec![0, 1, 2], children: Vec::new(), docker: false, subject: Subject::None };
    Image::of(&Plan { blobs: vec![blob(2, 0), blob(100, 1), blob(33, 2)], documents: vec![document], attached: 1 })
}
