//! A whole image on its way to a registry: out of a layout, into a push.

use longshore_core::{Blob, Digest, Failure, Manifest, Push, Reference, ReferenceError, Tag};
use thiserror::Error;

use crate::layout::{ArgumentError, Closure, LayoutError, LayoutOptions, SourceArgument};

/// Why an image was not pushed or pulled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The source is not written as it should be.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The reference is not written as it should be.
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
        /// What the reference says.
        expected: Digest,
        /// What the image has.
        actual: Digest,
    },
    /// The registry, or the way to it, failed.
    #[error(transparent)]
    Failed(#[from] Box<Failure>),
    /// The thread that reads the layout panicked.
    #[error("the layout was not read: the thread that reads it panicked")]
    Panicked,
}

impl Closure {
    /// The image that a source names: a folder or a tar of a layout; `PATH`, `PATH:name` or `PATH@digest` where it holds
    /// several; `-` for a tar on standard input. What refers to it is left behind.
    ///
    /// # Errors
    /// Where the source is not written like that, or the layout cannot be read.
    pub fn find(source: &str) -> Result<Self, ImageError> {
        let argument = SourceArgument::parse(source)?;
        let layout = argument.open(LayoutOptions::default())?;
        let root = layout.select(&argument.selection, None)?;
        Ok(layout.closure(&root)?)
    }

    /// Checks that this is the image that a reference names, where it names one by its digest.
    ///
    /// # Errors
    /// [`ImageError::OtherDigest`] where it is not.
    pub fn check(&self, reference: &Reference) -> Result<(), ImageError> {
        let actual = self.root.digest;
        match reference.digest {
            Some(expected) if expected != actual => Err(ImageError::OtherDigest { expected, actual }),
            _ => Ok(()),
        }
    }
}

/// The push that puts an image where a reference says: under its tag, by its digest alone where it has only that, under
/// `latest` where it has neither. More tags can be [added](Push::tag).
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
