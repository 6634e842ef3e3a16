//! One request and its answer.

use std::sync::Arc;
use std::time::Duration;

use ::http::{Request, Response, Uri};
use bytes::{Bytes, BytesMut};
use longshore_core::driver::{Body, End, Input, Keep, Key, Limits, NoAnswer, RequestId};
use longshore_core::{Algorithm, Digest, Digester, Target};
use reqwest::Url;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::body::{self, Outgoing};
use crate::session::Shared;
use crate::words;

/// Makes one request, and gives what the core is to be told of it.
pub(crate) async fn run<K: Key + Send + 'static>(
    shared: &Arc<Shared<K>>,
    id: RequestId,
    request: Request<Body<K>>,
    keep: Keep<K>,
    limits: Limits,
) -> Input<K> {
    match answer(shared, id, request, keep, limits).await {
        Ok((response, end)) => Input::Answered { id, response, end },
        Err(why) => Input::Failed { id, why },
    }
}

async fn answer<K: Key + Send + 'static>(
    shared: &Arc<Shared<K>>,
    id: RequestId,
    request: Request<Body<K>>,
    keep: Keep<K>,
    limits: Limits,
) -> Result<(Response<Bytes>, End), NoAnswer> {
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
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = answer.status();
    *response.version_mut() = answer.version();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    check_head(&response, &limits)?;
    let mut incoming = Incoming { answer, outgoing, silence };
    let end = match keep {
        Keep::Into { key, algorithm, size, .. } if response.status().is_success() => {
            incoming.pour(shared, key, algorithm, size).await?
        }
        Keep::UpTo(limit) | Keep::Into { if_error: limit, .. } => {
            let (kept, end) = incoming.keep(limit).await;
            *response.body_mut() = kept;
            end
        }
    };
    Ok((response, end))
}

/// The URL that reqwest will send, if it keeps every byte.
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

/// The limits of a head, as far as the stack has not held them already.
pub(crate) fn check_head(response: &Response<Bytes>, limits: &Limits) -> Result<(), NoAnswer> {
    let bytes: usize = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > limits.head_bytes || response.headers().len() > limits.head_fields {
        let (bytes, fields) = (limits.head_bytes, limits.head_fields);
        return Err(NoAnswer::Lost(format!("the head of the answer has more than {bytes} bytes or {fields} fields")));
    }
    Ok(())
}

/// The body of an answer.
struct Incoming {
    answer: reqwest::Response,
    /// The request's body may still be on its way: it is given up when the answer is here.
    outgoing: Outgoing,
    silence: Duration,
}

impl Incoming {
    /// The next bytes; `Err` where the connection ended before the body did.
    async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        let next = self.outgoing.unless_silent(self.silence, self.answer.chunk()).await;
        self.outgoing.touch();
        match next {
            Some(Ok(piece)) => Ok(piece),
            Some(Err(_)) | None => Err(Cut),
        }
    }

    /// Keeps at most so many bytes. Nothing is set aside for what a peer only announces.
    async fn keep(&mut self, limit: usize) -> (Bytes, End) {
        let mut kept = BytesMut::new();
        let end = loop {
            match self.next().await {
                Ok(None) => break End::Complete,
                Err(Cut) => break End::Cut,
                Ok(Some(piece)) if piece.len() > limit - kept.len() => {
                    kept.extend_from_slice(&piece[..limit - kept.len()]);
                    break End::OverLimit;
                }
                Ok(Some(piece)) => kept.extend_from_slice(&piece),
            }
        };
        (kept.freeze(), end)
    }

    /// Pours the body into a sink, in a thread that may block.
    async fn pour<K: Key + Send + 'static>(
        &mut self,
        shared: &Shared<K>,
        key: K,
        algorithm: Algorithm,
        size: Option<u64>,
    ) -> Result<End, NoAnswer> {
        let Some(sink) = shared.sink(&key) else {
            return Err(NoAnswer::Sink("no sink was given for this blob: add one before it is pulled".to_owned()));
        };
        let (pieces, mut incoming) = mpsc::channel::<Bytes>(1);
        let writer = spawn_blocking(move || -> std::io::Result<(u64, Digest)> {
            let mut writer = sink.open()?;
            let (mut digester, mut len) = (Digester::new(algorithm), 0);
            while let Some(piece) = incoming.blocking_recv() {
                digester.update(&piece);
                len += piece.len() as u64;
                writer.write_all(&piece)?;
            }
            writer.flush()?;
            Ok((len, digester.finish()))
        });
        let mut left = size.unwrap_or(u64::MAX);
        let early = loop {
            match self.next().await {
                Ok(None) => break None,
                Err(Cut) => break Some(End::Cut),
                Ok(Some(piece)) if piece.len() as u64 > left => break Some(End::OverLimit),
                Ok(Some(piece)) => {
                    left -= piece.len() as u64;
                    // A writer that has gone away says why below.
                    if pieces.send(piece).await.is_err() {
                        break None;
                    }
                    // The time that a slow disk takes is not the registry's silence.
                    self.outgoing.touch();
                }
            }
        };
        drop(pieces);
        match (writer.await, early) {
            (Ok(Ok(_)), Some(end)) => Ok(end),
            (Ok(Ok((len, digest))), None) => Ok(End::Poured { len, digest }),
            (Ok(Err(error)), _) => Err(NoAnswer::Sink(error.to_string())),
            (Err(_), _) => Err(NoAnswer::Sink("the thread that writes it panicked".to_owned())),
        }
    }
}

/// The connection ended before the body did.
struct Cut;

#[cfg(test)]
mod tests;
