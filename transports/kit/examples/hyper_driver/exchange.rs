//! One request and its answer.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use longshore_core::driver::{Body, Input, Keep, Limits, NoAnswer, RequestId};
use longshore_core::http::{HeaderValue, Request, Response, Uri, header};
use longshore_http_body::{Reading, open, receive};
use longshore_sources::{IncomingAnswer, Sink, Sources};
use longshore_transport_kit::CredentialLookup;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

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
    let stream = connecting.map_err(|_| NoAnswer::NotSent("no connection was made in time".to_owned()))??;
    let mut builder = http1::Builder::new();
    builder.max_headers(limits.head_fields).max_buf_size(limits.head_bytes.max(8192) + 1024);
    let handshake = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| NoAnswer::NotSent(error.to_string()))?;
    // It ends when this ends: the connection serves no other request.
    let mut tasks = JoinSet::new();
    tasks.spawn(async { drop(connection.await) });
    let teller = Arc::clone(shared);
    let tell = move |input| teller.tell(input);
    let find = |key: &u32| shared.sources.source(key).cloned();
    let (outgoing, transfer) = open(&Reading::in_threads(), id, body, find, tell).await?;
    let answer = sender.send_request(Request::from_parts(head, outgoing));
    let answer = match transfer.unless_silent(limits.silence, answer).await {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => return Err(transfer.failure().unwrap_or_else(|| no_answer(&error))),
        None => return Err(NoAnswer::Lost("the registry was silent for too long".to_owned())),
    };
    let (head, incoming) = answer.into_parts();
    let head = Response::from_parts(head, ());
    let answer = IncomingAnswer::new(id, head, keep, limits, |key| shared.sinks.get(key).cloned())?;
    receive(answer, incoming, transfer, limits.silence).await
}

fn no_answer(error: &hyper::Error) -> NoAnswer {
    // What speaks TLS where HTTP was asked for answers with bytes that are no HTTP.
    if error.to_string().contains("invalid HTTP version") {
        return NoAnswer::Untrusted("what answers is not HTTP".to_owned());
    }
    NoAnswer::Lost(error.to_string())
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
