//! A push that is stopped half-way, kept as text, and gone on with by another session, as another process would: nothing that
//! was stored is sent again. The registry is one in this process: `cargo run -p longshore-reqwest --example suspend_and_resume`

use std::error::Error;

use longshore_core::{
    Blob, Checkpoint, Descriptor, Digest, Event, Manifest, MediaType, Options, Push, Receipt, Reference,
};
use longshore_mock_registry::server::Server;
use longshore_mock_registry::{Registry, RegistryOptions};
use longshore_reqwest::{Http, Session};
use longshore_sources::Source;
use tokio::sync::mpsc::unbounded_channel;

/// How many layers the image has, each of 1 MiB.
const LAYERS: u8 = 32;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await?;
    let reference: Reference = format!("{}/library/app:v1", server.url().trim_start_matches("http://")).parse()?;
    tokio::spawn(server.serve(std::future::pending()));

    let saved = match push_until_the_first_blob_is_stored(&reference).await? {
        Receipt::Suspended(checkpoint) => checkpoint.to_json(),
        // It may be done before it can be stopped.
        _ => return Ok(()),
    };
    println!("stopped: {}", String::from_utf8_lossy(&saved));

    let (session, push) = image(&reference, Session::builder(Http::default()).start())?;
    let receipt = session.start(push.resume(Checkpoint::from_json(&saved)?)?).await?;
    let Receipt::Pushed(pushed) = receipt else { return Err("a push gives what was pushed".into()) };
    println!("{} blobs were there, {} are sent", pushed.existing, pushed.uploaded);
    Ok(())
}

async fn push_until_the_first_blob_is_stored(reference: &Reference) -> Result<Receipt<Digest>, Box<dyn Error>> {
    let (stored, mut seen) = unbounded_channel();
    let mut options = Options::default();
    options.in_flight = 1;
    let on_event = move |event| {
        if let Event::BlobStored { .. } = event {
            // Nobody listens any more once it is stopped.
            let _ = stored.send(());
        }
    };
    let session = Session::builder(Http::default()).options(options).on_event(on_event).start();
    let (session, push) = image(reference, session)?;
    let running = session.start(push);
    seen.recv().await;
    running.suspend();
    Ok(running.await?)
}

/// The image, and the session with the sources of its blobs.
fn image(reference: &Reference, session: Session<Digest>) -> Result<(Session<Digest>, Push<Digest>), Box<dyn Error>> {
    let config = (MediaType::oci_config(), br#"{"architecture":"amd64","os":"linux"}"#.to_vec());
    let layers = (0..LAYERS).map(|number| (MediaType::oci_layer_gzip(), vec![number; 1 << 20]));
    let mut push = Push::new(reference.registry.clone(), reference.repository.clone());
    let mut descriptors = Vec::new();
    for (media_type, content) in std::iter::once(config).chain(layers) {
        let descriptor = Descriptor::of(media_type, &content);
        push = push.blob(Blob::described(descriptor.digest, &descriptor));
        session.add_source(descriptor.digest, Source::bytes(content).with_digest(descriptor.digest));
        descriptors.push(descriptor);
    }
    let config = descriptors.remove(0);
    let push = push.root(Manifest::image(config, descriptors).build()?);
    Ok((session, reference.tag.iter().cloned().fold(push, Push::tag)))
}
