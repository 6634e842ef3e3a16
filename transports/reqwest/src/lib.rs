//! Longshore over [reqwest](https://docs.rs/reqwest) and [tokio](https://docs.rs/tokio).
//!
//! An image out of an OCI layout, in a line:
//!
//! ```no_run
//! # async fn example() -> Result<(), longshore_reqwest::ImageError> {
//! let pushed = longshore_reqwest::push("path/to/layout", "localhost:5000/a/b:v1").await?;
//! println!("{} bytes in {} requests", pushed.bytes, pushed.requests);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Session`] does more: any [`Operation`](longshore_core::Operation), several at once, with options, credentials and events.
//!
//! # What this stack holds of the contract, and what it cannot
//!
//! * No redirect is followed, nothing is repeated, no cookie is kept, no referer sent, nothing decompressed: those are off.
//!   Where the core sets no `Accept`, reqwest sends `*/*`; it sends no other header that the core did not set.
//! * The proxies of the environment (`HTTPS_PROXY` and its kin) are used, save for loopback.
//! * HTTP/2 is spoken where TLS's ALPN agrees on it; plain HTTP is HTTP/1.1.
//! * The bytes of an answer's head are counted as they are stored: over HTTP/1.1 up to about 400 KiB are read before the limit
//!   of [`Limits::head_bytes`](longshore_core::driver::Limits) is applied. The number of fields is held exactly there, and is
//!   bounded through the bytes over HTTP/2.
//! * A target that reqwest's URLs would change is reported as
//!   [`Unsendable`](longshore_core::driver::NoAnswer::Unsendable).
#![forbid(unsafe_code)]

mod body;
mod driver;
mod exchange;
mod http;
mod image;
mod session;
mod sink;
mod words;

pub use http::{Http, HttpBuilder, HttpError};
pub use image::{ImageError, PulledImage, push, push_of};
pub use session::{Running, Session, SessionBuilder};
pub use sink::{Memory, Sink};
