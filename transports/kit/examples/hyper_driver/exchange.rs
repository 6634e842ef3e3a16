//! One request and its answer.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Either, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use longshore_core::bytes::Bytes;
use longshore_core::driver::{Body, Input, Keep, Limits, NoAnswer, RequestId};
use longshore_core::http::{HeaderValue, Request, Response, Uri, header};
use longshore_sources::{IncomingAnswer, Sink, SourceError, Sources};
use longshore_transport_kit::CredentialLookup;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

/// What all exchanges share.
pub(crate) struct Shared {
    /// The bytes of the blobs that are sent.
    pub(crate) sources: Sources<u32>,
    /// Where the bytes of pulled blobs go.
    pub(crate) sinks: BTreeMap<u32, Sink>,
    pub(crate) credentials: CredentialLookup,
    /// Whom TLS trusts.
    pub(crate) tls: tokio_rustls::TlsConnector,
    /// Where tasks tell what they found.
    pub(crate) inputs: mpsc::UnboundedSender<Input<u32>>,
}

impl Shared {
    /// Tells the client. A driver that has ended does not want to know.
    pub(crate) fn tell(&self, input: Input<u32>) {
        drop(self.inputs.send(input));
    }
}

/// Makes a request, and gives what the core is to be told of it. Dropping this ends the request, and its connection.
pub(crate) async fn run(
    shared: &Arc<Shared>,
    id: RequestId,
    request: Request<Body<u32>>,
    keep: Keep<u32>,
    limits: Limits,
) -> Result<Input<u32>, NoAnswer> {
    let (mut head, body) = request.into_parts();
    let uri = std::mem::replace(&mut head.uri, Uri::from_static("/"));
    let (Some(authority), Some(target)) = (uri.authority(), uri.path_and_query()) else {
        return Err(NoAnswer::Unsendable("the URL is not absolute".to_owned()));
    };
    let host = HeaderValue::from_str(authority.as_str()).map_err(|error| NoAnswer::Unsendable(error.to_string()))?;
    head.headers.insert(header::HOST, host);
    head.uri = Uri::from(target.clone());
    let connecting = timeout(limits.connect, connect(shared, &uri)).await;
    let stream = connecting.map_err(|_| NoAnswer::NotSent("no connection came about in time".to_owned()))??;
    let mut builder = http1::Builder::new();
    builder.max_headers(limits.head_fields).max_buf_size(limits.head_bytes.max(8192) + 1024);
    let handshake = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| NoAnswer::NotSent(error.to_string()))?;
    // They end when this ends: the connection serves no other request, and what is left of the body is not wanted.
    let mut tasks = JoinSet::new();
    tasks.spawn(async { drop(connection.await) });
    let activity = Arc::new(Activity::default());
    let outgoing = if body.is_empty() {
        Either::Left(Empty::new())
    } else {
        let (mut pieces, outgoing) = Channel::new(1);
        let (shared, activity) = (Arc::clone(shared), Arc::clone(&activity));
        tasks.spawn_blocking(move || match send(&shared, id, &body, &mut pieces, &activity) {
            Ok(()) => drop(pieces),
            Err(error) => pieces.abort(error.into()),
        });
        Either::Right(outgoing)
    };
    let answer = sender.send_request(Request::from_parts(head, outgoing));
    let answer = activity.unless_silent(limits.silence, answer).await?.map_err(|error| no_answer(&error))?;
    let (head, mut incoming) = answer.into_parts();
    let head = Response::from_parts(head, ());
    let mut answer = IncomingAnswer::new(id, head, keep, limits, |key| shared.sinks.get(key).cloned())?;
    loop {
        activity.touch();
        match activity.unless_silent(limits.silence, incoming.frame()).await {
            Ok(None) => return answer.finish(true),
            // A disk is written here, in a thread that may block for as long as that takes.
            Ok(Some(Ok(frame))) if answer.take(frame.data_ref().unwrap_or(&Bytes::new()))? => {}
            Ok(Some(_)) | Err(_) => return answer.finish(false),
        }
    }
}

/// Sends the body, in a thread that may block: the source is read a piece ahead of the network.
fn send(
    shared: &Shared,
    id: RequestId,
    body: &Body<u32>,
    pieces: &mut Sender<Bytes, NoAnswer>,
    activity: &Activity,
) -> Result<(), SourceError> {
    let (mut reader, mut total) = (shared.sources.body(body)?, 0);
    while let Some(piece) = activity.paused(|| reader.next_piece())? {
        total += piece.len() as u64;
        if Handle::current().block_on(pieces.send_data(piece)).is_err() {
            // The connection has ended, and nothing takes the rest.
            return Ok(());
        }
        shared.tell(Input::Sent { id, total });
    }
    // The core hears of a blob's end before the registry can answer.
    shared.sources.rest_ended(body).into_iter().for_each(|ended| shared.tell(ended));
    Ok(())
}

/// When a byte last moved, either way; nothing while a source is read: the time that it takes is nobody's silence.
struct Activity(Mutex<Option<Instant>>);

impl Activity {
    fn touch(&self) {
        *self.0.lock().expect("no panic") = Some(Instant::now());
    }

    /// Reads a source, which may take any time.
    fn paused<T>(&self, read: impl FnOnce() -> T) -> T {
        *self.0.lock().expect("no panic") = None;
        let read = read();
        self.touch();
        read
    }

    /// Waits for as long as bytes move now and then.
    async fn unless_silent<T>(&self, silence: Duration, future: impl Future<Output = T>) -> Result<T, NoAnswer> {
        let mut future = std::pin::pin!(future);
        loop {
            let moved = *self.0.lock().expect("no panic");
            if let Ok(done) = timeout_at(moved.unwrap_or_else(Instant::now) + silence, future.as_mut()).await {
                return Ok(done);
            }
            if moved.is_some() && moved == *self.0.lock().expect("no panic") {
                return Err(NoAnswer::Lost("the registry was silent for too long".to_owned()));
            }
        }
    }
}

impl Default for Activity {
    fn default() -> Self {
        Self(Mutex::new(Some(Instant::now())))
    }
}

fn no_answer(error: &hyper::Error) -> NoAnswer {
    match std::error::Error::source(error).and_then(|source| source.downcast_ref::<NoAnswer>()) {
        Some(why) => why.clone(),
        // What speaks TLS where HTTP was asked for answers with bytes that are no HTTP.
        None if error.to_string().contains("invalid HTTP version") => {
            NoAnswer::Untrusted("what answers is not HTTP".to_owned())
        }
        None => NoAnswer::Lost(error.to_string()),
    }
}

trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

async fn connect(shared: &Shared, uri: &Uri) -> Result<Box<dyn Connection>, NoAnswer> {
    let unsent = |error: io::Error| NoAnswer::NotSent(error.to_string());
    let is_https = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(unsent)?;
    stream.set_nodelay(true).map_err(unsent)?;
    if !is_https {
        return Ok(Box::new(stream));
    }
    let name = host
        .try_into()
        .map_err(|error: rustls::pki_types::InvalidDnsNameError| NoAnswer::Unsendable(error.to_string()))?;
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
