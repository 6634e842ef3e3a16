//! A driver that breaks its contract: whatever it tells the client, and whenever, the client neither panics nor hangs.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use longshore_core::auth::Credentials;
use longshore_core::driver::{AskFailed, AskId, Body, End, Input, NoAnswer, OperationId, Output, RequestId};
use longshore_core::{Algorithm, Blob, Client, Digest, Instant, Options, Push, Supply};
use longshore_mock_registry as mock;

use super::assert_harmless;
use super::chance::Chance;
use super::script::image;
use crate::{Case, Image, Mock, quirk};

/// The most outputs between two inputs: a client that gives more is going round in circles.
const MAX_OUTPUTS: usize = 10_000;
/// The most rounds in which everything is told as it should be, until all is over.
const MAX_ROUNDS: usize = 20_000;
/// The most lines that are shown of what was asked and told.
const MAX_SHOWN: usize = 5_000;

/// Each byte is a thing that a driver does: what it should, or what it must not. When the bytes have run out, it does what it
/// should, and everything ends.
///
/// # Panics
/// Where the client panics, goes round in circles, ends an operation twice or never, or shows what must not be shown.
pub fn driver_misuse(bytes: &[u8]) {
    if let Err(why) = Driver::new(None).run(bytes) {
        panic!("{why}\n{}", show(bytes));
    }
}

/// What was asked and told. Of a run without end the beginning is shown.
pub(super) fn show(bytes: &[u8]) -> String {
    let mut driver = Driver::new(Some(Vec::new()));
    // What does not hold is told by the judge.
    let _ = driver.run(bytes);
    driver.said.unwrap_or_default().join("\n")
}

struct Driver {
    client: Client<usize>,
    registry: Mock,
    image: Image,
    now: Instant,
    /// Until when the client wants to wait.
    wakes: Option<Instant>,
    /// Requests that nothing was told of yet, and all others that ever were.
    waiting: Vec<(RequestId, Request<Body<usize>>)>,
    old: Vec<RequestId>,
    /// Reads and questions that were not answered yet.
    reads: Vec<(OperationId, usize, u64)>,
    asks: Vec<AskId>,
    old_asks: Vec<AskId>,
    /// Operations that have not ended, and all that ever were.
    open: Vec<OperationId>,
    operations: Vec<OperationId>,
    /// Under which operation each blob was read last.
    read_by: BTreeMap<usize, OperationId>,
    /// What was asked and told, where somebody will read it.
    said: Option<Vec<String>>,
}

impl Driver {
    fn new(said: Option<Vec<String>>) -> Self {
        let mut options = Options::default();
        options.chunk = 16;
        options.attempts = 3;
        Self {
            client: Client::new(options),
            registry: Mock::new(quirk::spec_true()),
            image: image(),
            now: Instant::ZERO,
            wakes: None,
            waiting: Vec::new(),
            old: Vec::new(),
            reads: Vec::new(),
            asks: Vec::new(),
            old_asks: Vec::new(),
            open: Vec::new(),
            operations: Vec::new(),
            read_by: BTreeMap::new(),
            said,
        }
    }

    /// Does what the bytes say, and then what it should until everything has ended.
    fn run(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut chance = Chance(bytes);
        self.begin(&mut chance);
        while !chance.is_over() {
            self.poll()?;
            self.act(&mut chance);
        }
        for _ in 0..MAX_ROUNDS {
            self.poll()?;
            if self.open.is_empty() && !self.client.is_cleaning_up() {
                return Ok(());
            }
            if !self.go_on() {
                return Err(format!("the client waits for nothing, and {:?} have not ended", self.open));
            }
        }
        Err("it does not end".to_owned())
    }

    fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(said) = self.said.as_mut().filter(|said| said.len() < MAX_SHOWN) {
            said.push(line());
        }
    }

    /// Begins a push of one of four kinds.
    fn begin(&mut self, chance: &mut Chance<'_>) {
        let (is_known, is_open) = (chance.is_so(), chance.is_so());
        let mut push = Push::new(Case::registry(), Case::repository()).tag("v1".parse().expect("a tag"));
        for (key, blob) in self.image.blobs.iter().enumerate() {
            push = push.blob(match is_known {
                true => Blob::known(key, blob.digest, blob.bytes.len() as u64),
                false => Blob::unknown(key, Algorithm::Sha256),
            });
        }
        let push = if is_open { push.open() } else { push.root(self.image.root.clone()) };
        let operation = self.client.start(push);
        if is_open {
            self.supply(operation);
        }
        self.open.push(operation);
        self.operations.push(operation);
    }

    /// A push that waits for more gets it. A second time it is refused.
    fn supply(&mut self, operation: OperationId) {
        for supply in [Supply::Root(self.image.root.clone()), Supply::End] {
            if let Err(failure) = self.client.supply(operation, supply) {
                assert_harmless(&failure.to_string());
            }
        }
    }

    /// Takes outputs until the client waits.
    fn poll(&mut self) -> Result<(), String> {
        for _ in 0..MAX_OUTPUTS {
            let output = self.client.poll(self.now);
            let now = self.now;
            self.say(|| format!("{now:?} {output:?}"));
            match output {
                Output::Send { id, request, .. } => self.waiting.push((id, request)),
                Output::Abort { id } => self.waiting.retain(|(waiting, _)| *waiting != id),
                Output::Read { operation, blob, from: _, up_to } => {
                    self.read_by.insert(blob, operation);
                    self.reads.push((operation, blob, up_to));
                }
                Output::Ask { id, .. } => self.asks.push(id),
                Output::Event(_) => {}
                Output::Wait(deadline) => {
                    self.wakes = deadline.map(|deadline| deadline.at);
                    return Ok(());
                }
                Output::Done { operation, result } => {
                    let at = self.open.iter().position(|open| *open == operation);
                    let at = at.ok_or_else(|| format!("{operation:?} ended twice, or was never begun"))?;
                    self.open.remove(at);
                    if let Err(failure) = result {
                        assert_harmless(&failure.to_string());
                    }
                }
            }
        }
        Err("the client goes round in circles".to_owned())
    }

    fn handle(&mut self, input: Input<usize>) {
        let now = self.now;
        self.say(|| format!("{now:?} -> {input:?}"));
        self.client.handle(input);
    }

    /// Does what is due, and says whether anything was.
    fn go_on(&mut self) -> bool {
        if let Some((operation, blob, up_to)) = self.reads.pop() {
            self.filled(operation, blob, up_to);
        } else if let Some(id) = self.asks.pop() {
            self.old_asks.push(id);
            self.handle(Input::Credentials { id, answer: Ok(None) });
        } else if !self.waiting.is_empty() {
            self.deliver(0);
        } else if let Some(at) = self.wakes {
            self.now = self.now.max(at);
        } else {
            return false;
        }
        true
    }

    fn filled(&mut self, operation: OperationId, blob: usize, up_to: u64) {
        let content = &self.image.blobs[blob];
        let (len, digest) = (content.bytes.len() as u64, content.digest);
        self.handle(match up_to >= len {
            true => Input::Ended { operation, blob, len, digest },
            false => Input::Filled { operation, blob, len: up_to },
        });
    }

    /// Lets a request reach the registry, and its answer the client.
    fn deliver(&mut self, at: usize) {
        let (id, request) = self.waiting.remove(at);
        self.old.push(id);
        let (head, body) = request.into_parts();
        let body = self.body(body);
        let now = mock::Instant::from_micros(self.now.as_micros());
        match self.registry.registry.answer(now, Request::from_parts(head, body)) {
            Ok(response) => self.handle(Input::Answered { id, response, end: End::Complete }),
            Err(_) => self.handle(Input::Failed { id, why: NoAnswer::Lost("it is gone".to_owned()) }),
        }
    }

    fn body(&mut self, body: Body<usize>) -> Bytes {
        match body {
            Body::Empty => Bytes::new(),
            Body::Bytes(bytes) => bytes,
            Body::Blob { key, range } => {
                let bytes = &self.image.blobs[key].bytes;
                let at = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                bytes.slice(at(range.start).min(at(range.end))..at(range.end))
            }
            Body::Rest { key, from } => {
                let content = self.image.blobs[key].clone();
                if let Some(operation) = self.read_by.get(&key).copied() {
                    let len = content.bytes.len() as u64;
                    self.handle(Input::Ended { operation, blob: key, len, digest: content.digest });
                }
                content.bytes.slice(usize::try_from(from).unwrap_or(usize::MAX).min(content.bytes.len())..)
            }
        }
    }
}

/// What a driver must not do.
impl Driver {
    fn act(&mut self, chance: &mut Chance<'_>) {
        match chance.below(16) {
            0..=4 => {
                self.go_on();
            }
            5 => self.answers_what_is_over(chance),
            6 => self.answers_out_of_turn(chance),
            7 => self.fails(chance),
            8 => self.says_what_was_sent(chance),
            9 => self.tells_of_blobs(chance),
            10 => self.gives_credentials(chance),
            11 => self.now = self.now.after(chance.time()),
            12 => self.begin(chance),
            13 => self.ends(chance),
            14 => {
                let operation = self.some_operation(chance);
                self.supply(operation);
            }
            _ => self.answers_anything(chance),
        }
    }

    fn some_operation(&self, chance: &mut Chance<'_>) -> OperationId {
        self.operations[chance.below(self.operations.len())]
    }

    fn some_request(&self, chance: &mut Chance<'_>) -> Option<RequestId> {
        let waiting = self.waiting.iter().map(|(id, _)| *id);
        let known: Vec<RequestId> = waiting.chain(self.old.iter().copied()).collect();
        (!known.is_empty()).then(|| known[chance.below(known.len())])
    }

    /// A second answer to the same attempt.
    fn answers_what_is_over(&mut self, chance: &mut Chance<'_>) {
        if !self.old.is_empty() {
            let id = self.old[chance.below(self.old.len())];
            let response = answer(chance);
            self.handle(Input::Answered { id, response, end: End::Complete });
        }
    }

    fn answers_out_of_turn(&mut self, chance: &mut Chance<'_>) {
        if !self.waiting.is_empty() {
            self.deliver(chance.below(self.waiting.len()));
        }
    }

    /// An answer that nobody gave, with an end that cannot be.
    fn answers_anything(&mut self, chance: &mut Chance<'_>) {
        if let Some(id) = self.some_request(chance) {
            self.waiting.retain(|(waiting, _)| *waiting != id);
            self.old.push(id);
            let digest = Digest::of(Algorithm::Sha256, &[chance.byte()]);
            let end = chance.of(&[End::Complete, End::Cut, End::OverLimit, End::Poured { len: u64::MAX, digest }]);
            let response = answer(chance);
            self.handle(Input::Answered { id, response, end });
        }
    }

    fn fails(&mut self, chance: &mut Chance<'_>) {
        let Some(id) = self.some_request(chance) else { return };
        self.waiting.retain(|(waiting, _)| *waiting != id);
        self.old.push(id);
        let why = "\u{1b}[31mwhatever\u{202e}".to_owned();
        let why = chance.of(&[
            NoAnswer::NotSent(why.clone()),
            NoAnswer::Lost(why.clone()),
            NoAnswer::Source(why.clone()),
            NoAnswer::Unsendable(why.clone()),
            NoAnswer::Sink(why),
        ]);
        self.handle(Input::Failed { id, why });
    }

    fn says_what_was_sent(&mut self, chance: &mut Chance<'_>) {
        if let Some(id) = self.some_request(chance) {
            let total = chance.of(&[0, 1, 100, u64::MAX]);
            self.handle(Input::Sent { id, total });
        }
    }

    /// Bytes that were not asked for, of a blob that is none, with lengths and digests that cannot be.
    fn tells_of_blobs(&mut self, chance: &mut Chance<'_>) {
        let (operation, blob) = (self.some_operation(chance), chance.below(5));
        let len = chance.of(&[0, 1, 2, 33, 100, u64::MAX]);
        let digest = Digest::of(Algorithm::Sha256, &[chance.byte()]);
        self.handle(match chance.below(3) {
            0 => Input::Filled { operation, blob, len },
            1 => Input::Ended { operation, blob, len, digest },
            _ => Input::Unreadable { blob, why: "\u{7}gone".to_owned() },
        });
    }

    fn gives_credentials(&mut self, chance: &mut Chance<'_>) {
        let known: Vec<AskId> = self.asks.iter().chain(&self.old_asks).copied().collect();
        if known.is_empty() {
            return;
        }
        let id = known[chance.below(known.len())];
        self.asks.retain(|ask| *ask != id);
        self.old_asks.push(id);
        let (user, password) = ("some\nbody".to_owned(), longshore_core::Secret::new("pass\r\nword".to_owned()));
        let answer = match chance.below(3) {
            0 => Ok(None),
            1 => Ok(Some(Credentials::Basic { user, password })),
            _ => Err(AskFailed("\u{1b}no".to_owned())),
        };
        self.handle(Input::Credentials { id, answer });
    }

    /// Ends an operation, perhaps one that has ended.
    fn ends(&mut self, chance: &mut Chance<'_>) {
        let operation = self.some_operation(chance);
        match chance.below(3) {
            0 => self.client.cancel(operation),
            1 => self.client.suspend(operation),
            _ => {
                if let Some(checkpoint) = self.client.save(operation) {
                    assert!(!checkpoint.to_json().is_empty());
                }
            }
        }
    }
}

fn answer(chance: &mut Chance<'_>) -> Response<Bytes> {
    let statuses = [200, 201, 202, 204, 206, 301, 307, 400, 401, 403, 404, 405, 409, 413, 416, 429, 499, 500, 503];
    let mut response = Response::new(Bytes::from_static(b"{}"));
    *response.status_mut() = StatusCode::from_u16(chance.of(&statuses)).unwrap_or_default();
    let fields = [
        ("location", "/v2/library/app/blobs/uploads/1"),
        ("location", "https://storage.example/x"),
        ("range", "0-15"),
        ("retry-after", "1"),
        ("www-authenticate", "Basic realm=\"x\""),
        ("www-authenticate", "Bearer realm=\"/token\""),
        ("oci-chunk-min-length", "8"),
        ("docker-content-digest", "sha256:0"),
    ];
    for _ in 0..chance.below(3) {
        let (name, value) = chance.of(&fields);
        response.headers_mut().append(name, http::HeaderValue::from_static(value));
    }
    response
}
