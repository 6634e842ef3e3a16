//! `longshore attach`: an artifact (an SBOM, a signature) that refers to what is there already.

mod artifact;

use std::path::PathBuf;

use longshore_core::{Blob, Push, Receipt};
use serde_json::json;

use crate::args::AttachArguments;
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;
use crate::size::{count, human};
use artifact::Artifact;

/// Looks the subject up, packs the artifact and pushes it by its digest.
pub(crate) async fn run(arguments: AttachArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.subject);
    let mut connection = Connection::open(&arguments.connection, &reference, arguments.progress)?;
    let subject = connection.manifest(&reference).await?.descriptor();
    let annotations = arguments.annotations.into_iter().collect();
    let files = arguments.files.iter().map(PathBuf::as_path);
    let (media_type, artifact_type) = (&arguments.media_type, &arguments.artifact_type);
    let artifact = Artifact::of_files(files, media_type, artifact_type, &annotations, &subject)?;
    connection.session().add_sources(&artifact.sources);
    let push = Push::new(reference.registry.clone(), reference.repository.clone()).root(artifact.manifest.clone());
    let blobs = artifact.manifest.blobs().map(|blob| Blob::described(blob.digest, blob));
    let receipt = connection.run(blobs.fold(push, Push::blob)).await?;
    let Receipt::Pushed(pushed) = receipt else { unreachable!("a push gives what was pushed, not {receipt:?}") };
    let digest = artifact.manifest.digest();
    if arguments.json {
        let (requests, bytes) = (pushed.requests, pushed.bytes);
        return output::line(json!({
            "digest": digest, "subject": subject.digest, "requests": requests, "bytes": bytes,
        }));
    }
    output::line(digest)?;
    let (requests, bytes) = (count(pushed.requests, "request"), human(pushed.bytes));
    output::line(format!("attached to {reference} ({}) in {requests}, {bytes} sent", subject.digest))
}
