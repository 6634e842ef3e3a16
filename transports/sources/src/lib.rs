//! Where bytes and credentials come from. Synchronous, no HTTP.
//!
//! A push moves blobs, and the core never sees one: it names them by the caller's key and asks the driver to send a range.
//! This crate answers for the driver.
//!
//! * [`credentials`]: what Docker and the containers tools keep for a registry, and their helpers.
//! * [`image`]: a whole image as a push.
//! * [`incoming`]: what becomes of an answer while it comes in.
//! * [`layout`]: OCI image layouts, in a folder or a tar: which image is meant, and all that it needs.
//! * [`pack`]: making small images, for demonstrations and tests.
//! * [`portable_path`]: paths that lead below a folder, on every system.
//! * [`sink`]: where the bytes of a pulled blob go.
//! * [`source`]: where one blob's bytes come from, and how they are read in pieces, verified on the way.
//! * [`staging`]: a folder that appears under its name only when it is whole.
//! * [`unpack`]: the files of an artifact, written below one folder and nowhere else.
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
pub mod sink;
pub mod source;
pub mod staging;
pub mod unpack;

pub use credentials::{CredentialsError, Environment};
pub use image::{ImageError, push_of};
pub use incoming::IncomingAnswer;
pub use layout::{Layout, LayoutError, LayoutOptions, Selection, SourceArgument};
pub use portable_path::{PortablePath, PortablePathError};
pub use sink::{Memory, Sink};
pub use source::{Source, SourceError, Sources};
