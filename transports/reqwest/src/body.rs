//! A body on its way: a thread that may block reads it, a piece ahead of the network.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use longshore_core::driver::{Body, Input, Key, NoAnswer, RequestId};
use longshore_sources::SourceError;
use longshore_sources::source::{BodyReader, Ended};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use crate::session::{Shared, lock};

/// How many bytes pass between two reports of progress.
const REPORT: u64 = 256 * 1024;

/// How many pieces wait for the network, beside the one that is being read.
const PIECES_AHEAD: usize = 1;

/// Makes the body that reqwest sends, and the account of it that the exchange keeps.
///
/// # Errors
/// Where the source cannot be opened. Nothing was sent then.
pub(crate) async fn open<K: Key + Send + 'static>(
    shared: &Arc<Shared<K>>,
    id: RequestId,
    body: Body<K>,
) -> Result<(Option<reqwest::Body>, Outgoing), NoAnswer> {
    let (key, range, from) = match body {
        Body::Empty => return Ok((None, Outgoing::default())),
        Body::Bytes(bytes) => return Ok((Some(bytes.into()), Outgoing::default())),
        Body::Blob { key, range } => (key, Some(range), 0),
        Body::Rest { key, from } => (key, None, from),
    };
    let source = shared.source(&key).map_err(|error| failed(&error))?;
    let operation = lock(&shared.state).reading.get(&key).copied();
    let rest = operation.zip(range.is_none().then_some(key));
    let opened = spawn_blocking(move || match range {
        Some(range) => source.open(range),
        None => source.rest(from),
    });
    let reader = opened.await.map_err(|_| NoAnswer::Source("the thread that opens it panicked".to_owned()))?;
    let reader = reader.map_err(|error| failed(&error))?;
    let remaining = if rest.is_some() { None } else { reader.remaining() };
    let told = Arc::clone(shared);
    let on_sent = move |total| told.tell(Input::Sent { id, total });
    let told = Arc::clone(shared);
    let on_end = move |ended: Option<Ended>| {
        if let Some(((operation, blob), Ended { len, digest })) = rest.zip(ended) {
            told.tell(Input::Ended { operation, blob, len, digest });
        }
    };
    let (streamed, outgoing) = stream(reader, remaining, on_sent, on_end);
    Ok((Some(reqwest::Body::wrap(streamed)), outgoing))
}

fn failed(error: &SourceError) -> NoAnswer {
    NoAnswer::Source(error.to_string())
}

/// Starts the thread that reads. `on_end` is called there before the network can have the end.
fn stream(
    reader: BodyReader,
    remaining: Option<u64>,
    on_sent: impl Fn(u64) + Send + Sync + 'static,
    on_end: impl FnOnce(Option<Ended>) + Send + 'static,
) -> (Streamed, Outgoing) {
    let (pieces, incoming) = mpsc::channel(PIECES_AHEAD);
    let account = Arc::new(Account { incoming: Mutex::new(Some(incoming)), ..Account::default() });
    let streamed =
        Streamed { remaining, total: 0, reported: 0, on_sent: Box::new(on_sent), account: Arc::clone(&account) };
    let outgoing = Outgoing { account: Arc::clone(&account) };
    spawn_blocking(move || read(reader, &pieces, &account, on_end));
    (streamed, outgoing)
}

/// What the thread hands over. A channel that closes without an end is a failure.
enum Piece {
    Bytes(Bytes),
    End,
}

fn read(mut reader: BodyReader, pieces: &mpsc::Sender<Piece>, account: &Account, on_end: impl FnOnce(Option<Ended>)) {
    let piece = loop {
        match reader.next_piece() {
            Ok(Some(bytes)) => {
                if pieces.blocking_send(Piece::Bytes(bytes)).is_err() {
                    return;
                }
            }
            Ok(None) => break Piece::End,
            Err(error) => {
                *lock(&account.failure) = Some(error);
                return;
            }
        }
    };
    on_end(reader.ended());
    // Where nobody takes the end, the body was given up.
    drop(pieces.blocking_send(piece));
}

/// What both ends of a body know of it.
struct Account {
    incoming: Mutex<Option<mpsc::Receiver<Piece>>>,
    /// When a byte last moved, either way.
    moved: Mutex<Instant>,
    /// Whether the network waits for the source.
    is_reading: AtomicBool,
    failure: Mutex<Option<SourceError>>,
}

/// A body as the exchange sees it. When this is dropped, what is left of the body is not sent any more.
#[derive(Default)]
pub(crate) struct Outgoing {
    account: Arc<Account>,
}

impl Outgoing {
    /// A byte moved now.
    pub(crate) fn touch(&self) {
        *lock(&self.account.moved) = Instant::now();
    }

    /// Why the source failed, if it did.
    pub(crate) fn failure(&self) -> Option<NoAnswer> {
        lock(&self.account.failure).as_ref().map(failed)
    }

    /// Waits for a future for as long as bytes move now and then, either way. A slow source is not the other side's silence.
    pub(crate) async fn unless_silent<T>(&self, silence: Duration, future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        loop {
            let deadline = *lock(&self.account.moved) + silence;
            match timeout_at(deadline, future.as_mut()).await {
                Ok(done) => return Some(done),
                Err(_) if self.account.is_reading.load(Ordering::Relaxed) => self.touch(),
                Err(_) if *lock(&self.account.moved) + silence > Instant::now() => {}
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Outgoing {
    /// Ends the thread, and with that the body, which breaks the connection off where the body was not at its end.
    fn drop(&mut self) {
        if let Some(incoming) = lock(&self.account.incoming).as_mut() {
            incoming.close();
        }
    }
}

/// The end that the network takes pieces from.
struct Streamed {
    /// Bytes to come, where that is known.
    remaining: Option<u64>,
    total: u64,
    reported: u64,
    on_sent: Box<dyn Fn(u64) + Send + Sync>,
    account: Arc<Account>,
}

impl Streamed {
    fn pass(&mut self, len: u64) {
        self.total += len;
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(len));
        *lock(&self.account.moved) = Instant::now();
        if self.total - self.reported >= REPORT || self.remaining == Some(0) {
            self.reported = self.total;
            (self.on_sent)(self.total);
        }
    }
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let piece = match lock(&self.account.incoming).as_mut() {
            Some(incoming) => incoming.poll_recv(context),
            None => Poll::Ready(None),
        };
        self.account.is_reading.store(piece.is_pending(), Ordering::Relaxed);
        Poll::Ready(match ready!(piece) {
            Some(Piece::Bytes(bytes)) => {
                self.pass(bytes.len() as u64);
                Some(Ok(Frame::data(bytes)))
            }
            Some(Piece::End) if self.remaining.unwrap_or(0) == 0 => None,
            // Never a short body: without its end the request is broken off.
            Some(Piece::End) | None => Some(Err("the body was broken off")),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for Streamed {
    /// Lets go of the channel, so that the thread does not wait for a network that has gone.
    fn drop(&mut self) {
        lock(&self.account.incoming).take();
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            incoming: Mutex::default(),
            moved: Mutex::new(Instant::now()),
            is_reading: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }
}

#[cfg(test)]
mod tests;
