//! Longshore over [ureq](https://docs.rs/ureq): blocking, a thread for each request under way, no async runtime.
//!
//! An image out of an OCI layout, in a line:
//!
//! ```no_run
//! let pushed = longshore_ureq::push("path/to/layout", "localhost:5000/a/b:v1")?;
//! println!("{} bytes in {} requests", pushed.bytes, pushed.requests);
//! # Ok::<(), longshore_ureq::ImageError>(())
//! ```
//!
//! A [`Session`] does more: any [`Operation`](longshore_core::Operation), several at once, with options, credentials and
//! events.
//!
//! ```
//! # use longshore_mock_registry::{RegistryOptions, Registry, server::Server};
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # let server = runtime.block_on(Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())))?;
//! # let address = server.address();
//! # std::thread::spawn(move || runtime.block_on(server.serve(std::future::pending())));
//! use longshore_core::{Event, Reference, content::Platform};
//! use longshore_sources::{Source, pack};
//! use longshore_ureq::{Http, Session};
//!
//! let layer = pack::Layer::new().with_file("hello.txt", Source::bytes("hello"), 0o644);
//! let layer = layer.in_memory(pack::Compression::Gzip)?;
//! let image = pack::image(&Platform::new("linux", "amd64", None), &[layer], &[])?;
//!
//! let mut session = Session::builder(Http::default())
//!     .credentials(|_registry, _repository, _stale| Ok(None)) // a file, a helper, a prompt
//!     .on_event(|event| if let Event::Retrying { why, .. } = event { eprintln!("again: {why}") })
//!     .build();
//! let reference: Reference = format!("{address}/a/b:v1").parse()?;
//! assert_eq!(session.push_image(&image, &reference)?.uploaded, 2);
//! assert_eq!(session.push_image(&image, &reference)?.uploaded, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What this stack holds of the contract, and what it cannot
//!
//! * No redirect is followed, nothing is repeated, no cookie is kept, nothing decompressed, and no header is sent that the core
//!   did not set: all of that is off. Paths and queries are sent byte for byte.
//! * It speaks HTTP/1.1.
//! * **An answer is read when the body has been sent, not before.** A registry that refuses a large body early is heard at its
//!   end, or seen as a lost connection where it closes.
//! * **A request that waits for its answer cannot be aborted.** Its body ends early; its answer is waited for and dropped.
//! * Silence is counted for each read and each write.
//! * Whether a request was sent at all is known where no connection came about. Where one broke in TLS's handshake for another
//!   reason than its certificate, the request counts as lost.
//! * The proxies of the environment are used, save for loopback and what `NO_PROXY` names (a host, or `.example.com` for all
//!   below it): the first of `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`, whatever the scheme. Plain HTTP goes through a tunnel
//!   too, which not every proxy allows. A `socks5://` proxy is given names to resolve.
#![forbid(unsafe_code)]

mod driver;
mod exchange;
mod http;
mod session;
mod tls;
mod words;

pub use http::{Http, HttpBuilder};
pub use longshore_sources::{ImageError, Memory, Sink, push_of};
pub use longshore_tls::TlsError;
pub use session::{Session, SessionBuilder, push};
