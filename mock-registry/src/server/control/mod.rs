//! A second address at which tests control the registry: JSON over HTTP, with a token.

mod answers;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::body::{self, Outgoing};
use super::hosts::Hosts;
use super::{Content, Shared, origins_of};
use crate::RegistryOptions;
use crate::random::same_secret;

/// The longest body of a request, in bytes.
const BODY: usize = 1 << 20;
const PAGE: &str = include_str!("page.html");

/// The control address of a server, before it serves.
pub(super) struct Control {
    listener: TcpListener,
    address: SocketAddr,
    token: String,
}

impl Control {
    pub(super) async fn bind(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let token = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { listener, address, token })
    }

    /// Its URL, and the token that it requires.
    pub(super) fn access(&self) -> (String, String) {
        (format!("http://{}", super::reachable(self.address)), self.token.clone())
    }

    /// Serves until it is dropped.
    pub(super) async fn serve(self, shared: Shared, content: Option<Content>) {
        let begin = shared.lock().options.clone();
        let origins = origins_of(longshore_core::Scheme::Http, self.address);
        let hosts = Hosts { origins, only_these: self.address.ip().is_loopback(), ..Hosts::default() };
        let steering = Arc::new(Steering { shared, token: self.token, hosts, begin, content });
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = self.listener.accept().await else { continue };
            let steering = Arc::clone(&steering);
            connections.spawn(async move {
                let service = service_fn(move |request| {
                    let steering = Arc::clone(&steering);
                    async move { Ok::<_, Infallible>(steering.handle(request).await) }
                });
                let mut builder = hyper::server::conn::http1::Builder::new();
                builder.timer(TokioTimer::new());
                // The error of a client that disconnects needs no handling.
                drop(builder.serve_connection(TokioIo::new(stream), service).await);
            });
            while connections.try_join_next().is_some() {}
        }
    }
}

/// The handler of control requests.
struct Steering {
    shared: Shared,
    token: String,
    hosts: Hosts,
    /// The options of the registry at the start.
    begin: RegistryOptions,
    /// The content of the registry at the start.
    content: Option<Content>,
}

/// An answer: its status, type and content.
struct Reply(StatusCode, &'static str, String);

impl Steering {
    async fn handle(&self, request: Request<Incoming>) -> Response<Outgoing> {
        let (head, mut body) = request.into_parts();
        let path = head.uri.path();
        let reply = if let Err(turned) = self.hosts.check(&head) {
            Reply::error(turned.status, turned.why)
        } else if path == "/" {
            Reply(StatusCode::OK, "text/html; charset=utf-8", PAGE.to_owned())
        } else if !self.is_allowed(&head.headers) {
            Reply::error(
                StatusCode::UNAUTHORIZED,
                "send Authorization: Bearer and the token from the registry's output",
            )
        } else {
            match text(&mut body).await {
                Ok(text) => self.answer(&head.method, path, &text),
                Err(reply) => reply,
            }
        };
        let mut response = reply.into_response();
        if let Some(methods) = methods(path).filter(|_| response.status() == StatusCode::METHOD_NOT_ALLOWED) {
            response.headers_mut().insert(header::ALLOW, http::HeaderValue::from_static(methods));
        }
        response
    }

    fn is_allowed(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        given.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| same_secret(token, &self.token))
    }

    fn answer(&self, method: &Method, path: &str, body: &str) -> Reply {
        match (method.as_str(), path) {
            ("GET", "/state") => self.state(),
            ("GET", "/requests") => self.requests(),
            ("GET", "/report") => Reply(StatusCode::OK, "application/json", self.report().to_json()),
            ("GET", "/report.xml") => self.junit(),
            ("GET", "/faults") => self.faults(),
            ("PUT", "/faults") => self.set_faults(body),
            ("DELETE", "/faults") => self.set_faults(""),
            ("PUT", "/profile") => self.set_profile(body),
            ("POST", "/reset") => self.reset(),
            (_, path) if methods(path).is_some() => Reply::error(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path does not take this method: GET / lists the methods of each path",
            ),
            _ => Reply::error(StatusCode::NOT_FOUND, "there is no such path: GET / lists the paths"),
        }
    }
}

/// The methods of a path.
fn methods(path: &str) -> Option<&'static str> {
    Some(match path {
        "/state" | "/requests" | "/report" | "/report.xml" => "GET",
        "/faults" => "DELETE, GET, PUT",
        "/profile" => "PUT",
        "/reset" => "POST",
        _ => return None,
    })
}

impl Reply {
    fn error(status: StatusCode, message: impl std::fmt::Display) -> Self {
        Self(status, "application/json", serde_json::json!({ "error": message.to_string() }).to_string())
    }

    fn into_response(self) -> Response<Outgoing> {
        let Self(status, content_type, content) = self;
        let mut response = Response::new(Outgoing::bytes(Bytes::from(content)));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
        response
    }
}

/// The body of a request, as text.
async fn text(body: &mut Incoming) -> Result<String, Reply> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = body::next(body).await {
        let piece = piece.map_err(|_| Reply::error(StatusCode::BAD_REQUEST, "the body broke off"))?;
        if bytes.len() + piece.len() > BODY {
            return Err(Reply::error(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {BODY} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes.into()).map_err(|_| Reply::error(StatusCode::BAD_REQUEST, "the body is not UTF-8"))
}
