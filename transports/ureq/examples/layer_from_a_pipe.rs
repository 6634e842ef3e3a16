//! What comes through a pipe is pushed as a blob, while it is made, and held nowhere:
//! `tar c . | gzip | cargo run -p longshore-ureq --example layer_from_a_pipe -- localhost:5000/you/app`

use std::error::Error;

use longshore_core::{Algorithm, Blob, Event, Push, Reference};
use longshore_sources::Source;
use longshore_ureq::{Http, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let reference = std::env::args().nth(1).ok_or("name where to push to: localhost:5000/you/app")?;
    let reference: Reference = reference.parse()?;
    let mut session: Session<&str> = Session::builder(Http::default())
        .stored_credentials()
        .on_event(|event| {
            if let Event::BlobDigested { digest, size, .. } = event {
                println!("{digest} {size}");
            }
        })
        .build();
    session.sources().insert("pipe", Source::reader(std::io::stdin(), Algorithm::Sha256));
    let push = Push::new(reference.registry, reference.repository);
    session.run(push.blob(Blob::unknown("pipe", Algorithm::Sha256)))?;
    Ok(())
}
