//! `longshore demo`: a whole push, in front of one's eyes.

mod image;
mod sequence;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use console::StyledObject;
use longshore_core::{Digest, Manifest, Reference};
use longshore_mock_registry::server::Server;
use longshore_mock_registry::{Registry as MockRegistry, RegistryOptions};
use longshore_reqwest::{Sink, push_of};
use longshore_sources::layout::Closure;
use longshore_sources::pack;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::args::{ConnectionArguments, DemoArguments};
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;
use crate::progress;
use crate::size::{count, human};
use image::{Image, TAG};
use sequence::{Exchanges, Names, Recorder};

/// Packs, pushes, pushes again, pulls, and tells what happened.
pub(crate) async fn run(arguments: &DemoArguments) -> Result<(), Error> {
    let image = image::pack()?;
    if let Some(folder) = &arguments.layout {
        pack::write_layout(folder, &image.closure, TAG).map_err(Error::failed)?;
    }
    let registry = Registry::start().await?;
    let reference = registry.reference()?;
    output::styled(format!("{}\n", heading("An image goes into a registry and comes back, over real HTTP.")))?;
    output::styled(format!("   registry  {}  inside this program, in memory", registry.url))?;
    output::styled(format!("   image     {}:{TAG}  {}", reference.repository, parts(&image)))?;
    output::styled("             linux/amd64 and linux/arm64, sharing a layer with this very program\n")?;

    let first = push(&image, &reference).await?;
    output::styled(format!("{} {}\n", heading("1. Push:"), first.pushed()))?;
    first.show(&image.names)?;
    let second = push(&image, &reference).await?;
    output::styled(format!("{} {}; this client remembers nothing\n", heading("2. Push again:"), second.pushed()))?;
    second.show(&image.names)?;
    let pulled = pull(&image, &reference).await?;
    output::styled(format!("{} {}; every digest agrees\n", heading("3. Pull everything back:"), pulled.pulled()))?;
    registry.stop().await?;
    output::styled(format!("{} longshore mock --listen 127.0.0.1:5000", heading("Now yours:")))?;
    let layout = arguments.layout.as_deref().map_or_else(|| "LAYOUT".to_owned(), |folder| folder.display().to_string());
    output::styled(format!("           longshore push {layout} localhost:5000/name:tag --trace FILE"))
}

fn parts(image: &Image) -> String {
    let Closure { manifests, blobs, .. } = &image.closure;
    let size = blobs.iter().map(|blob| blob.descriptor.size).sum();
    let (manifests, blobs) = (manifests.len() as u64, blobs.len() as u64);
    format!("{}, {}, {}", count(manifests, "manifest"), count(blobs, "blob"), human(size))
}

/// What one part of the story cost.
struct Part {
    exchanges: Exchanges,
    took: Duration,
}

impl Part {
    fn pushed(&self) -> String {
        let (requests, sent, _) = self.exchanges.count();
        self.cost(requests, &format!("{} sent", human(sent)))
    }

    fn pulled(&self) -> String {
        let (requests, _, received) = self.exchanges.count();
        self.cost(requests, &human(received))
    }

    fn cost(&self, requests: u64, bytes: &str) -> String {
        format!("{}, {bytes}, {:.2} s", count(requests, "request"), self.took.as_secs_f64())
    }

    fn show(&self, names: &Names) -> Result<(), Error> {
        self.exchanges.lines(names).iter().try_for_each(|line| output::styled(format!("   {line}")))?;
        output::styled("")
    }
}

fn heading(text: &str) -> StyledObject<&str> {
    console::style(text).bold()
}

/// Each part has a client of its own, so that nothing comes out of a client's memory.
fn connect(exchanges: &Exchanges, reference: &Reference) -> Result<Connection, Error> {
    let recorder = Recorder::new(progress::bars_only(), exchanges.clone());
    Connection::watched_by(&ConnectionArguments::anonymous(), reference, Box::new(recorder))
}

async fn push(image: &Image, reference: &Reference) -> Result<Part, Error> {
    let exchanges = Exchanges::default();
    let mut connection = connect(&exchanges, reference)?;
    connection.session().add_sources(&image.closure.sources());
    let begun = Instant::now();
    connection.run(push_of(&image.closure, reference)).await?;
    Ok(Part { exchanges, took: begun.elapsed() })
}

/// Pulls by tag, as one does who knows only the name. What is pulled is checked against its digest on the way; here, that
/// it is all that was pushed.
async fn pull(image: &Image, reference: &Reference) -> Result<Part, Error> {
    let exchanges = Exchanges::default();
    let connection = connect(&exchanges, reference)?;
    let begun = Instant::now();
    let pulled = connection.session().pull_image(reference, |_| Sink::null()).await.map_err(Error::failed)?;
    let took = begun.elapsed();
    let blobs: BTreeSet<Digest> = pulled.blobs.iter().map(|blob| blob.digest).collect();
    let manifests: BTreeSet<Digest> = pulled.manifests.iter().map(Manifest::digest).collect();
    let Closure { manifests: pushed_manifests, blobs: pushed_blobs, .. } = &image.closure;
    let is_all = pushed_blobs.iter().all(|blob| blobs.contains(&blob.descriptor.digest))
        && pushed_manifests.iter().all(|manifest| manifests.contains(&manifest.digest()));
    if is_all { Ok(Part { exchanges, took }) } else { Err(Error::failed("what came back is not all that was pushed")) }
}

/// A registry in this process, on a port of its own.
struct Registry {
    url: String,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Registry {
    async fn start() -> Result<Self, Error> {
        let server = Server::bind(Server::LOOPBACK, MockRegistry::new(RegistryOptions::default())).await;
        let server = server.map_err(|error| Error::failed(format!("cannot listen on a port: {error}")))?;
        let (url, address) = (server.url(), server.address());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
        Ok(Self { url, address, stop, serving })
    }

    fn reference(&self) -> Result<Reference, Error> {
        format!("{}/longshore/demo:{TAG}", self.address).parse().map_err(Error::failed)
    }

    async fn stop(self) -> Result<(), Error> {
        drop(self.stop);
        self.serving.await.map_err(|error| Error::failed(format!("the registry stopped: {error}")))
    }
}
