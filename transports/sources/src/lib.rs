//! The sources of bytes and credentials for a driver: files, OCI layouts, tars, pipes, and Docker's configuration.
//! Synchronous, without HTTP.
//!
//! The core never has the bytes of a blob: it names a blob by the caller's key and asks the driver to send a range of
//! it. This crate gives the driver those bytes.
//!
//! * [`credentials`]: the credentials that Docker and the containers tools store for a registry, and their helpers.
//! * [`image`]: makes a push from a whole image.
//! * [`incoming`]: what becomes of an answer while it comes in.
//! * [`layout`]: OCI image layouts in a folder or a tar: selects an image, and finds everything that it needs.
//! * [`pack`]: makes small images, for demonstrations and tests.
//! * [`portable_path`]: paths that stay below a folder on every system.
//! * [`serial`]: a driver for every HTTP stack that blocks and sends one request at a time.
//! * [`sink`]: where the bytes of a pulled blob are written.
//! * [`source`]: where the bytes of one blob come from. They are read in pieces, and verified at the same time.
//! * [`staging`]: a folder that appears under its name only when it is complete.
//! * [`unpack`]: writes the files of an artifact below one folder.
//!
//! ```
//! use longshore_core::{Algorithm, Digest};
//! use longshore_sources::source::{Source, Sources};
//!
//! let digest = Digest::of(Algorithm::Sha256, b"a layer");
//! let mut sources = Sources::new();
//! sources.insert("layer", Source::bytes("a layer").with_digest(digest));
//!
//! // What a driver does when the core sends `Body::Blob { key: "layer", range: 0..7 }`:
//! let mut body = sources.open(&"layer", 0..7)?;
//! while let Some(piece) = body.next_piece()? {
//!     assert_eq!(piece, "a layer");
//! }
//! # Ok::<(), longshore_sources::source::SourceError>(())
//! ```
#![forbid(unsafe_code)]

pub mod credentials;
pub mod image;
pub mod incoming;
pub mod layout;
pub mod pack;
pub mod portable_path;
pub mod serial;
pub mod sink;
pub mod source;
pub mod staging;
pub mod unpack;

pub use credentials::{CredentialsError, Environment};
pub use image::{ImageError, push_of};
pub use incoming::IncomingAnswer;
pub use layout::{Layout, LayoutError, LayoutOptions, Selection, SourceArgument};
pub use portable_path::{PortablePath, PortablePathError};
pub use serial::SerialDriver;
pub use sink::{Memory, Sink};
pub use source::{Source, SourceError, Sources};
