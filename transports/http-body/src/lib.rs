//! Bodies as streams, for drivers over hyper, reqwest, tower, or another HTTP stack whose bodies are
//! [`http_body::Body`].
//!
//! [`open`] makes the two halves of a request's body: the HTTP stack sends the [`OutgoingBody`], and the driver keeps
//! the [`Transfer`], with which it waits for the answer only as long as bytes move. [`receive`] reads the body of the
//! answer. So this much of a driver's contract is done here:
//!
//! * A source that may block is read in a thread that may block, one piece ahead of the network, and a sink is written
//!   in one: memory does not grow with a blob.
//! * The core is told of bytes that were sent, and where a blob of unknown length ends before the registry can answer.
//! * Neither a slow source nor a slow sink counts as silence of the registry.
//! * A body that is not complete fails its request, and never looks complete. [`Transfer::failure`] says why.
//! * The answer is read no further than the core wants.
//!
//! ```
//! use std::time::Duration;
//!
//! use http_body_util::BodyExt;
//! use longshore_core::driver::{Body, NoAnswer, RequestId};
//! use longshore_http_body::{Reading, open};
//! use longshore_sources::{Source, Sources};
//!
//! async fn send(id: RequestId) -> Result<(), NoAnswer> {
//!     let sources = Sources::from_iter([("layer", Source::bytes("hello"))]);
//!     let wanted = Body::Blob { key: "layer", range: 1..5 };
//!     let tell = |input| println!("for the core: {input:?}");
//!     let find = |key: &&str| sources.source(key).cloned();
//!     let (body, transfer) = open(&Reading::in_threads(), id, wanted, find, tell).await?;
//!
//!     // In place of an HTTP stack: all of the body, unless it stands still for ten seconds.
//!     let sent = transfer.unless_silent(Duration::from_secs(10), body.collect()).await;
//!     let sent = sent.ok_or_else(|| NoAnswer::Lost("the registry was silent".to_owned()))?;
//!     assert_eq!(sent.expect("the source can be read").to_bytes(), "ello");
//!     Ok(())
//! }
//! # use longshore_core::driver::Output;
//! # use longshore_core::{Client, Instant, Operation, Options};
//! # let mut client = Client::<&str>::new(Options::default());
//! # client.start(Operation::ListTags { registry: "registry.example".parse().unwrap(), repository: "a".parse().unwrap() });
//! # let id = std::iter::from_fn(|| Some(client.poll(Instant::ZERO)))
//! #     .find_map(|output| if let Output::Send { id, .. } = output { Some(id) } else { None });
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
//! # runtime.block_on(send(id.unwrap())).unwrap();
//! ```
#![forbid(unsafe_code)]

mod body;
mod pieces;
mod reading;
mod receive;
mod transfer;

use longshore_core::driver::{Body, Input, Key, NoAnswer, RequestId};
use longshore_sources::{Source, SourceError};

pub use body::OutgoingBody;
pub use reading::Reading;
pub use receive::receive;
pub use transfer::Transfer;

use pieces::Pieces;
use reading::{Content, Wanted};

/// Opens the body of a request: the stream that the HTTP stack sends, and the driver's handle to it.
///
/// `source` looks up the bytes of a blob. `tell` passes to the core what it must hear: [`Input::Sent`] at most four times
/// a MiB and at the end, and [`Input::Ended`] after the last byte of a [`Body::Rest`] was read and before the network
/// receives the end. It is called in the threads that send and read, so it must not wait for them.
///
/// A body is opened in a thread that may block, unless its bytes are at hand.
///
/// # Errors
/// [`NoAnswer::Source`] if the source cannot be opened. Nothing was sent then.
///
/// # Panics
/// If it is called outside of a tokio runtime.
pub async fn open<K: Key + Send + 'static>(
    reading: &Reading,
    id: RequestId,
    body: Body<K>,
    source: impl FnOnce(&K) -> Result<Source, SourceError>,
    tell: impl Fn(Input<K>) + Clone + Send + Sync + 'static,
) -> Result<(OutgoingBody, Transfer), NoAnswer> {
    let told = tell.clone();
    let on_sent = move |total| told(Input::Sent { id, total });
    let (key, wanted) = match body {
        Body::Empty => return Ok(OutgoingBody::whole(bytes::Bytes::new(), on_sent)),
        Body::Bytes(bytes) => return Ok(OutgoingBody::whole(bytes, on_sent)),
        Body::Blob { key, range } => (key, Wanted::Range(range)),
        Body::Rest { key, from } => (key, Wanted::Rest(from)),
    };
    let source = source(&key)?;
    let is_rest = matches!(wanted, Wanted::Rest(_));
    Ok(match reading.open(&source, wanted).await? {
        Content::Whole(bytes) => OutgoingBody::whole(bytes, on_sent),
        Content::AtHand(reader) => OutgoingBody::new(reader.remaining(), Pieces::AtHand(reader), on_sent),
        Content::Slow(reader, permit) => {
            let remaining = if is_rest { None } else { reader.remaining() };
            let on_end = move || {
                drop(permit);
                if is_rest && let Some(ended) = source.rest_ended(key) {
                    tell(ended);
                }
            };
            OutgoingBody::new(remaining, Pieces::read_by_a_thread(reader, on_end), on_sent)
        }
    })
}

#[cfg(test)]
mod tests;
