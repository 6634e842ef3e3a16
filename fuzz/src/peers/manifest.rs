//! `oci-spec`: images and indexes as structures of serde.

use longshore_core::content::ManifestError;
use longshore_core::{Descriptor, Manifest, MediaType};
use oci_spec::image::{Descriptor as TheirDescriptor, ImageIndex, ImageManifest};

/// A manifest or index.
///
/// # Panics
/// Where both read it, and see other descriptors; and where `oci-spec` alone reads it, and ours has no reason of these:
///
/// * fields that readers understand differently (equal keys, keys that differ in case, numbers that are no whole numbers, too
///   much nesting): `oci-spec` takes the last one, or passes them over;
/// * a `mediaType` that is not that of the fields beside it, or fields of both kinds: `oci-spec` is told by its caller what it
///   reads, and does not look;
/// * digests of an algorithm that ours cannot check, and sizes, URLs or annotations that are malformed where `oci-spec` does
///   not look.
pub fn peers_manifest(bytes: &[u8]) {
    let image = ImageManifest::from_reader(bytes).ok();
    let index = ImageIndex::from_reader(bytes).ok();
    match Manifest::parse(bytes.to_vec()) {
        Ok(ours) if ours.media_type().is_index() => {
            let Some(theirs) = index else { return };
            let children = ours.children().chain(ours.blobs());
            assert_same(children, theirs.manifests().iter());
            assert_same(ours.subject().into_iter(), theirs.subject().iter());
        }
        Ok(ours) if ours.media_type().is_image() => {
            let Some(theirs) = image else { return };
            assert_same(ours.blobs(), [theirs.config()].into_iter().chain(theirs.layers()));
            assert_same(ours.subject().into_iter(), theirs.subject().iter());
        }
        Ok(_) => {}
        Err(error) if image.is_some() || index.is_some() => {
            let has_reason = matches!(
                error,
                ManifestError::Ambiguous(_)
                    | ManifestError::Malformed(_)
                    | ManifestError::MediaTypeMismatch { .. }
                    | ManifestError::BothKinds
            );
            assert!(has_reason, "ours refuses it without a listed reason: {error}");
        }
        Err(_) => {}
    }
}

/// The same digests, sizes and media types, in whatever order.
fn assert_same<'a>(ours: impl Iterator<Item = &'a Descriptor>, theirs: impl Iterator<Item = &'a TheirDescriptor>) {
    let mut ours: Vec<_> = ours.map(|it| (it.digest.to_string(), it.size, it.media_type.to_string())).collect();
    // A media type that is none is absent for ours; oci-spec takes any text.
    let media_type = |it: &TheirDescriptor| it.media_type().to_string().parse::<MediaType>();
    let media_type = |it| media_type(it).map_or_else(|_| String::new(), |media_type| media_type.to_string());
    let mut theirs: Vec<_> = theirs.map(|it| (it.digest().to_string(), it.size(), media_type(it))).collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
}
