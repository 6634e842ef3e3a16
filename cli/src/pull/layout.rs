//! An image or artifact, with all that it needs, as an OCI image layout.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use longshore_core::content::Document;
use longshore_core::{Descriptor, Manifest};
use longshore_sources::PortablePath;
use longshore_sources::layout::LayoutWriter;
use longshore_sources::staging::Staging;
use serde_json::json;

use super::Pull;
use crate::args::PullArguments;
use crate::exit::Error;
use crate::output;
use crate::size::{count, human};

/// Pulls into a folder beside it, which is renamed when all is there.
pub(super) async fn pull(pull: &mut Pull, folder: &Path, arguments: &PullArguments) -> Result<(), Error> {
    let (descriptor, root) = pull.root(arguments.platform.as_ref()).await?;
    let staging = Staging::new_folder(folder).map_err(Error::failed)?;
    let writer = LayoutWriter::new(&staging.content());
    let manifests = pull.below(root, |_| true).await?;
    let (mut blobs, mut forbidden) = (Vec::new(), Vec::new());
    for blob in blobs_of(&manifests)? {
        let path = writer.blob(&blob.digest).map_err(Error::failed)?;
        if blob.media_type.is_nondistributable() { &mut forbidden } else { &mut blobs }.push((blob, path));
    }
    let mut bytes = pull.blobs(&blobs).await?;
    let mut left_out = 0;
    for blob in &forbidden {
        match allowed(pull, blob).await? {
            Some(len) => bytes += len,
            None => left_out += 1,
        }
    }
    for manifest in &manifests {
        writer.manifest(manifest).map_err(Error::failed)?;
        bytes += manifest.bytes().len() as u64;
    }
    let name = pull.reference.tag.as_ref().map(ToString::to_string);
    writer.finish(std::slice::from_ref(&descriptor), name.as_deref()).map_err(Error::failed)?;
    let parts: Result<Vec<PortablePath>, _> = LayoutWriter::PARTS
        .iter()
        .filter(|part| staging.content().join(part).exists())
        .map(|part| PortablePath::parse(part))
        .collect();
    staging.finish(&parts.map_err(Error::failed)?).map_err(Error::failed)?;
    if left_out > 0 {
        output::say(format!(
            "left out: {}, which the registry does not have because its maker forbids to push it",
            count(left_out, "layer")
        ));
    }
    let (manifests, blobs) = (manifests.len() as u64, (blobs.len() + forbidden.len()) as u64 - left_out);
    if arguments.json {
        return output::line(output::json(&json!({
            "digest": descriptor.digest, "manifests": manifests, "blobs": blobs, "bytes": bytes, "leftOut": left_out,
        })));
    }
    output::line(descriptor.digest)?;
    let (manifests, blobs, bytes) = (count(manifests, "manifest"), count(blobs, "blob"), human(bytes));
    output::line(format!("pulled {} into {}: {manifests}, {blobs}, {bytes}", pull.reference, folder.display()))
}

/// Every blob that the manifests name, each once.
fn blobs_of(manifests: &[Manifest]) -> Result<Vec<Descriptor>, Error> {
    let unknown = manifests.iter().find(|manifest| *manifest.document() == Document::Other);
    if let Some(manifest) = unknown {
        let (digest, media_type) = (manifest.digest(), manifest.media_type());
        return Err(Error::failed(format!(
            "{digest} is of the type {media_type}: which blobs it needs is not known here"
        )));
    }
    let mut seen: BTreeSet<_> = manifests.iter().map(Manifest::digest).collect();
    Ok(manifests.iter().flat_map(Manifest::blobs).filter(|blob| seen.insert(blob.digest)).cloned().collect())
}

/// Pulls a layer that need not be in a registry, if it is.
async fn allowed(pull: &mut Pull, blob: &(Descriptor, PathBuf)) -> Result<Option<u64>, Error> {
    match pull.blobs(std::slice::from_ref(blob)).await {
        Ok(len) => Ok(Some(len)),
        Err(error) if error.refused().is_some_and(|refused| refused.status == http::StatusCode::NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}
