//! A body on its way: read by a thread that may block, a piece ahead of the network.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use longshore_core::driver::{Body, Input, Key, NoAnswer, RequestId};
use longshore_sources::SourceError;
use longshore_sources::source::BodyReader;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::session::{Shared, lock};

/// How many bytes pass between two reports of progress.
const REPORT: u64 = 256 * 1024;

/// How many pieces wait for the network, beside the one that is being read.
const PIECES_AHEAD: usize = 1;

/// Makes the body that reqwest sends, and the account of it that the exchange watches.
///
/// # Errors
/// Where the source cannot be opened. Nothing was sent then.
pub(crate) async fn open<K: Key + Send + 'static>(
    shared: &Arc<Shared<K>>,
    id: RequestId,
    body: Body<K>,
) -> Result<(Option<reqwest::Body>, Arc<Account>), NoAnswer> {
    let account = Arc::new(Account::new());
    let (key, range) = match body {
        Body::Empty => return Ok((None, account)),
        Body::Bytes(bytes) => {
            account.sent.store(bytes.len() as u64, Ordering::Relaxed);
            return Ok((Some(bytes.into()), account));
        }
        Body::Blob { key, range } => (key, Ok(range)),
        Body::Rest { key, from } => (key, Err(from)),
    };
    let source = lock(&shared.sources).source(&key).cloned().map_err(|error| failed(&error))?;
    let rest = range.is_err().then(|| key);
    let reader = spawn_blocking(move || match range {
        Ok(range) => source.open(range),
        Err(from) => source.rest(from),
    });
    let reader = match reader.await {
        Ok(reader) => reader.map_err(|error| failed(&error))?,
        Err(_) => return Err(NoAnswer::Source("the thread that reads it panicked".to_owned())),
    };
    let (pieces, incoming) = mpsc::channel(PIECES_AHEAD);
    let remaining = if rest.is_some() { None } else { reader.remaining() };
    let streamed = Streamed { incoming, remaining, account: Arc::clone(&account), report: reporter(shared, id) };
    let thread = Thread { shared: Arc::clone(shared), reader, pieces, rest, account: Arc::clone(&account) };
    spawn_blocking(move || thread.read());
    Ok((Some(reqwest::Body::wrap(streamed)), account))
}

fn failed(error: &SourceError) -> NoAnswer {
    NoAnswer::Source(error.to_string())
}

/// Tells the core how much was sent, now and then.
fn reporter<K: Key + Send + 'static>(shared: &Arc<Shared<K>>, id: RequestId) -> Report {
    let shared = Arc::clone(shared);
    Report { tell: Box::new(move |total| shared.tell(Input::Sent { id, total })), told: 0 }
}

struct Report {
    tell: Box<dyn Fn(u64) + Send + Sync>,
    told: u64,
}

/// What is known of a body that is on its way.
pub(crate) struct Account {
    sent: AtomicU64,
    moved: Mutex<Instant>,
    is_over: AtomicBool,
    failure: Mutex<Option<SourceError>>,
}

impl Account {
    fn new() -> Self {
        Self {
            sent: AtomicU64::new(0),
            moved: Mutex::new(Instant::now()),
            is_over: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// How many bytes were handed to the network.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// When a byte last moved, either way.
    pub(crate) fn moved(&self) -> Instant {
        *lock(&self.moved)
    }

    /// A byte moved now.
    pub(crate) fn touch(&self) {
        *lock(&self.moved) = Instant::now();
    }

    /// The answer is here, or will not be waited for: what is left of the body need not be sent.
    pub(crate) fn give_up(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Why the source failed, if it did.
    pub(crate) fn failure(&self) -> Option<NoAnswer> {
        lock(&self.failure).as_ref().map(failed)
    }
}

/// The thread that reads.
struct Thread<K: Key> {
    shared: Arc<Shared<K>>,
    reader: BodyReader,
    pieces: mpsc::Sender<Piece>,
    /// The blob, where its end is not known beforehand.
    rest: Option<K>,
    account: Arc<Account>,
}

/// What the thread hands over. A channel that closes without an end is a failure.
enum Piece {
    Bytes(Bytes),
    End,
}

impl<K: Key> Thread<K> {
    fn read(mut self) {
        loop {
            match self.reader.next_piece() {
                Ok(Some(bytes)) => {
                    if self.pieces.blocking_send(Piece::Bytes(bytes)).is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    *lock(&self.account.failure) = Some(error);
                    return;
                }
            }
        }
        // The core hears of the end before the registry can answer.
        if let Some((blob, ended)) = self.rest.take().zip(self.reader.ended()) {
            self.shared.tell(Input::Ended { blob, len: ended.len, digest: ended.digest });
        }
        drop(self.pieces.blocking_send(Piece::End));
    }
}

/// The end that the network takes pieces from.
struct Streamed {
    incoming: mpsc::Receiver<Piece>,
    /// Bytes to come, where that is known.
    remaining: Option<u64>,
    account: Arc<Account>,
    report: Report,
}

impl Streamed {
    fn pass(&mut self, piece: &Bytes) {
        let len = piece.len() as u64;
        let total = self.account.sent.fetch_add(len, Ordering::Relaxed) + len;
        self.account.touch();
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(len));
        if total - self.report.told >= REPORT || self.remaining == Some(0) {
            self.report.told = total;
            (self.report.tell)(total);
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
        let piece = match self.incoming.poll_recv(context) {
            Poll::Ready(piece) => piece,
            Poll::Pending => return Poll::Pending,
        };
        if self.account.is_over.load(Ordering::Relaxed) {
            return Poll::Ready(Some(Err("the answer came before the end of the body")));
        }
        Poll::Ready(match piece {
            Some(Piece::Bytes(bytes)) => {
                self.pass(&bytes);
                Some(Ok(Frame::data(bytes)))
            }
            Some(Piece::End) if self.remaining.unwrap_or(0) == 0 => None,
            // Never a short body: without its end the request is broken off.
            Some(Piece::End) | None => Some(Err("the source of the body failed")),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
