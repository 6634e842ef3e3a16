//! A push, or any other operation, against a world; what was asked of whom; and that no secret went astray.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use longshore_core::auth::Credentials;
use longshore_core::driver::AskFailed;
use longshore_core::{
    Algorithm, Blob, Client, Digest, Failure, Instant, Learned, Manifest, Operation, Options, Push, Receipt, Registry,
    Secret, Tag,
};
use longshore_memory::{Handler, Simulation, Source, Step};

/// The password that may be seen at the registry and its token service only.
pub(crate) const PASSWORD: &str = "canary-password";

/// The blobs of the image that is pushed.
const BLOBS: [(&str, &[u8]); 3] = [("config", b"{}"), ("base", &[7; 100_000]), ("app", &[9; 200_000])];

/// No run of these tests is near this many steps: what is goes round in circles.
const STEPS: u64 = 50_000;

/// A request as the world saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) method: Method,
    /// Scheme, host and port.
    pub(crate) origin: String,
    pub(crate) path_and_query: String,
    pub(crate) authorization: String,
    /// The names of all its headers.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Bytes,
    /// The status that it was answered with.
    pub(crate) status: u16,
}

impl Seen {
    pub(crate) fn new(at: Instant, request: &http::request::Parts) -> Self {
        let uri = &request.uri;
        let authorization = request.headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
        Self {
            at,
            method: request.method.clone(),
            origin: format!("{}://{}", uri.scheme_str().unwrap(), uri.authority().unwrap()),
            path_and_query: uri.path_and_query().unwrap().to_string(),
            authorization,
            headers: request.headers.keys().map(ToString::to_string).collect(),
            body: Bytes::new(),
            status: 0,
        }
    }

    pub(crate) fn is_for_token(&self) -> bool {
        self.path_and_query.starts_with("/token")
    }

    /// The scopes that a token was asked for, in their order.
    pub(crate) fn scopes(&self) -> Vec<String> {
        let query = self.path_and_query.split_once('?').map_or("", |(_, query)| query);
        let scopes = query.split('&').filter_map(|pair| pair.strip_prefix("scope="));
        scopes
            .map(|scope| scope.replace("%3A", ":").replace("%2F", "/").replace("%2C", ",").replace("%2A", "*"))
            .collect()
    }
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) result: Result<Receipt<&'static str>, Box<Failure>>,
    pub(crate) seen: Vec<Seen>,
    /// For each time that credentials were looked up, whether those before had been refused.
    pub(crate) asked: Vec<bool>,
    /// What was told on the way.
    pub(crate) told: String,
    pub(crate) transcript: String,
}

impl Outcome {
    pub(crate) fn failure(&self) -> String {
        self.result.as_ref().expect_err("it should have failed").to_string()
    }

    /// That it went well.
    pub(crate) fn succeeded(&self) -> &Receipt<&'static str> {
        self.result.as_ref().unwrap_or_else(|failure| panic!("{failure}\n{}", self.transcript))
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|seen| seen.is_for_token())
    }

    pub(crate) fn at(&self, origin: &str) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.origin == origin)
    }
}

/// `user` and this password, as Basic authentication writes them (RFC 7617); the tests' own, so that none is trusted.
pub(crate) fn basic(password: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let pair = format!("user:{password}");
    let mut out = String::from("Basic ");
    for chunk in pair.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let sextet = (bits >> (18 - 6 * i)) as usize & 63;
            out.push(if i <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    out
}

pub(crate) fn password(text: &str) -> Credentials {
    Credentials::Basic { user: "user".to_owned(), password: Secret::new(text.to_owned()) }
}

/// What the image is pushed with.
pub(crate) type Lookup = dyn Fn(&Registry, bool) -> Result<Option<Credentials>, AskFailed>;

/// How a client is set up, and what it is asked to do.
pub(crate) struct Setup {
    pub(crate) options: Options,
    pub(crate) lookup: Box<Lookup>,
    /// How long each message takes.
    pub(crate) latency: Duration,
    pub(crate) operations: Vec<Operation<&'static str>>,
    /// What it is asked after that.
    pub(crate) then: Vec<Operation<&'static str>>,
    /// Whether its sources can be read only once.
    pub(crate) once: bool,
    /// What it knows of the registry.
    pub(crate) learned: Learned,
    /// Where credentials may be seen.
    pub(crate) trusted: &'static [&'static str],
}

impl Default for Setup {
    /// One push of a small image, with the right password at hand.
    fn default() -> Self {
        Self {
            options: Options::default(),
            lookup: Box::new(|_, _| Ok(Some(password(PASSWORD)))),
            latency: Duration::from_millis(10),
            operations: vec![image().into()],
            then: Vec::new(),
            once: false,
            learned: Learned::default(),
            trusted: &["https://registry.example"],
        }
    }
}

/// A client that sends every blob in chunks of so many bytes.
pub(crate) fn in_chunks(chunk: u64) -> Options {
    let mut options = Options::default();
    options.single_post = 0;
    options.chunk = chunk;
    options.chunk_above = chunk;
    options
}

/// A small image, and the push of it.
pub(crate) fn image() -> Push<&'static str> {
    image_with(|_, blob| blob)
}

/// The same, with something changed about its blobs.
pub(crate) fn image_with(
    change: impl Fn(&'static str, Blob<&'static str>) -> Blob<&'static str>,
) -> Push<&'static str> {
    image_into("library/app", change).tag("v1".parse::<Tag>().unwrap())
}

/// The same into this repository, without a tag.
pub(crate) fn image_into(
    repository: &str,
    change: impl Fn(&'static str, Blob<&'static str>) -> Blob<&'static str>,
) -> Push<&'static str> {
    let mut push = Push::new("registry.example".parse().unwrap(), repository.parse().unwrap());
    for (key, bytes) in BLOBS {
        let blob = Blob::known(key, Digest::of(Algorithm::Sha256, bytes), bytes.len() as u64);
        push = push.blob(change(key, blob));
    }
    push.root(manifest(""))
}

/// One of its blobs.
pub(crate) fn blob(wanted: &str) -> (Digest, Bytes) {
    let (_, bytes) = BLOBS.into_iter().find(|(key, _)| *key == wanted).unwrap();
    (Digest::of(Algorithm::Sha256, bytes), Bytes::from_static(bytes))
}

/// The manifest of the image, with some more fields.
pub(crate) fn manifest(more: &str) -> Manifest {
    let descriptor = |(_, bytes): &(&str, &[u8])| {
        let (digest, size) = (Digest::of(Algorithm::Sha256, bytes), bytes.len());
        format!(r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{digest}","size":{size}}}"#)
    };
    let layers: Vec<String> = BLOBS[1..].iter().map(descriptor).collect();
    let config = descriptor(&BLOBS[0]);
    let head = r#""schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json""#;
    Manifest::parse(format!(r#"{{{head},"config":{config},"layers":[{}]{more}}}"#, layers.join(","))).unwrap()
}

/// Lets a client do what it is asked to, against this handler, which writes down what it sees.
pub(crate) fn drive(handler: impl Handler, seen: &Rc<RefCell<Vec<Seen>>>, setup: Setup) -> Outcome {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let noted = asked.clone();
    let simulation = Simulation::new(1, handler).latency(setup.latency..setup.latency + Duration::from_millis(1));
    let mut simulation = simulation.step_limit(STEPS).credentials(move |registry, _, stale| {
        noted.borrow_mut().push(stale);
        assert_eq!(registry.to_string(), "registry.example", "credentials are for the registry alone");
        (setup.lookup)(registry, stale)
    });
    for (key, bytes) in BLOBS {
        let source = Source::bytes(bytes.to_vec());
        simulation = simulation.source(key, if setup.once { source.one_shot(Algorithm::Sha256) } else { source });
    }
    let trusted = setup.trusted;
    // No blob is asked about, unless a test wants it: what is judged here is who is told what, and how often.
    let mut options = setup.options;
    if options.ask_above == Options::default().ask_above {
        options.ask_above = u64::MAX;
    }
    let mut client = Client::new(options);
    client.teach(&"registry.example".parse().unwrap(), setup.learned);
    let mut results = Vec::new();
    let mut told = String::new();
    for operations in [setup.operations, setup.then] {
        let expected = results.len() + operations.len();
        for operation in operations {
            client.start(operation);
        }
        loop {
            match simulation.step(&mut client) {
                Step::Worked => {}
                Step::Event(event) => writeln!(told, "{event:?}").unwrap(),
                Step::Done { result, .. } => results.push(result),
                Step::Idle => break,
            }
        }
        assert_eq!(results.len(), expected, "the client hangs\n{}", simulation.transcript());
    }
    let result = results.into_iter().reduce(Result::and).unwrap();
    let transcript = simulation.transcript().to_string();
    let outcome = Outcome { result, told, seen: seen.borrow().clone(), asked: asked.borrow().clone(), transcript };
    check_canaries(&outcome, trusted);
    outcome
}

/// I1 and I29, after every run: no secret reached another host, and none is in what can be shown.
fn check_canaries(outcome: &Outcome, trusted: &[&str]) {
    let secret = basic(PASSWORD);
    for seen in &outcome.seen {
        let all = format!("{seen:?} {}", String::from_utf8_lossy(&seen.body));
        if !trusted.contains(&seen.origin.as_str()) {
            for canary in [PASSWORD, "canary-token", &secret["Basic ".len()..]] {
                assert!(!all.contains(canary), "{canary} reached {}\n{}", seen.origin, outcome.transcript);
            }
        }
        assert!(!seen.path_and_query.contains("canary-token") && !seen.path_and_query.contains(PASSWORD), "{all}");
    }
    let failure = outcome.result.as_ref().err().map(ToString::to_string);
    let shown = format!("{:?} {failure:?} {}", outcome.result, outcome.told);
    for canary in [PASSWORD, "canary-token", "canary-state", &secret["Basic ".len()..]] {
        assert!(!shown.contains(canary), "{canary} is shown:\n{shown}");
    }
}
