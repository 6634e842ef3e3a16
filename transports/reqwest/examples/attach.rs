//! An SBOM is attached to an image, and what is attached is listed:
//! `cargo run -p longshore-reqwest --example attach -- localhost:5000/you/app:v1 sbom.json`

use std::error::Error;
use std::path::Path;

use longshore_core::{Blob, Descriptor, Digest, Manifest, ManifestReference, Operation, Push, Receipt, Reference, Tag};
use longshore_reqwest::{Http, Session};
use longshore_sources::Source;

/// What is attached.
const SPDX: &str = "application/spdx+json";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "name an image and a file: localhost:5000/you/app:v1 sbom.json";
    let (reference, file) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
    for referrer in attach(&reference.parse()?, Path::new(&file)).await? {
        println!("{} {}", referrer.digest, referrer.artifact_type.unwrap_or_default());
    }
    Ok(())
}

/// Attaches the file, and gives all that refers to the image then.
pub(crate) async fn attach(reference: &Reference, file: &Path) -> Result<Vec<Descriptor>, Box<dyn Error>> {
    let session: Session<Digest> = Session::builder(Http::default()).stored_credentials().start();
    let (registry, repository) = (reference.registry.clone(), reference.repository.clone());
    let name = match (reference.digest, &reference.tag) {
        (Some(digest), _) => ManifestReference::Digest(digest),
        (None, tag) => ManifestReference::Tag(tag.clone().unwrap_or_else(Tag::latest)),
    };
    let pull = Operation::PullManifest { registry, repository, reference: name };
    let Receipt::Pulled(image) = session.start(pull).await? else { return Err("no manifest came".into()) };

    let content = std::fs::read(file)?;
    let title = file.file_name().ok_or("the path names no file")?.to_string_lossy();
    let layer = Descriptor::of(SPDX.parse()?, &content).annotation("org.opencontainers.image.title", title);
    let artifact = Manifest::artifact(SPDX, [layer.clone()]).subject(image.descriptor()).build()?;
    let mut push = Push::new(reference.registry.clone(), reference.repository.clone());
    for (descriptor, content) in [(Descriptor::empty(), b"{}".to_vec()), (layer, content)] {
        push = push.blob(Blob::described(descriptor.digest, &descriptor));
        session.add_source(descriptor.digest, Source::bytes(content).with_digest(descriptor.digest));
    }
    session.start(push.root(artifact)).await?;

    let (registry, repository) = (reference.registry.clone(), reference.repository.clone());
    let list = Operation::ListReferrers { registry, repository, subject: image.digest(), artifact_type: None };
    match session.start(list).await? {
        Receipt::Referrers(referrers) => Ok(referrers),
        _ => Err("no list came".into()),
    }
}
