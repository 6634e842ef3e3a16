//! Longshore over [reqwest](https://docs.rs/reqwest) and [tokio](https://docs.rs/tokio).
//!
//! Pushing an image from an OCI layout takes one line:
//!
//! ```no_run
//! # async fn example() -> Result<(), longshore_reqwest::ImageError> {
//! let pushed = longshore_reqwest::push("path/to/layout", "localhost:5000/a/b:v1").await?;
//! println!("{} bytes in {} requests", pushed.bytes, pushed.requests);
//! # Ok(())
//! # }
//! ```
//!
//! A folder becomes an artifact, which ORAS clients unpack:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use longshore_core::MediaType;
//! use longshore_reqwest::{Http, Session};
//! use longshore_sources::pack;
//!
//! let layer = pack::folder("docs".as_ref(), "docs", MediaType::oci_layer_gzip(), "/tmp/docs.tar.gz")?;
//! let artifact = pack::artifact("application/vnd.example.docs", [layer])?;
//! let session = Session::builder(Http::default()).stored_credentials().start();
//! session.push_image(&artifact, &"localhost:5000/docs:v1".parse()?).await?;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Session`] can do more: run any [`Operation`](longshore_core::Operation), several at once, with options,
//! credentials and events.
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
//! # How this driver keeps the contract with the core
//!
//! * Redirects, retries, cookies, `Referer` and decompression are switched off. If the core sets no `Accept`, reqwest
//!   sends `*/*`; it adds no other header.
//! * The proxies of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`) are used, except for loopback and for
//!   the hosts in `NO_PROXY`. A `socks5://` proxy resolves names itself.
//! * HTTP/2 is used if TLS's ALPN negotiates it; plain HTTP is HTTP/1.1. A request body of more than 64 KiB, or of
//!   unknown length, goes over a connection that offers only HTTP/1.1. Over HTTP/2 no more than the registry's
//!   flow-control window is sent in a round trip, which is 64 KiB by default and rarely more than 1 MiB: 1.25 or 20 MiB
//!   a second at a round trip of 50 ms. For pulls the driver's own window counts: 8 MiB for an answer and 16 MiB for a
//!   connection. `cargo bench --profile dist -p longshore --bench distance` measures both.
//! * The limit [`Limits::head_bytes`](longshore_core::driver::Limits) is applied after hyper has read the head: over
//!   HTTP/1.1 up to about 400 KiB are read before. The number of fields is limited exactly over HTTP/1.1, and through
//!   the bytes over HTTP/2.
//! * A target that reqwest's URLs would change is reported as
//!   [`Unsendable`](longshore_core::driver::NoAnswer::Unsendable).
#![forbid(unsafe_code)]

mod async_read;
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
