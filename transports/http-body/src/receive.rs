//! The body of an answer.

use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use longshore_core::driver::{Input, Key, NoAnswer};
use longshore_sources::IncomingAnswer;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::transfer::Transfer;

/// Reads the body of an answer, as far as the core wants it, and gives the input for the core. Call it as soon as the
/// head has arrived: silence is counted from now.
///
/// `transfer` is that of the request's body, which may not be sent completely when the answer comes: what is left of it
/// is given up when the answer is read. An answer that stands still for longer than `silence`, or whose connection ends
/// before its body, is given to the core as one that was cut. A blob is written into its sink in a thread that may
/// block, and the time that the sink needs does not count as silence.
///
/// # Errors
/// [`NoAnswer::Sink`] if the sink cannot be opened or written.
///
/// # Panics
/// If it is called outside of a tokio runtime.
pub async fn receive<K, B>(
    mut answer: IncomingAnswer<K>,
    body: B,
    transfer: Transfer,
    silence: Duration,
) -> Result<Input<K>, NoAnswer>
where
    K: Key + Send + 'static,
    B: Body<Data = Bytes>,
{
    // The head came after the last byte of the request.
    transfer.touch();
    let mut incoming = Incoming { body: pin!(body), transfer, silence };
    if answer.is_poured() {
        return pour(answer, incoming).await;
    }
    loop {
        match incoming.next().await {
            Ok(Some(piece)) if answer.take(&piece)? => {}
            Ok(None) => return answer.finish(true),
            Ok(Some(_)) | Err(Cut) => return answer.finish(false),
        }
    }
}

/// Writes a body into its sink, in a thread that may block.
async fn pour<K, B>(mut answer: IncomingAnswer<K>, mut incoming: Incoming<'_, B>) -> Result<Input<K>, NoAnswer>
where
    K: Key + Send + 'static,
    B: Body<Data = Bytes>,
{
    let (pieces, mut written) = mpsc::channel::<Option<Bytes>>(1);
    let writer = spawn_blocking(move || {
        loop {
            match written.blocking_recv() {
                Some(Some(piece)) if answer.take(&piece)? => {}
                Some(None) => return answer.finish(true),
                // The limit is exceeded, or the connection has ended.
                Some(Some(_)) | None => return answer.finish(false),
            }
        }
    });
    while let Ok(piece) = incoming.next().await {
        let is_end = piece.is_none();
        // If the writer has ended, its error is returned below.
        if pieces.send(piece).await.is_err() || is_end {
            break;
        }
        // The time that the sink needs does not count as silence.
        incoming.transfer.touch();
    }
    drop(pieces);
    writer.await.unwrap_or_else(|_| Err(NoAnswer::Sink("the thread that writes it panicked".to_owned())))
}

struct Incoming<'a, B> {
    body: Pin<&'a mut B>,
    transfer: Transfer,
    silence: Duration,
}

/// The connection ended before the body did.
struct Cut;

impl<B: Body<Data = Bytes>> Incoming<'_, B> {
    /// The next bytes, or the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        loop {
            let frame = std::future::poll_fn(|context| self.body.as_mut().poll_frame(context));
            let frame = self.transfer.unless_silent(self.silence, frame).await;
            self.transfer.touch();
            match frame {
                Some(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => return Ok(Some(bytes)),
                    // Nothing in the protocol is said in trailers.
                    Err(_) => continue,
                },
                Some(None) => return Ok(None),
                Some(Some(Err(_))) | None => return Err(Cut),
            }
        }
    }
}
