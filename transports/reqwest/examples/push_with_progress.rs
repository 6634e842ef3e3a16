//! An image of two layers and an index over it, made without JSON by hand, pushed with progress:
//! `cargo run -p longshore-reqwest --example push_with_progress -- localhost:5000/you/app:v1`

use std::error::Error;

use longshore_core::content::Platform;
use longshore_core::{Blob, Descriptor, Digest, Event, Manifest, MediaType, Push, Reference, Tag};
use longshore_reqwest::{Http, Session};
use longshore_sources::Source;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let reference = std::env::args().nth(1).ok_or("name where to push to: localhost:5000/you/app:v1")?;
    let reference: Reference = reference.parse()?;
    let session: Session<Digest> = Session::builder(Http::default())
        .stored_credentials()
        .on_event(|event| {
            if let Event::Progress { done, total, .. } = event {
                match total {
                    Some(total) => eprintln!("{done} of {total} bytes"),
                    None => eprintln!("{done} bytes so far"),
                }
            }
        })
        .start();

    let mut push = Push::new(reference.registry, reference.repository);
    let config = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.to_vec();
    let contents = [(MediaType::oci_config(), config)].into_iter();
    let contents =
        contents.chain([&b"the first layer"[..], b"the second"].map(|it| (MediaType::oci_layer_gzip(), it.to_vec())));
    let mut descriptors = Vec::new();
    for (media_type, content) in contents {
        let descriptor = Descriptor::of(media_type, &content);
        push = push.blob(Blob::described(descriptor.digest, &descriptor));
        session.add_source(descriptor.digest, Source::bytes(content).with_digest(descriptor.digest));
        descriptors.push(descriptor);
    }
    let config = descriptors.remove(0);
    let image = Manifest::image(config, descriptors).annotation("org.opencontainers.image.version", "1").build()?;
    let entry = image.descriptor().platform(Platform::new("linux", "amd64", None));
    let push = push.manifest(image).root(Manifest::index([entry]).build()?);
    session.start(push.tag(reference.tag.unwrap_or_else(Tag::latest))).await?;
    Ok(())
}
