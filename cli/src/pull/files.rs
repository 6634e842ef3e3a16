//! The files of an artifact, as its titles name them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use longshore_core::content::Document;
use longshore_core::{Descriptor, Digest, Manifest};
use longshore_sources::unpack::{Files, Limits, Title};
use serde_json::json;

use super::Pull;
use crate::args::PullArguments;
use crate::exit::Error;
use crate::output;
use crate::size::{count, human};

/// Pulls every layer that has a title, and gives the files their names when all are there.
pub(super) async fn pull(pull: &mut Pull, folder: &Path, arguments: &PullArguments) -> Result<(), Error> {
    let (descriptor, manifest) = pull.root(arguments.platform.as_ref()).await?;
    let titled = titled(&manifest)?;
    let untitled = layers(&manifest).len() - titled.len();
    let mut files = Files::create(folder).map_err(Error::failed)?;
    titled.iter().try_for_each(|(_, title)| files.claim(title)).map_err(refused)?;
    let mut blobs: BTreeMap<Digest, (Descriptor, PathBuf)> = BTreeMap::new();
    for (layer, _) in &titled {
        let path = files.scratch().join(blobs.len().to_string());
        blobs.entry(layer.digest).or_insert_with(|| ((*layer).clone(), path));
    }
    let pulled: Vec<_> = blobs.values().cloned().collect();
    let bytes = pull.blobs(&pulled).await?;
    let mut limits = Limits::default();
    limits.bytes = arguments.unpack_limit;
    let owned: Vec<_> = titled.iter().map(|(layer, title)| (blobs[&layer.digest].1.clone(), title.clone())).collect();
    let stop = files.stop();
    let writing = tokio::task::spawn_blocking(move || write(files, &owned, &limits));
    let written = pull.connection.stoppable(writing, || stop.stop()).await?;
    if untitled > 0 {
        output::say(format!("left out: {}, which no title names", count(untitled as u64, "layer")));
    }
    if arguments.json {
        let titles: Vec<String> = titled.iter().map(|(_, title)| title.path.to_string()).collect();
        return output::line(output::json(&json!({
            "digest": descriptor.digest, "titles": titles, "files": written, "bytes": bytes, "leftOut": untitled,
        })));
    }
    output::line(descriptor.digest)?;
    let (written, bytes) = (count(written, "file"), human(bytes));
    output::line(format!("pulled {} into {}: {written}, {bytes}", pull.reference, folder.display()))
}

/// Gives each title its file or folder, and at the end all of them their names: it takes as long as the disk does.
fn write(mut files: Files, titled: &[(PathBuf, Title)], limits: &Limits) -> Result<u64, Error> {
    for (place, (blob, title)) in titled.iter().enumerate() {
        let is_needed_again = titled.iter().skip(place + 1).any(|(later, _)| later == blob);
        let own = if is_needed_again { copy(blob)? } else { blob.clone() };
        files.put(title, &own, limits).map_err(refused)?;
    }
    files.finish().map_err(refused)
}

/// Another title has the same bytes, and a file is moved to its place.
fn copy(blob: &Path) -> Result<PathBuf, Error> {
    let copy = blob.with_extension("copy");
    fs::copy(blob, &copy).map_err(|error| Error::failed(format!("cannot write {}: {error}", copy.display())))?;
    Ok(copy)
}

/// What a layout would do for those who need what is refused here.
fn refused(error: impl std::fmt::Display) -> Error {
    Error::failed(format!("{error}; `longshore pull REFERENCE LAYOUT` pulls it as it is"))
}

fn layers(manifest: &Manifest) -> &[Descriptor] {
    match manifest.document() {
        Document::Image(image) => &image.layers,
        Document::Artifact(artifact) => &artifact.blobs,
        _ => &[],
    }
}

/// The layers with titles.
fn titled(manifest: &Manifest) -> Result<Vec<(&Descriptor, Title)>, Error> {
    let digest = manifest.digest();
    if let Document::Index(_) = manifest.document() {
        let what = format!("{digest} is an index of several images or artifacts");
        return Err(Error::failed(format!("{what}: --platform, or the digest of one, says which")));
    }
    let mut found = Vec::new();
    for layer in layers(manifest) {
        if let Some(title) = Title::of(layer).map_err(refused)? {
            found.push((layer, title));
        }
    }
    if found.is_empty() {
        return Err(refused(format!("no layer of {digest} has a title, so there are no files")));
    }
    Ok(found)
}
