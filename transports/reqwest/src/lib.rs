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
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use longshore_mock_registry::{RegistryOptions, Registry, server::Server};
//! # let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await?;
//! # let address = server.address();
//! # tokio::spawn(server.serve(std::future::pending()));
//! use longshore_core::{Event, Reference, content::Platform};
//! use longshore_reqwest::{Http, Session, Sink};
//! use longshore_sources::{Source, pack};
//!
//! let layer = pack::Layer::new().with_file("hello.txt", Source::bytes("hello"), 0o644);
//! let layer = layer.in_memory(pack::Compression::Gzip)?;
//! let image = pack::image(&Platform::new("linux", "amd64", None), &[layer], &[])?;
//!
//! let session = Session::builder(Http::default())
//!     .credentials(|_registry, _repository, _stale| Ok(None)) // a file, a helper, a prompt: it may block
//!     .on_event(|event| if let Event::Retrying { why, .. } = event { eprintln!("again: {why}") })
//!     .start();
//! let reference: Reference = format!("{address}/a/b:v1").parse()?;
//! let pushed = session.push_image(&image, &reference).await?;
//! assert_eq!(pushed.uploaded, 2);
//! let again = session.push_image(&image, &reference).await?;
//! assert_eq!(again.uploaded, 0);
//!
//! let pulled = session.pull_image(&reference, |_blob| Sink::null()).await?;
//! assert_eq!(pulled.manifests[0].digest(), image.root.digest);
//! # Ok(())
//! # }
//! ```
//!
//! # What this stack holds of the contract, and what it cannot
//!
//! * No redirect is followed, nothing is repeated, no cookie is kept, no referer sent, nothing decompressed: those are off.
//!   Where the core sets no `Accept`, reqwest sends `*/*`; it sends no other header that the core did not set.
//! * The proxies of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`) are used, save for loopback and for what
//!   `NO_PROXY` names. A `socks5://` proxy is given names to resolve.
//! * HTTP/2 is spoken where TLS's ALPN agrees on it; plain HTTP is HTTP/1.1. A request body of more than 64 KiB, or of unknown
//!   length, goes over a connection that offers HTTP/1.1 only: over HTTP/2 no more than the registry's window is sent in a round
//!   trip, 64 KiB by default and rarely more than 1 MiB, which is 1.25 or 20 MiB a second at a round trip of 50 ms. For what is
//!   pulled our own window counts: 8 MiB an answer and 16 MiB a connection. `cargo bench --profile dist -p longshore --bench distance` measures both.
//! * The bytes of an answer's head are counted as they are stored: over HTTP/1.1 up to about 400 KiB are read before the limit
//!   of [`Limits::head_bytes`](longshore_core::driver::Limits) is applied. The number of fields is held exactly there, and is
//!   bounded through the bytes over HTTP/2.
//! * A target that reqwest's URLs would change is reported as
//!   [`Unsendable`](longshore_core::driver::NoAnswer::Unsendable).
#![forbid(unsafe_code)]

mod async_read;
mod body;
mod driver;
mod exchange;
mod http;
mod image;
mod lock;
mod raw;
mod session;
mod shared;
mod words;

pub use async_read::source_of;
pub use http::{Http, HttpBuilder};
pub use image::{PulledImage, push};
pub use longshore_sources::{ImageError, Memory, Sink, push_of};
pub use longshore_tls::TlsError;
pub use raw::Framing;
pub use session::{Running, Session, SessionBuilder};
