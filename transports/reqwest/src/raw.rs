//! Sends one request without the core, for tools whose requests a client never sends.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::{Request, Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use longshore_core::Target;
use longshore_core::driver::{Collector, Keep, Limits, NoAnswer};
use tokio::time::{Sleep, sleep};

use crate::{Http, exchange, words};

/// How long the sent part of an incomplete body may take to reach the network.
const FLUSH: Duration = Duration::from_millis(100);

/// How [`Http::send`] frames the body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// The whole body, with `Content-Length`.
    Whole,
    /// The whole body without `Content-Length`: over HTTP/1.1 in the chunked transfer coding.
    Streamed,
    /// The beginning of the longer body that the request's `Content-Length` states. Then the connection is closed.
    BrokenOff,
}

impl Http {
    /// Sends one request unchanged, and reads at most `body_limit` bytes of the answer's body.
    ///
    /// It uses the certificates, TLS rules and proxies of this stack. It does not retry and follows no redirect. It
    /// adds only the headers that HTTP itself needs, and `Accept: */*` if there is no `Accept`.
    ///
    /// # Errors
    /// If no complete answer came, if its body is longer, or if the URL would not be sent byte for byte.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        framing: Framing,
        limits: &Limits,
        body_limit: usize,
    ) -> Result<Response<Bytes>, NoAnswer> {
        let (head, body) = request.into_parts();
        let url = exchange::url(&head.uri)?;
        let target = Target::parse(url.as_str()).map_err(|error| NoAnswer::Unsendable(error.to_string()))?;
        let origin = target.origin();
        let client = self.client(origin, Some(body.len() as u64), limits)?;
        let mut sent = reqwest::Request::new(head.method, url);
        *sent.headers_mut() = head.headers;
        if !body.is_empty() || framing != Framing::Whole {
            *sent.body_mut() = Some(reqwest::Body::wrap(Framed { bytes: Some(body), framing, flush: None }));
        }
        let lost = |error: &reqwest::Error| words::no_answer(error, origin);
        let mut answer = client.execute(sent).await.map_err(|error| lost(&error))?;
        let mut collector = Collector::new(Keep::<()>::UpTo(body_limit), *limits);
        let head = exchange::take_head(&mut answer);
        let status = head.status().as_u16();
        collector.head(head)?;
        let cut = |error: &reqwest::Error| {
            let why = words::reason(error, origin);
            NoAnswer::Lost(format!("the answer, {status}, ended before its body did: {why}"))
        };
        while let Some(piece) = answer.chunk().await.map_err(|error| cut(&error))? {
            if !collector.take(&piece) {
                return Err(NoAnswer::Lost(format!("the answer has more than {body_limit} bytes")));
            }
        }
        Ok(collector.finish(true).0)
    }
}

/// A body in memory.
struct Framed {
    bytes: Option<Bytes>,
    framing: Framing,
    flush: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Framed {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        match self.bytes.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            _ if self.framing == Framing::BrokenOff => {
                let flush = self.flush.get_or_insert_with(|| Box::pin(sleep(FLUSH)));
                ready!(flush.as_mut().poll(context));
                Poll::Ready(Some(Err("the body is broken off")))
            }
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.framing != Framing::BrokenOff && self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Whole => SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64),
            Framing::Streamed | Framing::BrokenOff => SizeHint::default(),
        }
    }
}
