//! Makes artifacts of files.

use std::path::Path;

use longshore_core::{Descriptor, Manifest, MediaType};

use super::{PackError, PackedLayer};
use crate::PortablePath;
use crate::layout::Closure;
use crate::source::Source;
use crate::unpack::TITLE;

/// Makes an artifact of this type from its layers, for example a [`file()`] and a [`folder`](super::folder). For an
/// artifact with annotations, a subject or a config, see [`Closure::new`].
///
/// ```no_run
/// use std::path::Path;
///
/// use longshore_core::MediaType;
/// use longshore_sources::pack;
///
/// let guide = pack::file(Path::new("guide.md"), "guide.md", "text/markdown".parse()?)?;
/// let assets = pack::folder(Path::new("assets"), "assets", MediaType::oci_layer_gzip(), "/tmp/assets.tar.gz")?;
/// let artifact = pack::artifact("application/vnd.example.docs", [guide, assets])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the layers' descriptors do not make a valid manifest.
pub fn artifact(
    artifact_type: impl Into<String>,
    layers: impl IntoIterator<Item = PackedLayer>,
) -> Result<Closure, PackError> {
    let (descriptors, blobs): (Vec<_>, Vec<_>) =
        layers.into_iter().map(|layer| (layer.descriptor.clone(), (layer.descriptor, layer.source))).unzip();
    Ok(Closure::new(Manifest::artifact(artifact_type, descriptors).build()?, blobs))
}

/// Makes a layer of one file, which is read once for its digest. It is pulled under the name `title`. The file must
/// exist until the layer has been pushed.
///
/// # Errors
/// If the file cannot be read, or the title is not a path below a folder on every system.
pub fn file(path: &Path, title: &str, media_type: MediaType) -> Result<PackedLayer, PackError> {
    let name = PortablePath::parse(title);
    let name = name.map_err(|why| PackError::Path { path: path.to_owned(), name: title.to_owned(), why })?;
    let source = Source::file(path)?;
    source.verify()?;
    let ended = source.ended().expect("all of it was read");
    let descriptor = Descriptor::new(media_type, ended.digest, ended.len).annotation(TITLE, name.to_string());
    Ok(PackedLayer { descriptor, diff_id: ended.digest, source: source.with_digest(ended.digest) })
}
