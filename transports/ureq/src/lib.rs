//! Longshore over [ureq](https://docs.rs/ureq): blocking, with a thread for each request in flight and without an async
//! runtime.
//!
//! Pushing an image from an OCI layout takes one line:
//!
//! ```no_run
//! let pushed = longshore_ureq::push("path/to/layout", "localhost:5000/a/b:v1")?;
//! println!("{} bytes in {} requests", pushed.bytes, pushed.requests);
//! # Ok::<(), longshore_ureq::ImageError>(())
//! ```
//!
//! A [`Session`] can do more: run any [`Operation`](longshore_core::Operation), several at once, with options,
//! credentials and events.
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
//! # How this driver keeps the contract with the core
//!
//! * Redirects, retries, cookies and decompression are switched off, and no header is added. Paths and queries are sent
//!   byte for byte.
//! * It uses HTTP/1.1 only.
//! * **An answer is read when the body has been sent, not before.** If a registry refuses a large body early, the
//!   refusal is read after the whole body, or the connection counts as lost if the registry closes it.
//! * **A request that waits for its answer cannot be aborted.** Its body ends early, and its answer is read and
//!   dropped.
//! * The limit of silence applies to each read and each write.
//! * A request is known not to be sent if no connection could be opened. If the TLS handshake failed for another reason
//!   than the certificate, the request counts as lost.
//! * The proxy of the environment is used, except for loopback and for the hosts in `NO_PROXY` (a host, or
//!   `.example.com` for all hosts below it). It is the first of `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`, whatever
//!   the scheme. Plain HTTP goes through a tunnel too, which not every proxy allows. A `socks5://` proxy resolves names
//!   itself.
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
