//! Makes a push from an image in a layout.

use longshore_core::{Blob, Digest, Failure, Manifest, Push, Reference, ReferenceError, Tag};
use thiserror::Error;

use crate::layout::{ArgumentError, Closure, LayoutError, LayoutOptions, SourceArgument};

/// Why an image was not pushed or pulled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The text that names the source is malformed.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The reference is malformed.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The layout cannot be read.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The reference names a digest, and the image has another.
    #[error(
        "the reference names the digest {expected}, but the image has {actual}: leave the digest out, or name the right image"
    )]
    OtherDigest {
        /// The digest in the reference.
        expected: Digest,
        /// The digest of the image.
        actual: Digest,
    },
    /// The operation at the registry failed.
    #[error(transparent)]
    Failed(#[from] Box<Failure>),
    /// The thread that reads the layout panicked.
    #[error("the layout was not read: the thread that reads it panicked")]
    Panicked,
}

impl Closure {
    /// Finds the image that a source names: `PATH` is a folder or a tar of a layout, `PATH:name` or `PATH@digest`
    /// chooses an image if it has several, and `-` is a tar on standard input. The image's referrers are not included.
    ///
    /// # Errors
    /// If the source is malformed, or the layout cannot be read.
    pub fn find(source: &str) -> Result<Self, ImageError> {
        let argument = SourceArgument::parse(source)?;
        let layout = argument.open(LayoutOptions::default())?;
        let root = layout.select(&argument.selection, None)?;
        Ok(layout.closure(&root)?)
    }

    /// Checks that the image has the digest in a reference, if there is one.
    ///
    /// # Errors
    /// [`ImageError::OtherDigest`] if it does not.
    pub fn check(&self, reference: &Reference) -> Result<(), ImageError> {
        let actual = self.root.digest;
        match reference.digest {
            Some(expected) if expected != actual => Err(ImageError::OtherDigest { expected, actual }),
            _ => Ok(()),
        }
    }
}

/// The push of an image to a reference: under the reference's tag, by digest if it has only a digest, and under
/// `latest` if it has neither. More tags can be [added](Push::tag).
///
/// The keys of its blobs are their digests, as in [`Closure::sources`].
#[must_use]
pub fn push_of(closure: &Closure, reference: &Reference) -> Push<Digest> {
    let mut push = Push::new(reference.registry.clone(), reference.repository.clone());
    for manifest in &closure.manifests {
        let is_root = manifest.digest() == closure.root.digest;
        let add = if is_root { Push::root } else { Push::manifest };
        push = add(push, Manifest::clone(manifest));
    }
    for blob in &closure.blobs {
        push = push.blob(Blob::described(blob.descriptor.digest, &blob.descriptor));
    }
    match (&reference.tag, &reference.digest) {
        (Some(tag), _) => push.tag(tag.clone()),
        (None, Some(_)) => push,
        (None, None) => push.tag(Tag::latest()),
    }
}
