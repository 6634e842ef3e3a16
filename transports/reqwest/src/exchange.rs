//! One request and its answer.

use std::sync::Arc;
use std::time::Duration;

use ::http::{Request, Response, Uri};
use bytes::Bytes;
use longshore_core::Target;
use longshore_core::driver::{Body, Input, Keep, Key, Limits, NoAnswer, RequestId};
use longshore_sources::IncomingAnswer;
use reqwest::Url;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::body::{self, Outgoing};
use crate::shared::Shared;
use crate::words;

/// Sends one request, and returns the input for the core.
pub(crate) async fn run<K: Key + Send + 'static>(
    shared: &Arc<Shared<K>>,
    id: RequestId,
    request: Request<Body<K>>,
    keep: Keep<K>,
    limits: Limits,
) -> Input<K> {
    answer(shared, id, request, keep, limits).await.unwrap_or_else(|why| Input::Failed { id, why })
}

async fn answer<K: Key + Send + 'static>(
    shared: &Arc<Shared<K>>,
    id: RequestId,
    request: Request<Body<K>>,
    keep: Keep<K>,
    limits: Limits,
) -> Result<Input<K>, NoAnswer> {
    let (head, body) = request.into_parts();
    let url = url(&head.uri)?;
    let target = Target::parse(url.as_str()).map_err(|error| NoAnswer::Unsendable(error.to_string()))?;
    let (origin, silence) = (target.origin(), limits.silence);
    let client = shared.http.client(origin, body.len(), &limits)?;
    let (body, outgoing) = body::open(shared, id, body).await?;
    let mut request = reqwest::Request::new(head.method, url);
    *request.headers_mut() = head.headers;
    *request.body_mut() = body;
    outgoing.touch();
    let mut answer = match outgoing.unless_silent(silence, client.execute(request)).await {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => return Err(outgoing.failure().unwrap_or_else(|| words::no_answer(&error, origin))),
        None => return Err(NoAnswer::Lost(format!("{origin} was silent for {} seconds", silence.as_secs()))),
    };
    outgoing.touch();
    let head = take_head(&mut answer);
    let received = IncomingAnswer::new(id, head, keep, limits, |key| shared.sink(key))?;
    Incoming { answer, outgoing, silence }.receive(received).await
}

/// The URL for reqwest, if reqwest keeps every byte of it.
pub(crate) fn url(uri: &Uri) -> Result<Url, NoAnswer> {
    let text = uri.to_string();
    let unsendable = |why: String| NoAnswer::Unsendable(why);
    let url = Url::parse(&text).map_err(|error| unsendable(format!("it takes the URL for none: {error}")))?;
    let same = Some(url.scheme()) == uri.scheme_str()
        && url.host_str() == uri.host()
        && url.port_or_known_default() == uri.port_u16().or(url.port_or_known_default())
        && (url.path(), url.query(), url.fragment()) == (uri.path(), uri.query(), None);
    if same { Ok(url) } else { Err(unsendable("it would change the URL".to_owned())) }
}

/// Takes the head of an answer.
pub(crate) fn take_head(answer: &mut reqwest::Response) -> Response<()> {
    let mut head = Response::new(());
    *head.status_mut() = answer.status();
    *head.version_mut() = answer.version();
    *head.headers_mut() = std::mem::take(answer.headers_mut());
    head
}

/// The body of an answer.
struct Incoming {
    answer: reqwest::Response,
    /// The request's body, which may not be sent completely. It is dropped after the answer.
    outgoing: Outgoing,
    silence: Duration,
}

impl Incoming {
    /// The next bytes; `Err` if the connection ended before the body.
    async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        let next = self.outgoing.unless_silent(self.silence, self.answer.chunk()).await;
        self.outgoing.touch();
        match next {
            Some(Ok(piece)) => Ok(piece),
            Some(Err(_)) | None => Err(Cut),
        }
    }

    /// Reads the part of the body that the core wants.
    async fn receive<K: Key + Send + 'static>(mut self, mut received: IncomingAnswer<K>) -> Result<Input<K>, NoAnswer> {
        if received.is_poured() {
            return self.pour(received).await;
        }
        loop {
            match self.next().await {
                Ok(Some(piece)) if received.take(&piece)? => {}
                Ok(None) => return received.finish(true),
                Ok(Some(_)) | Err(Cut) => return received.finish(false),
            }
        }
    }

    /// Writes the body into its sink, in a thread that may block.
    async fn pour<K: Key + Send + 'static>(mut self, mut received: IncomingAnswer<K>) -> Result<Input<K>, NoAnswer> {
        let (pieces, mut incoming) = mpsc::channel::<Option<Bytes>>(1);
        let writer = spawn_blocking(move || {
            loop {
                match incoming.blocking_recv() {
                    Some(Some(piece)) if received.take(&piece)? => {}
                    Some(None) => return received.finish(true),
                    // The limit is exceeded, or the connection has ended.
                    Some(Some(_)) | None => return received.finish(false),
                }
            }
        });
        while let Ok(piece) = self.next().await {
            let is_end = piece.is_none();
            // If the writer has ended, its error is returned below.
            if pieces.send(piece).await.is_err() || is_end {
                break;
            }
            // The time that the disk needs does not count as silence.
            self.outgoing.touch();
        }
        drop(pieces);
        writer.await.unwrap_or_else(|_| Err(NoAnswer::Sink("the thread that writes it panicked".to_owned())))
    }
}

/// The connection ended before the body did.
struct Cut;

#[cfg(test)]
mod tests;
