//! The requests that a server of the kit receives, and how it answers them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::Digest;
use tokio::sync::Barrier;

/// A request as it was received.
#[derive(Debug, Clone)]
pub(crate) struct SeenRequest {
    /// The number of requests before it.
    pub(crate) number: usize,
    pub(crate) is_http2: bool,
    pub(crate) method: String,
    /// Path and query, as they were received.
    pub(crate) target: String,
    /// Names in lower case and values as they were received, in order.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: SeenBody,
    /// Whether the whole answer was written to the network.
    pub(crate) is_answered: bool,
    /// Whether the server has finished with it.
    pub(crate) is_over: bool,
}

/// The body of a request, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SeenBody {
    pub(crate) len: u64,
    /// The digest of the bytes that were read; `None` for bodies of more than 64 MiB.
    pub(crate) digest: Option<Digest>,
    /// Whether the end that the framing announces was read.
    pub(crate) is_whole: bool,
}

impl SeenRequest {
    /// The value of a field that may come once.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let (_, value) = self.fields.iter().find(|(field, _)| field == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// The function that decides what a server does with a request, after it has read the head.
pub(crate) type Script = Arc<dyn Fn(&SeenRequest) -> Plan + Send + Sync>;

/// How many MiB of a body are read slowly. What follows fits into no buffers of sockets, so the client still sends when
/// the server reads fast again.
pub(crate) const SLOW_MIB: u64 = 24;

/// Whether a server that reads slowly pauses after this piece of a body, which ends at `len`.
pub(crate) const fn is_slow(len: u64, piece: usize) -> bool {
    let mib = len >> 20;
    mib <= SLOW_MIB && mib > (len - piece as u64) >> 20
}

/// What a server does with one request.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The number of bytes of the body that it reads first.
    pub(crate) take: u64,
    /// The pause after each MiB of the first [`SLOW_MIB`], if it reads slowly (over HTTP/1.1).
    pub(crate) slowly: Option<Duration>,
    /// The barrier at which it waits then.
    pub(crate) barrier: Option<Arc<Barrier>>,
    pub(crate) reply: Reply,
}

#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Answer(Answer),
    /// Closes the connection.
    Close,
    /// Sends nothing until the client disconnects, or for three seconds.
    Silence,
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: AnswerBody,
    pub(crate) framing: Framing,
    /// The statuses of interim answers before it.
    pub(crate) interim: Vec<u16>,
    /// The number of bytes of the answer after which the connection ends.
    pub(crate) cut: Option<u64>,
    /// The pace, if bytes are sent one at a time.
    pub(crate) pace: Option<Pace>,
    /// The pause before the head, and once more between head and body.
    pub(crate) late: Option<Duration>,
    /// The number of bytes of the body after which nothing is sent for three seconds.
    pub(crate) stall: Option<usize>,
    /// If set, `Range` covers all received bytes, counted from this byte.
    pub(crate) range_from: Option<u64>,
    pub(crate) then: Then,
}

#[derive(Debug, Clone)]
pub(crate) enum AnswerBody {
    Bytes(Bytes),
    /// This many bytes, with their length stated.
    Made(u64),
    /// Bytes without an end.
    Endless,
}

/// How slowly an answer is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The time between two bytes.
    pub(crate) each: Duration,
    /// Whether this applies to the head too. Over HTTP/2 it never does.
    pub(crate) head: bool,
}

/// How HTTP/1.1 marks the end of an answer's body.
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
    /// The end of the connection, without a `Connection: close` before.
    Close,
    /// The rest of the body is read.
    ReadOn,
}

impl Plan {
    pub(crate) const fn reply(reply: Reply) -> Self {
        Self { take: u64::MAX, slowly: None, barrier: None, reply }
    }

    pub(crate) const fn taking(mut self, take: u64) -> Self {
        self.take = take;
        self
    }

    pub(crate) const fn slowly(mut self, pause: Duration) -> Self {
        self.slowly = Some(pause);
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
            late: None,
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

    /// All header fields, if this many bytes of a body were received.
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
