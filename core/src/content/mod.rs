//! Content: media types, descriptors, manifests and indexes.

mod build;
mod descriptor;
mod manifest;
mod media_type;
mod reading;
mod strict;

pub use build::ManifestBuilder;
pub use descriptor::{Descriptor, Platform};
pub use manifest::{Artifact, Document, Image, Index, Manifest, ManifestError};
pub use media_type::{MediaType, MediaTypeError};
pub use strict::StrictError;
