//! Whole pushes to a small registry whose state is in the open.

mod given;
mod known;
mod registry;

use registry::Registry;

use crate::driver::{End, Input, Output};
use crate::{
    Algorithm, Blob, Client, Descriptor, Digest, Event, Failure, Instant, Manifest, MediaType, OperationId, Options,
    Push, Pushed, Receipt, Stored,
};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const FORBIDDEN: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
const KIB: u64 = 1024;

fn digest(name: &str) -> Digest {
    Digest::of(Algorithm::Sha256, name.as_bytes())
}

/// A descriptor of content that is called so, and of which there need be no bytes.
fn descriptor(media_type: &str, name: &str, size: u64) -> Descriptor {
    Descriptor::new(media_type.parse::<MediaType>().unwrap(), digest(name), size)
}

/// An image of these layers; its config is called `config`.
fn image_of(layers: &[Descriptor], more: &str) -> Manifest {
    let config = descriptor("application/vnd.oci.image.config.v1+json", "config", 2);
    let [config, layers] = [serde_json::to_string(&config), serde_json::to_string(layers)].map(Result::unwrap);
    Manifest::parse(format!(r#"{{"schemaVersion":2,"config":{config},"layers":{layers}{more}}}"#)).unwrap()
}

fn image(layers: &[(&str, u64)]) -> Manifest {
    image_of(&layers.iter().map(|(name, size)| descriptor(LAYER, name, *size)).collect::<Vec<_>>(), "")
}

fn index(entries: &[Descriptor]) -> Manifest {
    let entries = serde_json::to_string(entries).unwrap();
    Manifest::parse(format!(r#"{{"schemaVersion":2,"manifests":{entries}}}"#)).unwrap()
}

fn blob(name: &'static str, size: u64) -> Blob<&'static str> {
    Blob::known(name, digest(name), size)
}

fn empty() -> Push<&'static str> {
    Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap())
}

/// A push of an image of these layers under a tag.
fn push(layers: &[(&'static str, u64)], tag: &str) -> Push<&'static str> {
    let push = layers.iter().fold(empty(), |push, (name, size)| push.blob(blob(name, *size)));
    push.blob(blob("config", 2)).root(image(layers)).tag(tag.parse().unwrap())
}

/// A client, the registry that it talks to, and what happened.
struct World {
    client: Client<&'static str>,
    registry: Registry,
    now: Instant,
    /// Method, path and query of each request.
    asked: Vec<String>,
    events: Vec<Event<&'static str>>,
    /// Blobs of unknown digest of which bytes were asked for, in order.
    reads: Vec<&'static str>,
    done: Option<Result<Pushed, Box<Failure>>>,
}

impl World {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        change(&mut options);
        Self {
            client: Client::new(options),
            registry: Registry::default(),
            now: Instant::ZERO,
            asked: Vec::new(),
            events: Vec::new(),
            reads: Vec::new(),
            done: None,
        }
    }

    /// Another process: it knows nothing, and the registry is the same.
    fn another(self) -> Self {
        Self { registry: self.registry, ..Self::new() }
    }

    /// Goes on until nothing happens any more without an input from outside.
    fn run(&mut self) {
        loop {
            match self.client.poll(self.now) {
                Output::Send { id, request, .. } => {
                    self.asked.push(format!("{} {}", request.method(), request.uri().to_string().replace("%3A", ":")));
                    let response = self.registry.answer(&request);
                    self.client.handle(Input::Answered { id, response, end: End::Complete });
                }
                Output::Read { blob, .. } => self.reads.push(blob),
                Output::Ask { id, .. } => self.client.handle(Input::Credentials { id, answer: Ok(None) }),
                Output::Event(event) => self.events.push(event),
                Output::Done { result, .. } => {
                    self.done = Some(result.map(|receipt| match receipt {
                        Receipt::Pushed(pushed) => pushed,
                        other => panic!("a push came to {other:?}"),
                    }));
                }
                Output::Wait(Some(deadline)) => self.now = deadline.at,
                Output::Wait(None) => return,
                Output::Abort { .. } => {}
            }
        }
    }

    /// Pushes, to its end.
    fn push(&mut self, push: Push<&'static str>) -> Result<Pushed, Box<Failure>> {
        self.start(push);
        self.done.take().expect("it hangs")
    }

    fn start(&mut self, push: Push<&'static str>) -> OperationId {
        (self.asked, self.events) = (Vec::new(), Vec::new());
        let operation = self.client.start(push);
        self.run();
        operation
    }

    /// How many requests of the last push have this in their method, path and query.
    fn count(&self, part: &str) -> usize {
        self.asked.iter().filter(|asked| asked.contains(part)).count()
    }

    /// How the blobs of the last push got where they are, by their keys.
    fn stored(&self, how: &Stored) -> Vec<&'static str> {
        let mut keys: Vec<_> = self
            .events
            .iter()
            .filter_map(|event| match event {
                Event::BlobStored { blob, how: came, .. } if came == how => Some(*blob),
                _ => None,
            })
            .collect();
        keys.sort_unstable();
        keys
    }
}
