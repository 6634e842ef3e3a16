//! Reads the file `oci-layout` and the entries of `index.json`.

use longshore_core::Descriptor;
use longshore_core::text::shown;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::store::Store;
use super::{LayoutError, MAX_FILE};

/// The annotation with the tag or another name of an image in a layout (image spec, annotations).
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The annotation with the full reference, which containerd and Docker add.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// The entries of `index.json`, valid and damaged ones.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) readable: Vec<Descriptor>,
    pub(super) damaged: Vec<DamagedEntry>,
    /// A warning about the file `oci-layout`.
    pub(super) marker: Option<String>,
}

/// An entry of `index.json` that is not a descriptor. It does not affect the others.
#[derive(Debug)]
pub(super) struct DamagedEntry {
    /// Its name, if it can be read.
    pub(super) name: Option<String>,
    /// Its position, counted from 1.
    pub(super) place: usize,
    pub(super) error: String,
}

impl DamagedEntry {
    /// What is wrong with it.
    pub(super) fn error(&self) -> LayoutError {
        LayoutError::Entry { place: self.place, name: self.name.clone(), error: self.error.clone() }
    }
}

/// The file `oci-layout`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

/// The file `index.json`. It is never sent, and its media type is ignored.
#[derive(Deserialize)]
struct Index {
    manifests: Option<Vec<Box<RawValue>>>,
}

/// Reads both files. An error in `oci-layout` is only a warning, because other tools ignore that file.
pub(super) fn read(store: &Store) -> Result<Entries, LayoutError> {
    let marker = store.find("oci-layout")?;
    let Some(index) = store.find("index.json")? else {
        let path = store.path().to_owned();
        return Err(match (store.find("manifest.json")?, marker) {
            (Some(_), None) if path.is_dir() && store.find("version")?.is_some() => LayoutError::SkopeoFolder { path },
            (Some(_), None) => LayoutError::DockerArchive { path },
            (None, None) if store.folders().len() > 1 => {
                LayoutError::SeveralLayouts { path, folders: store.folders().to_vec() }
            }
            (_, None) => LayoutError::NotALayout { path, missing: "oci-layout file" },
            (_, Some(_)) => LayoutError::NotALayout { path, missing: "index.json" },
        });
    };
    let marker = marker.map(|place| store.read_file(place, "oci-layout", MAX_FILE)).transpose()?;
    let index = store.read_file(index, "index.json", MAX_FILE)?;
    let index: Index = serde_json::from_slice(&index).map_err(|error| LayoutError::Index(error.to_string()))?;
    let mut entries = Entries { marker: odd_marker(marker.as_deref()), ..Entries::default() };
    for (place, raw) in (1..).zip(index.manifests.unwrap_or_default()) {
        match serde_json::from_str(raw.get()) {
            Ok(descriptor) => entries.readable.push(descriptor),
            Err(error) => entries.damaged.push(DamagedEntry { name: name_of(&raw), place, error: error.to_string() }),
        }
    }
    Ok(entries)
}

fn odd_marker(marker: Option<&[u8]>) -> Option<String> {
    let what = match marker.map(serde_json::from_slice::<Marker>) {
        None => "the layout has no oci-layout file".to_owned(),
        Some(Err(error)) => format!("the file oci-layout is malformed ({error})"),
        Some(Ok(marker)) if !marker.image_layout_version.starts_with("1.") => {
            format!("the layout has the version {:?}, and only 1.x is known", shown(&marker.image_layout_version))
        }
        Some(Ok(_)) => return None,
    };
    Some(format!("{what}: it is read as one of version 1.0.0"))
}

fn name_of(raw: &RawValue) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(raw.get()).ok()?;
    let annotations = value.get("annotations")?;
    let name = [CONTAINERD_NAME, REF_NAME].into_iter().find_map(|key| annotations.get(key)?.as_str());
    name.map(str::to_owned)
}

/// The names of an entry.
pub(super) fn names(entry: &Descriptor) -> impl Iterator<Item = &str> {
    let names = [CONTAINERD_NAME, REF_NAME].into_iter().filter_map(|key| entry.annotations.get(key));
    names.map(String::as_str).filter(|name| !name.is_empty())
}

/// Whether an entry may be a manifest: its type is that of a manifest, or it has none.
pub(super) fn is_manifest(entry: &Descriptor) -> bool {
    entry.media_type.is_manifest() || entry.media_type.is_absent()
}
