//! The suite's requests over HTTP, with the trust and the proxies that `push` has.

use std::time::{Duration, Instant as Clock};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use longshore_conformance::suite::{RawBody, RawClient, RawRequest, SuiteOptions, ping};
use longshore_core::Instant;
use longshore_core::driver::{Limits, NoAnswer};
use longshore_reqwest::{Framing, Http};
use tokio::runtime::Handle;

use crate::exit::Error;

/// Sends requests of threads that may block.
pub(crate) struct HttpClient {
    http: Http,
    runtime: Handle,
    begun: Clock,
}

impl HttpClient {
    /// A client over this stack, whose time begins now.
    pub(crate) fn new(http: Http, runtime: Handle) -> Self {
        Self { http, runtime, begun: Clock::now() }
    }

    /// Checks that a registry answers there and accepts the credentials: nothing can be found out about any other.
    pub(crate) fn enter(&self, options: &SuiteOptions) -> Result<(), Error> {
        let registry = &options.registry;
        match ping(self, options) {
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                let repository = &options.repository;
                Err(Error::failed(match options.credentials {
                    Some(_) => format!(
                        "{registry} refuses the credentials for {repository} (401): check the user name, the password and the right to push"
                    ),
                    None => format!(
                        "{registry} asks for credentials for {repository} (401): use --username with --password-stdin, or docker login"
                    ),
                }))
            }
            // What breaks off, or is too long, is an answer of a kind: it is judged.
            Ok(_) | Err(NoAnswer::Lost(_)) => Ok(()),
            Err(why) => Err(Error::failed(format!("{registry} cannot be asked: {why}"))),
        }
    }
}

impl RawClient for HttpClient {
    fn send(&self, request: RawRequest) -> Result<Response<Bytes>, NoAnswer> {
        let (framing, body) = match request.body {
            RawBody::Sized(bytes) => (Framing::Whole, bytes),
            RawBody::Chunked(bytes) => (Framing::Streamed, bytes),
            RawBody::Cut(bytes) => (Framing::BrokenOff, bytes),
        };
        let mut sent = Request::new(body);
        *sent.uri_mut() = request.target.uri().map_err(|error| NoAnswer::Unsendable(error.to_string()))?;
        *sent.method_mut() = request.method;
        *sent.headers_mut() = request.headers;
        let limits = Limits::default();
        let answer = self.http.send(sent, framing, &limits, request.body_limit);
        let answered = self.runtime.block_on(async { tokio::time::timeout(request.time_limit, answer).await });
        answered.unwrap_or_else(|_| {
            Err(NoAnswer::Lost(format!("no answer came in {:.0} seconds", request.time_limit.as_secs_f64())))
        })
    }

    fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
