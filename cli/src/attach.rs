//! `longshore attach`: an artifact (an SBOM, a signature) that refers to what is there already.

use std::path::Path;

use longshore_core::{Blob, Descriptor, MediaType, Push, Receipt};
use longshore_sources::Source;
use longshore_sources::source::{SourceError, Verification};
use serde_json::json;

use crate::args::AttachArguments;
use crate::artifact::Artifact;
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;
use crate::size::{count, human};

/// The key under which tools look for a file's name.
const TITLE: &str = "org.opencontainers.image.title";

/// Looks the subject up, packs the artifact and pushes it by its digest.
pub(crate) async fn run(arguments: AttachArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.subject);
    let mut connection = Connection::open(&arguments.connection, &reference, arguments.progress)?;
    let subject = connection.manifest(&reference).await?.descriptor();
    let mut artifact = Artifact::new(&arguments.artifact_type)?;
    artifact.subject = Some(&subject);
    artifact.annotations = arguments.annotations.into_iter().collect();
    let (config, source) = artifact.config();
    let mut push = Push::new(reference.registry.clone(), reference.repository.clone());
    push = push.blob(Blob::described(config.digest, config));
    connection.session().add_source(config.digest, source);
    for file in &arguments.files {
        let (layer, source) = layer(file, &arguments.media_type).map_err(Error::failed)?;
        push = push.blob(Blob::described(layer.digest, &layer));
        connection.session().add_source(layer.digest, source);
        artifact.layers.push(layer);
    }
    let manifest = artifact.manifest()?;
    let digest = manifest.digest();
    let receipt = connection.run(push.root(manifest)).await?;
    let Receipt::Pushed(pushed) = receipt else { unreachable!("a push gives what was pushed, not {receipt:?}") };
    if arguments.json {
        let (requests, bytes) = (pushed.requests, pushed.bytes);
        return output::line(output::json(&json!({
            "digest": digest, "subject": subject.digest, "requests": requests, "bytes": bytes,
        })));
    }
    output::line(digest)?;
    let (requests, bytes) = (count(pushed.requests, "request"), human(pushed.bytes));
    output::line(format!("attached to {reference} ({}) in {requests}, {bytes} sent", subject.digest))
}

/// Reads a file once, for its digest.
fn layer(file: &Path, media_type: &MediaType) -> Result<(Descriptor, Source), SourceError> {
    let source = Source::file(file)?;
    let size = source.len().unwrap_or_default();
    let digest = match source.verify()? {
        Verification::Computed(digest) => digest,
        // No digest was said that the file could differ from.
        other => unreachable!("a file without a digest is hashed, and not {other:?}"),
    };
    let mut descriptor = Descriptor::new(media_type.clone(), digest, size);
    let title = file.file_name().map(|name| name.to_string_lossy().into_owned());
    descriptor.annotations.extend(title.map(|title| (TITLE.to_owned(), title)));
    Ok((descriptor, source.with_digest(digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_titled_with_the_name_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sbom.json");
        std::fs::write(&file, "{\"spdx\":1}").unwrap();
        let media_type = "application/json".parse().unwrap();
        let (layer, source) = layer(&file, &media_type).unwrap();
        assert_eq!((layer.size, layer.annotations[TITLE].as_str()), (10, "sbom.json"));
        assert_eq!((layer.media_type, source.len()), (media_type.clone(), Some(10)));
        let gone = super::layer(Path::new("gone"), &media_type).unwrap_err();
        assert!(gone.to_string().starts_with("cannot open gone"), "{gone}");
    }
}
