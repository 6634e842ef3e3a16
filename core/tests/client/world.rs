//! A driver in virtual time, and a small registry that keeps to the specification.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use longshore_core::auth::Credentials;
use longshore_core::driver::{Body, End, Input, NoAnswer, OperationId, Output};
use longshore_core::{
    Algorithm, Blob, Checkpoint, Client, Descriptor, Digest, Event, Failure, Instant, Manifest, ManifestReference,
    MediaType, Operation, Options, Push, Receipt,
};

/// What becomes of a request.
pub(crate) enum Fate {
    /// It is answered after so long.
    Answered(Duration, Response<Bytes>),
    /// The connection is lost after so long.
    Lost(Duration),
    /// There is no answer, for this reason, after so long.
    Failed(Duration, NoAnswer),
}

/// A request that was sent: when, to which host, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) at: Duration,
    pub(crate) host: String,
    pub(crate) line: String,
}

/// A client, its driver, and the time.
pub(crate) struct World<'a> {
    pub(crate) client: Client<String>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) events: Vec<Event<String>>,
    /// When credentials were asked for, and whether others than before.
    pub(crate) asked: Vec<(Duration, bool)>,
    /// When each operation was done, and how.
    pub(crate) done: BTreeMap<OperationId, (Duration, Result<Receipt<String>, Box<Failure>>)>,
    pub(crate) credentials: Box<dyn FnMut() -> Option<Credentials> + 'a>,
    /// What is answered where bytes of a blob are to be read.
    pub(crate) on_read: Box<dyn FnMut(OperationId, String) -> Input<String> + 'a>,
    network: Box<dyn FnMut(Duration, &Request<Body<String>>) -> Fate + 'a>,
    now: Instant,
    coming: BTreeMap<(Instant, u64), Input<String>>,
    number: u64,
}

impl<'a> World<'a> {
    pub(crate) fn new(options: Options, network: impl FnMut(Duration, &Request<Body<String>>) -> Fate + 'a) -> Self {
        Self {
            client: Client::new(options),
            sent: Vec::new(),
            events: Vec::new(),
            asked: Vec::new(),
            done: BTreeMap::new(),
            credentials: Box::new(|| None),
            on_read: Box::new(|_, _| panic!("no blob here is read once")),
            network: Box::new(network),
            now: Instant::ZERO,
            coming: BTreeMap::new(),
            number: 0,
        }
    }

    pub(crate) fn time(&self) -> Duration {
        self.now.since(Instant::ZERO)
    }

    fn later(&mut self, after: Duration, input: Input<String>) {
        self.number += 1;
        self.coming.insert((self.now.after(after), self.number), input);
    }

    /// Does what the client wants, until it waits; for which moment.
    fn poll(&mut self) -> Option<Instant> {
        loop {
            match self.client.poll(self.now) {
                Output::Send { id, request, .. } => {
                    let host = request.uri().host().unwrap().to_owned();
                    let len = request.body().len();
                    let line = format!("{} {} {len:?}", request.method(), request.uri().path_and_query().unwrap());
                    self.sent.push(Sent { at: self.time(), host, line });
                    let at = self.time();
                    match (self.network)(at, &request) {
                        Fate::Answered(after, response) => {
                            self.later(after, Input::Answered { id, response, end: End::Complete });
                        }
                        Fate::Lost(after) => {
                            self.later(after, Input::Failed { id, why: NoAnswer::Lost("lost".to_owned()) });
                        }
                        Fate::Failed(after, why) => self.later(after, Input::Failed { id, why }),
                    }
                }
                Output::Ask { id, stale, .. } => {
                    self.asked.push((self.time(), stale));
                    let answer = Ok((self.credentials)());
                    self.later(Duration::ZERO, Input::Credentials { id, answer });
                }
                Output::Done { operation, result } => {
                    self.done.insert(operation, (self.time(), result));
                }
                Output::Event(event) => self.events.push(event),
                Output::Abort { .. } => {}
                Output::Read { operation, blob, .. } => {
                    let input = (self.on_read)(operation, blob);
                    self.later(Duration::ZERO, input);
                }
                Output::Wait(deadline) => return deadline.map(|deadline| deadline.at),
            }
        }
    }

    /// Goes on until this moment, or until nothing will happen any more.
    pub(crate) fn run_until(&mut self, end: Duration) {
        let end = Instant::ZERO.after(end);
        loop {
            let deadline = self.poll();
            let next = self.coming.keys().next().map(|(at, _)| *at);
            let Some(moment) = deadline.into_iter().chain(next).min().filter(|moment| *moment <= end) else {
                self.now = self.now.max(end.min(Instant::ZERO.after(Duration::from_secs(1 << 40))));
                return;
            };
            self.now = self.now.max(moment);
            while let Some(((at, number), input)) = self.coming.pop_first() {
                if at > self.now {
                    self.coming.insert((at, number), input);
                    break;
                }
                self.client.handle(input);
            }
        }
    }

    /// Goes on until nothing will happen any more.
    pub(crate) fn run(&mut self) {
        let mut end = self.now;
        loop {
            let deadline = self.poll();
            let next = self.coming.keys().next().map(|(at, _)| *at);
            let Some(moment) = deadline.into_iter().chain(next).min() else { return };
            end = end.max(moment);
            self.run_until(end.since(Instant::ZERO));
        }
    }

    #[track_caller]
    pub(crate) fn succeeded(&self, operation: OperationId) -> Duration {
        let (at, result) = self.done.get(&operation).expect("it is not done");
        if let Err(failure) = result {
            panic!("{failure}\n{}", self.transcript());
        }
        *at
    }

    #[track_caller]
    pub(crate) fn failure(&self, operation: OperationId) -> &Failure {
        self.done.get(&operation).expect("it is not done").1.as_ref().expect_err("it should have failed")
    }

    /// How many requests have this in their line.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.sent.iter().filter(|sent| sent.line.contains(part)).count()
    }

    pub(crate) fn sent_to(&self, host: &str) -> Vec<Sent> {
        self.sent.iter().filter(|sent| sent.host == host).cloned().collect()
    }

    pub(crate) fn transcript(&self) -> String {
        self.sent.iter().map(|sent| format!("{:>12.6} {} {}\n", sent.at.as_secs_f64(), sent.host, sent.line)).collect()
    }
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let response = headers
        .iter()
        .fold(Response::builder().status(status), |response, (name, value)| response.header(*name, *value));
    response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// A registry that checks nothing, takes a blob in one POST, and forgets nothing.
#[derive(Default)]
pub(crate) struct Registry {
    /// One POST stores nothing: it opens an upload.
    pub(crate) ignores_single_post: bool,
    uploads: u64,
    /// How many bytes each open upload has.
    pub(crate) open: BTreeMap<String, u64>,
}

impl Registry {
    pub(crate) fn answer(&mut self, request: &Request<Body<String>>) -> Response<Bytes> {
        let path = request.uri().path().to_owned();
        let is_single_post = request.uri().query().is_some_and(|query| query.starts_with("digest="));
        match (request.method(), path.contains("/blobs/uploads/")) {
            (&Method::POST, true) if is_single_post && !self.ignores_single_post => {
                respond(201, &[("location", "/x")], "")
            }
            (&Method::POST, true) => {
                self.uploads += 1;
                let location = format!("{path}{}", self.uploads);
                self.open.insert(location.clone(), 0);
                respond(202, &[("location", &location)], "")
            }
            (&Method::PATCH, true) => {
                *self.open.entry(path.clone()).or_default() += request.body().len().unwrap_or(0);
                respond(202, &[("location", &path)], "")
            }
            (&Method::PUT, true) => {
                self.open.remove(&path);
                respond(201, &[("location", "/x")], "")
            }
            (&Method::DELETE, true) => {
                self.open.remove(&path);
                respond(204, &[], "")
            }
            (&Method::GET, true) => {
                let last = self.open.get(&path).copied().unwrap_or(1).saturating_sub(1);
                respond(204, &[("location", &path), ("range", &format!("0-{last}"))], "")
            }
            (&Method::PUT, false) => respond(201, &[("location", "/x")], ""),
            _ => respond(404, &[], r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#),
        }
    }
}

/// A pull of this tag of `a/b`.
pub(crate) fn pull(tag: &str) -> Operation<String> {
    pull_from("a/b", tag)
}

pub(crate) fn pull_from(repository: &str, tag: &str) -> Operation<String> {
    Operation::PullManifest {
        registry: "registry.example".parse().unwrap(),
        repository: repository.parse().unwrap(),
        reference: ManifestReference::Tag(tag.parse().unwrap()),
    }
}

/// The answer to a pull.
pub(crate) fn found() -> Response<Bytes> {
    let config = descriptor("application/vnd.oci.image.config.v1+json", "{}", 2);
    let manifest = serde_json::json!({ "schemaVersion": 2, "config": config, "layers": [] }).to_string();
    respond(200, &[("content-type", "application/vnd.oci.image.manifest.v1+json")], &manifest)
}

/// Options with which a blob goes in chunks of 1000 bytes.
pub(crate) fn in_chunks() -> Options {
    let mut options = Options::default();
    (options.chunk_above, options.chunk, options.single_post) = (1000, 1000, 0);
    options
}

fn digest(name: &str) -> Digest {
    Digest::of(Algorithm::Sha256, name.as_bytes())
}

fn descriptor(media_type: &str, name: &str, size: u64) -> Descriptor {
    Descriptor::new(media_type.parse::<MediaType>().unwrap(), digest(name), size)
}

/// A push of an image whose layers are called so and have so many bytes, under `v1`.
pub(crate) fn push(registry: &str, repository: &str, layers: &[(&str, u64)]) -> Push<String> {
    push_mounting(registry, repository, layers, None)
}

pub(crate) fn push_mounting(
    registry: &str,
    repository: &str,
    layers: &[(&str, u64)],
    from: Option<&str>,
) -> Push<String> {
    let config = descriptor("application/vnd.oci.image.config.v1+json", "{}", 2);
    let of = layers.iter().map(|(name, size)| {
        descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &format!("{registry}/{name}"), *size)
    });
    let of: Vec<Descriptor> = of.collect();
    let manifest = serde_json::json!({ "schemaVersion": 2, "config": config, "layers": of });
    let push = Push::new(registry.parse().unwrap(), repository.parse().unwrap());
    let push = of.iter().zip(layers).fold(push, |push, (descriptor, (name, _))| {
        let blob = Blob::described((*name).to_owned(), descriptor);
        push.blob(match from {
            Some(repository) => blob.mount_from(repository.parse().unwrap()),
            None => blob,
        })
    });
    let push = push.blob(Blob::described("{}".to_owned(), &config));
    push.root(Manifest::parse(manifest.to_string()).unwrap()).tag("v1".parse().unwrap())
}

/// A push of nothing but one blob of 2,500 bytes, which is read by this key.
pub(crate) fn push_blob(key: &str, content: &str) -> Push<String> {
    let blob = Blob::known(key.to_owned(), digest(content), 2500);
    Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap()).blob(blob)
}

/// How many uploads a checkpoint has.
pub(crate) fn saved_uploads(checkpoint: &Checkpoint) -> usize {
    String::from_utf8_lossy(&checkpoint.to_json()).matches("/blobs/uploads/").count()
}
