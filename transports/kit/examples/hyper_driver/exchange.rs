//! One request and its answer.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use longshore_core::bytes::Bytes;
use longshore_core::driver::{Body, Collector, Input, Keep, Limits, NoAnswer, OperationId, RequestId};
use longshore_core::http::{Request, Response, Uri};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

use crate::driver::{Shared, source_failed};

/// One request under way.
pub(crate) struct Exchange {
    id: RequestId,
    keep: Keep<u32>,
    limits: Limits,
    account: Arc<Account>,
}

/// What both ends of a body know of it.
struct Account {
    /// When a byte last moved, either way.
    moved: Mutex<Instant>,
    /// Whether the network waits for the source: that is nobody's silence.
    is_reading: AtomicBool,
    failure: Mutex<Option<NoAnswer>>,
}

impl Exchange {
    /// An exchange with what the core said of it.
    pub(crate) fn new(id: RequestId, keep: Keep<u32>, limits: Limits) -> Self {
        let moved = Mutex::new(Instant::now());
        let account = Account { moved, is_reading: AtomicBool::new(false), failure: Mutex::default() };
        Self { id, keep, limits, account: Arc::new(account) }
    }

    /// Makes the request, and gives what the core is to be told of it.
    pub(crate) async fn run(
        self,
        shared: &Arc<Shared>,
        reading: &BTreeMap<u32, OperationId>,
        request: Request<Body<u32>>,
    ) -> Result<Input<u32>, NoAnswer> {
        let (mut head, body) = request.into_parts();
        let uri = std::mem::replace(&mut head.uri, Uri::from_static("/"));
        let (Some(authority), Some(target)) = (uri.authority(), uri.path_and_query()) else {
            return Err(NoAnswer::Unsendable("the URL is not absolute".to_owned()));
        };
        let host = authority.as_str().parse().map_err(|_| NoAnswer::Unsendable("the host is no header".to_owned()))?;
        head.headers.insert("host", host);
        head.uri = Uri::from(target.clone());
        let is_https = uri.scheme_str() == Some("https");
        let connecting = timeout(self.limits.connect, connect(shared, &uri, is_https)).await;
        let stream = connecting.map_err(|_| NoAnswer::NotSent("no connection came about in time".to_owned()))??;
        let mut builder = http1::Builder::new();
        builder.max_headers(self.limits.head_fields).max_buf_size(self.limits.head_bytes.max(8192) + 1024);
        let handshake = builder.handshake(hyper_util::rt::TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| NoAnswer::NotSent(error.to_string()))?;
        let connection = tokio::spawn(connection);
        // However this ends, the connection ends with it: it serves no other request.
        let _guard = AbortOnDrop(connection.abort_handle());
        let body = self.stream(shared, reading, body);
        self.touch();
        let answered = self.unless_silent(sender.send_request(Request::from_parts(head, body))).await?;
        let answer = answered.map_err(|error| self.no_answer(&error, is_https))?;
        self.receive(shared, answer).await
    }

    async fn receive(&self, shared: &Arc<Shared>, answer: Response<Incoming>) -> Result<Input<u32>, NoAnswer> {
        let (head, mut incoming) = answer.into_parts();
        let mut collector = Collector::new(self.keep.clone(), self.limits);
        let failed = |error: io::Error| NoAnswer::Sink(error.to_string());
        let mut sink = match collector.head(Response::from_parts(head, ()))? {
            Some(key) => {
                let sink = shared.sinks.get(&key).ok_or_else(|| NoAnswer::Sink(format!("blob {key} has no sink")))?;
                Some(sink.open().map_err(failed)?)
            }
            None => None,
        };
        loop {
            self.touch();
            let frame =
                self.unless_silent(std::future::poll_fn(|context| Pin::new(&mut incoming).poll_frame(context))).await;
            let piece = match frame {
                Ok(None) => return Ok(collector.answered(self.id, true)),
                Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
                Ok(Some(Err(_))) | Err(_) => return Ok(collector.answered(self.id, false)),
            };
            if !collector.take(&piece) {
                return Ok(collector.answered(self.id, false));
            }
            // A disk is written here, in a thread that may block for as long as that takes.
            if let Some(sink) = &mut sink {
                sink.write_all(&piece).map_err(failed)?;
            }
        }
    }

    /// The request's body: a thread that may block reads it, a piece ahead of the network.
    fn stream(&self, shared: &Arc<Shared>, reading: &BTreeMap<u32, OperationId>, body: Body<u32>) -> Streamed {
        let (pieces, incoming) = mpsc::channel(1);
        let (id, remaining, account) = (self.id, body.len(), Arc::clone(&self.account));
        let streamed = Streamed { remaining, pieces: incoming, account: Arc::clone(&account) };
        if remaining == Some(0) {
            return streamed;
        }
        let rest = if let Body::Rest { key, .. } = &body {
            reading.get(key).map(|operation| (*operation, *key))
        } else {
            None
        };
        let shared = Arc::clone(shared);
        spawn_blocking(move || {
            let mut sent = 0;
            let read = shared.sources.body(&body).and_then(|mut reader| {
                while let Some(piece) = reader.next_piece()? {
                    sent += piece.len() as u64;
                    if pieces.blocking_send(Some(piece)).is_err() {
                        return Ok(());
                    }
                    shared.tell(Input::Sent { id, total: sent });
                }
                // The core hears of a blob's end before the registry can answer.
                if let Some(((operation, blob), ended)) = rest.zip(reader.ended()) {
                    shared.tell(Input::Ended { operation, blob, len: ended.len, digest: ended.digest });
                }
                // Where nobody takes the end, the body was given up.
                drop(pieces.blocking_send(None));
                Ok(())
            });
            if let Err(error) = read {
                *account.failure.lock().expect("no panic") = Some(source_failed(&error));
            }
        });
        streamed
    }

    fn touch(&self) {
        *self.account.moved.lock().expect("no panic") = Instant::now();
    }

    /// Waits for as long as bytes move now and then.
    async fn unless_silent<T>(&self, future: impl Future<Output = T>) -> Result<T, NoAnswer> {
        let mut future = std::pin::pin!(future);
        loop {
            let moved = *self.account.moved.lock().expect("no panic");
            match timeout_at(moved + self.limits.silence, future.as_mut()).await {
                Ok(done) => return Ok(done),
                Err(_) if self.account.is_reading.load(Ordering::Relaxed) => self.touch(),
                Err(_) if *self.account.moved.lock().expect("no panic") > moved => {}
                Err(_) => return Err(NoAnswer::Lost("the registry was silent for too long".to_owned())),
            }
        }
    }

    fn no_answer(&self, error: &hyper::Error, is_https: bool) -> NoAnswer {
        if let Some(failure) = self.account.failure.lock().expect("no panic").take() {
            return failure;
        }
        if !is_https && error.to_string().contains("invalid HTTP version") {
            return NoAnswer::Untrusted(
                "what answers is not HTTP: HTTPS must be asked for where it is meant".to_owned(),
            );
        }
        NoAnswer::Lost(error.to_string())
    }
}

trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

async fn connect(shared: &Shared, uri: &Uri, is_https: bool) -> Result<Box<dyn Connection>, NoAnswer> {
    let unsent = |error: io::Error| NoAnswer::NotSent(error.to_string());
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(if is_https { 443 } else { 80 })));
    let stream = stream.await.map_err(unsent)?;
    stream.set_nodelay(true).map_err(unsent)?;
    if !is_https {
        return Ok(Box::new(stream));
    }
    let name =
        rustls::pki_types::ServerName::try_from(host).map_err(|error| NoAnswer::Unsendable(error.to_string()))?;
    match shared.tls.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(tls @ (rustls::Error::InvalidCertificate(_) | rustls::Error::InvalidMessage(_))) => {
                NoAnswer::Untrusted(tls.to_string())
            }
            _ => unsent(error),
        }),
    }
}

/// The end of a body that the network takes pieces from.
struct Streamed {
    /// Bytes to come, where that is known.
    remaining: Option<u64>,
    /// Pieces, and nothing at the end: a channel that closes without it is a failure.
    pieces: mpsc::Receiver<Option<Bytes>>,
    account: Arc<Account>,
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let piece = self.pieces.poll_recv(context);
        self.account.is_reading.store(piece.is_pending(), Ordering::Relaxed);
        *self.account.moved.lock().expect("no panic") = Instant::now();
        Poll::Ready(match ready!(piece) {
            Some(Some(bytes)) => {
                self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(bytes.len() as u64));
                Some(Ok(Frame::data(bytes)))
            }
            Some(None) if self.remaining.unwrap_or(0) == 0 => None,
            Some(None) | None => Some(Err("the body was broken off")),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Ends a task when it is dropped.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
