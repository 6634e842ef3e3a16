//! `longshore attach`: an artifact (an SBOM, a signature) that refers to what is there already.

use longshore_core::Reference;
use serde_json::json;

use crate::args::AttachArguments;
use crate::artifact::Content;
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;
use crate::size::{count, human};

/// Looks the subject up, packs the artifact and pushes it by its digest.
pub(crate) async fn run(arguments: AttachArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.subject);
    let mut content = Content::read(&arguments.content)?;
    let mut connection = Connection::open(&arguments.connection, &reference, arguments.content.progress)?;
    let subject = connection.manifest(&reference).await?.descriptor();
    let subject_digest = subject.digest;
    content.artifact.subject = Some(subject);
    // Its tag and digest are the subject's.
    let mut place: Reference = reference.clone();
    (place.tag, place.digest) = (None, None);
    let (digest, pushed) = content.push(&mut connection, &place, Vec::new()).await?;
    let (requests, bytes) = (pushed.requests, pushed.bytes);
    if arguments.content.json {
        return output::line(output::json(&json!({
            "digest": digest, "subject": subject_digest, "requests": requests, "bytes": bytes,
        })));
    }
    output::line(digest)?;
    let (requests, bytes) = (count(requests, "request"), human(bytes));
    output::line(format!("attached to {reference} ({subject_digest}) in {requests}, {bytes} sent"))
}
