//! A server of plain bytes, and what the tests ask of it.
#![allow(dead_code, reason = "no test needs all of it")]

pub(crate) mod tls;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_core::{Digest, Failure, Operation, Options, Receipt};
use longshore_reqwest::{Http, Session};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that hands each connection to a function, with its number, and remembers the heads of requests.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the first request of each connection with what `answer` makes of its number and head, and closes.
    pub(crate) async fn answering(answer: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        Self::serving(move |number, head, mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                // The client may have gone away already.
                drop(stream.write_all(&answer(number, &head)).await);
                drop(stream.shutdown().await);
            }
        })
        .await
    }

    /// Reads the head of the first request of each connection, and leaves the rest to `serve`.
    pub(crate) async fn serving<F, Serving>(serve: F) -> Self
    where
        F: Fn(usize, String, TcpStream) -> Serving + Send + Sync + 'static,
        Serving: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&heads);
        let serve = Arc::new(serve);
        tokio::spawn(async move {
            for number in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (seen, serve) = (Arc::clone(&seen), Arc::clone(&serve));
                tokio::spawn(async move {
                    let head = read_head(&mut stream).await;
                    seen.lock().unwrap().push(head.clone());
                    serve(number, head, stream).await;
                });
            }
        });
        Self { address, heads }
    }

    pub(crate) fn requests(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

/// Everything up to the empty line.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// An answer with a body of JSON.
pub(crate) fn json(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    (head + body).into_bytes()
}

pub(crate) fn http() -> Http {
    Http::builder().no_proxy().build().unwrap()
}

/// Options under which nothing takes long: so many attempts, a millisecond apart.
pub(crate) fn attempts(attempts: u32) -> Options {
    let mut options = Options::default();
    options.attempts = attempts;
    options.backoff = Duration::from_millis(1);
    options.backoff_throttled = Duration::from_millis(1);
    options
}

pub(crate) fn session(options: Options) -> Session<Digest> {
    Session::builder(http()).options(options).start()
}

pub(crate) fn list_tags(registry: &str) -> Operation<Digest> {
    Operation::ListTags { registry: registry.parse().unwrap(), repository: "a".parse().unwrap() }
}

pub(crate) async fn tags(session: &Session<Digest>, address: SocketAddr) -> Result<Vec<String>, Box<Failure>> {
    match session.start(list_tags(&address.to_string())).await? {
        Receipt::Tags(tags) => Ok(tags.iter().map(ToString::to_string).collect()),
        other => panic!("{other:?}"),
    }
}
