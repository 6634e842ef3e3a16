//! A client against a registry that stores whatever comes and has nothing, in virtual time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;
use std::time::{Duration, Instant as Clock};

use bytes::Bytes;
use http::{Method, Request, Response};
use longshore_core::driver::{Body, End, Input, Output, RequestId};
use longshore_core::{Client, Instant, Options, Push};

/// What a row came to.
pub(super) struct Measured {
    /// The time that starting took.
    pub(super) start: Duration,
    /// The client's time after that.
    pub(super) run: Duration,
    pub(super) requests: u64,
    /// What the client added to the memory of the process, in KiB.
    pub(super) kib: u64,
}

/// A client, and what is measured of it.
pub(super) struct Simulation {
    client: Client<u64>,
    now: Instant,
    in_flight: VecDeque<(RequestId, Response<Bytes>)>,
    /// What stands under the tags of lists.
    lists: BTreeMap<String, Bytes>,
    start: Duration,
    run: Duration,
    requests: u64,
    before: u64,
}

impl Simulation {
    pub(super) fn new() -> Self {
        Self {
            client: Client::new(Options::default()),
            now: Instant::ZERO,
            in_flight: VecDeque::new(),
            lists: BTreeMap::new(),
            start: Duration::ZERO,
            run: Duration::ZERO,
            requests: 0,
            before: 0,
        }
    }

    /// From here on the memory of the process is the client's.
    pub(super) fn begin(&mut self) {
        (self.start, self.run, self.requests) = Default::default();
        self.before = resident("VmRSS:");
    }

    pub(super) fn start(&mut self, push: Push<u64>) {
        let begun = spent();
        self.client.start(push);
        self.start += spent().saturating_sub(begun);
    }

    /// Goes on until the client is idle.
    pub(super) fn run(&mut self) {
        let begun = spent();
        loop {
            match self.client.poll(self.now) {
                Output::Send { id, request, .. } => {
                    self.requests += 1;
                    let response = self.answer(&request);
                    self.in_flight.push_back((id, response));
                }
                Output::Wait(deadline) => match (self.in_flight.pop_front(), deadline) {
                    (Some((id, response)), _) => {
                        // A millisecond an answer.
                        self.now = Instant::from_micros(self.now.as_micros() + 1000);
                        self.client.handle(Input::Answered { id, response, end: End::Complete });
                    }
                    (None, Some(deadline)) => self.now = deadline.at,
                    (None, None) => break,
                },
                Output::Done { result, .. } => {
                    result.expect("the registry takes everything");
                }
                Output::Ask { id, .. } => self.client.handle(Input::Credentials { id, answer: Ok(None) }),
                Output::Read { .. } | Output::Abort { .. } | Output::Event(_) => {}
            }
        }
        self.run += spent().saturating_sub(begun);
    }

    pub(super) fn measured(mut self) -> Measured {
        let kib = resident("VmHWM:").saturating_sub(self.before);
        let answers = u32::try_from(self.requests).unwrap_or(u32::MAX);
        let run = self.run.saturating_sub(self.cost_of_an_answer() * answers);
        Measured { start: self.start, run, requests: self.requests, kib }
    }

    /// What the simulation takes for one exchange, without a client.
    fn cost_of_an_answer(&mut self) -> Duration {
        const TIMES: u32 = 20_000;
        let uri = "https://registry.example/v2/team/app/blobs/uploads/?digest=sha256:00";
        let request = Request::post(uri).body(Body::Empty).expect("a constant");
        let begun = spent();
        for _ in 0..TIMES {
            let response = self.answer(&request);
            std::hint::black_box(response);
        }
        spent().saturating_sub(begun) / TIMES
    }

    fn answer(&mut self, request: &Request<Body<u64>>) -> Response<Bytes> {
        let list = request.uri().path().split_once("/manifests/sha256-").map(|(_, tag)| tag.to_owned());
        let (status, body) = match (request.method(), request.body(), list) {
            (&Method::PUT, Body::Bytes(bytes), Some(tag)) => {
                self.lists.insert(tag, bytes.clone());
                (201, Bytes::new())
            }
            (&Method::POST | &Method::PUT, ..) => (201, Bytes::new()),
            (_, _, Some(tag)) if self.lists.contains_key(&tag) => (200, self.lists[&tag].clone()),
            _ => (404, Bytes::new()),
        };
        // A mount from the repository itself finds nothing.
        let status = if request.uri().query().is_some_and(|query| query.contains("mount=")) { 202 } else { status };
        let answer = Response::builder().status(status).header("location", "/v2/uploads/1");
        let kind = "application/vnd.oci.image.index.v1+json";
        let answer = if body.is_empty() { answer } else { answer.header("content-type", kind) };
        answer.body(body).expect("a constant")
    }
}

/// The time that this process has had of a processor. Where the system does not tell, the time that has passed.
fn spent() -> Duration {
    static BEGUN: LazyLock<Clock> = LazyLock::new(Clock::now);
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| BEGUN.elapsed(), Duration::from_nanos)
}

/// A field of what the system tells of this process, in KiB; 0 where it does not.
fn resident(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}
