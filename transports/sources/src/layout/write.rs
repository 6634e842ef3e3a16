//! Writing an OCI image layout.

use std::fs;
use std::path::{Path, PathBuf};

use longshore_core::{Descriptor, Digest, Manifest, MediaType};
use serde::Serialize;

use super::index::REF_NAME;
use crate::staging::{StagingError, system};

/// Writes a layout into a folder. The folder is not a layout before [`LayoutWriter::finish`].
///
/// ```
/// use longshore_core::Manifest;
/// use longshore_sources::layout::LayoutWriter;
/// use longshore_sources::{Layout, Selection};
///
/// let folder = tempfile::tempdir()?;
/// let index = Manifest::parse(&br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#[..])?;
/// let writer = LayoutWriter::new(folder.path());
/// writer.manifest(&index)?;
/// writer.finish(&[index.descriptor()], Some("v1"))?;
/// let layout = Layout::open(folder.path())?;
/// assert_eq!(layout.select(&Selection::Name("v1".to_owned()), None)?.digest, index.digest());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LayoutWriter {
    folder: PathBuf,
}

impl LayoutWriter {
    /// The parts of a layout's folder, with the index last.
    pub const PARTS: [&str; 3] = ["blobs", "oci-layout", "index.json"];

    /// Starts a layout in this folder, which must not contain one.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The path for a blob, which the caller writes.
    ///
    /// # Errors
    /// If its folder cannot be created.
    pub fn blob(&self, digest: &Digest) -> Result<PathBuf, StagingError> {
        let folder = self.folder.join("blobs").join(digest.algorithm().as_str());
        fs::create_dir_all(&folder).map_err(system(&folder))?;
        Ok(folder.join(digest.hex()))
    }

    /// Writes a manifest.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn manifest(&self, manifest: &Manifest) -> Result<(), StagingError> {
        let path = self.blob(&manifest.digest())?;
        fs::write(&path, manifest.bytes()).map_err(system(&path))
    }

    /// Writes `index.json` with these roots, of which the first gets this name. After that the folder is a layout.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn finish(self, roots: &[Descriptor], name: Option<&str>) -> Result<(), StagingError> {
        let mut manifests = roots.to_vec();
        if let (Some(root), Some(name)) = (manifests.first_mut(), name) {
            root.annotations.insert(REF_NAME.to_owned(), name.to_owned());
        }
        let index = Index { schema_version: 2, media_type: MediaType::OCI_INDEX, manifests };
        let index = serde_json::to_vec(&index).expect("a struct of strings and lists serialises");
        let write = |name: &str, bytes: &[u8]| {
            let path = self.folder.join(name);
            fs::write(&path, bytes).map_err(system(&path))
        };
        write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        write("index.json", &index)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}
