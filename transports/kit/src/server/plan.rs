//! What a server of the kit saw, and what it does about it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::Digest;
use tokio::sync::Barrier;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct SeenRequest {
    /// How many requests came before it.
    pub(crate) number: usize,
    pub(crate) is_http2: bool,
    pub(crate) method: String,
    /// Path and query, as they came.
    pub(crate) target: String,
    /// Names in lower case, values as they came, in their order.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: SeenBody,
    /// Whether all of the answer was given to the network.
    pub(crate) is_answered: bool,
    /// Whether nothing more will be done about it.
    pub(crate) is_over: bool,
}

/// The body of a request, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SeenBody {
    pub(crate) len: u64,
    /// Of what was read; not computed for bodies of more than 64 MiB.
    pub(crate) digest: Option<Digest>,
    /// Whether its end was seen, where the framing said it would be.
    pub(crate) is_whole: bool,
}

impl SeenRequest {
    /// The value of a field that may come once.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let (_, value) = self.fields.iter().find(|(field, _)| field == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// What a server does with a request whose head it has seen.
pub(crate) type Script = Arc<dyn Fn(&SeenRequest) -> Plan + Send + Sync>;

/// What a server does with one request.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How many bytes of the body it reads before it goes on.
    pub(crate) take: u64,
    /// Whom it waits for then.
    pub(crate) barrier: Option<Arc<Barrier>>,
    pub(crate) reply: Reply,
}

#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Answer(Answer),
    /// Closes the connection.
    Close,
    /// Says nothing until the client goes away, or for three seconds.
    Silence,
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: AnswerBody,
    pub(crate) framing: Framing,
    /// Interim answers before it.
    pub(crate) interim: Vec<u16>,
    /// The connection ends after so many bytes of the answer.
    pub(crate) cut: Option<u64>,
    /// One byte at a time.
    pub(crate) pace: Option<Pace>,
    /// Nothing more comes after so many bytes of the body, for three seconds.
    pub(crate) stall: Option<usize>,
    /// `Range` says that all is stored up to what was received, counted from this byte.
    pub(crate) range_from: Option<u64>,
    pub(crate) then: Then,
}

#[derive(Debug, Clone)]
pub(crate) enum AnswerBody {
    Bytes(Bytes),
    /// So many bytes, of which the length is stated.
    Made(u64),
    /// Bytes without an end.
    Endless,
}

/// How slowly an answer comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The time between two bytes.
    pub(crate) each: Duration,
    /// Whether the head comes so too. Over HTTP/2 it never does.
    pub(crate) head: bool,
}

/// How the end of an answer's body is told in HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length,
    Chunked,
    UntilClose,
}

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next request.
    Next,
    /// The end of the connection, which nothing told of before.
    Close,
    /// The rest of the body is read.
    ReadOn,
}

impl Plan {
    pub(crate) const fn reply(reply: Reply) -> Self {
        Self { take: u64::MAX, barrier: None, reply }
    }

    pub(crate) const fn taking(mut self, take: u64) -> Self {
        self.take = take;
        self
    }
}

impl From<Answer> for Plan {
    fn from(answer: Answer) -> Self {
        Self::reply(Reply::Answer(answer))
    }
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            fields: Vec::new(),
            body: AnswerBody::Bytes(body.into()),
            framing: Framing::Length,
            interim: Vec::new(),
            cut: None,
            pace: None,
            stall: None,
            range_from: None,
            then: Then::Next,
        }
    }

    /// An answer of JSON.
    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(status, body).field("content-type", "application/json")
    }

    pub(crate) fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// All header fields, where so many bytes of a body were received.
    pub(crate) fn all_fields(&self, received: u64) -> Vec<(String, String)> {
        let mut fields = self.fields.clone();
        if let Some(end) = self.range_from.and_then(|from| (from + received).checked_sub(1)) {
            fields.push(("range".to_owned(), format!("0-{end}")));
        }
        fields
    }

    pub(crate) const fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    pub(crate) const fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }
}
