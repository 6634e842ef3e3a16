//! Two registries and one client: what one of them does costs the other nothing.

use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use longshore_core::{Blob, Client, Event, Instant, Operation, Options, Push, Registry};
use longshore_memory::{BodyEnd, ExchangeId, Fault, Handler, Reply, Said, Simulation, Source, Step};

use super::chance::Chance;
use super::script::image;
use crate::{Image, Mock, oracle, quirk};

/// The registry whose answers the bytes decide.
const TROUBLED: &str = "troubled.example";
/// The registry that is to notice nothing of it.
const CALM: &str = "calm.example";
/// How long a message takes each way: always the same, so that no draw of one registry shifts one of the other.
const LATENCY: Duration = Duration::from_millis(10);

/// How a registry takes a request.
#[derive(Clone, Copy)]
enum Manner {
    /// As it is meant.
    Plain,
    /// It refuses to serve, and says when to come again.
    Refuses(u16, Option<u64>),
    /// Its answer takes so long.
    Slow(u64),
    /// Its answer is lost.
    Loses,
    /// From now on it serves so many requests at once, and refuses the others.
    Limits(usize),
}

/// Each byte decides something: the client's limits, how many pushes go to the registry in trouble, and how both registries
/// take each of their requests; the calm one has troubles of its own, which are the same in both runs.
///
/// # Panics
/// Where the calm registry is sent anything else, or at another moment, than without the other one; where a wait that one
/// of them asked for is not kept, or the other one waits for it; where a lane has more requests in flight than it may; and
/// where an operation does not end.
pub fn lanes(bytes: &[u8]) {
    let plan = Plan::of(bytes);
    let both = plan.run(true);
    let alone = plan.run(false);
    let (said, expected) = (sent_to(CALM, &both), sent_to(CALM, &alone));
    let transcript = both.transcript();
    assert!(said == expected, "{CALM} is sent {said:#?} and alone {expected:#?}\n{transcript}");
    let kept = oracle::retry_after_is_kept(transcript);
    let capped = oracle::requests_in_flight_are_capped(plan.options.in_flight, transcript);
    for verdict in [kept, capped] {
        assert!(verdict.is_ok(), "{verdict:?}\n{transcript}");
    }
}

/// What was said to both.
pub(super) fn show(bytes: &[u8]) -> String {
    Plan::of(bytes).run(true).transcript().to_string()
}

/// All that is decided.
struct Plan {
    options: Options,
    pushes: usize,
    troubled: Vec<Manner>,
    calm: Vec<Manner>,
}

impl Plan {
    fn of(bytes: &[u8]) -> Self {
        let mut chance = Chance(bytes);
        let mut options = Options::default();
        options.seed = chance.below(4) as u64;
        options.in_flight = 1 + chance.below(8);
        // Where the cap on all lanes binds, one of them may cost the others places.
        options.in_flight_total = 1000;
        options.large_bodies = 1 + chance.below(3);
        options.single_post = chance.of(&[0, u64::MAX]);
        options.ask_above = chance.of(&[0, u64::MAX]);
        options.chunk = 16;
        options.chunk_above = chance.of(&[0, u64::MAX]);
        options.attempts = 2 + chance.below(4) as u32;
        let pushes = 1 + chance.below(4);
        let calm = chance.many(16, manner);
        let mut troubled = Vec::new();
        while !chance.is_over() && troubled.len() < 256 {
            troubled.push(manner(&mut chance));
        }
        Self { options, pushes, troubled, calm }
    }

    fn run(&self, with_both: bool) -> Simulation<usize, Pair> {
        let image = image();
        let pair = Pair { troubled: Door::new(&self.troubled), calm: Door::new(&self.calm) };
        let mut simulation = Simulation::new(0, pair).latency(LATENCY..LATENCY).step_limit(200_000);
        for (number, blob) in image.blobs.iter().enumerate() {
            simulation = simulation.source(number, Source::bytes(blob.bytes.clone()));
        }
        let mut client = Client::new(self.options.clone());
        let mut open = 0;
        if with_both {
            for number in 0..self.pushes {
                client.start(push(TROUBLED, &image, number));
                open += 1;
            }
        }
        client.start(push(CALM, &image, 0));
        open += 1;
        loop {
            match simulation.step(&mut client) {
                Step::Done { .. } => open -= 1,
                Step::Idle => break,
                Step::Worked | Step::Event(Event::Warning { .. } | _) => {}
            }
        }
        if open != 0 || client.in_flight() != 0 {
            simulation.stop("the client waits for nothing, and something has not ended");
        }
        simulation
    }
}

fn push(registry: &str, image: &Image, number: usize) -> Operation<usize> {
    let registry: Registry = registry.parse().expect("the suite's own names are names");
    let repository = format!("library/app{number}").parse().expect("the suite's own names are names");
    let push = Push::new(registry, repository).tag("v1".parse().expect("a tag"));
    let blobs = image.blobs.iter().enumerate();
    let push =
        blobs.fold(push, |push, (number, blob)| push.blob(Blob::known(number, blob.digest, blob.bytes.len() as u64)));
    image.manifests.iter().cloned().fold(push, Push::manifest).root(image.root.clone()).into()
}

fn manner(chance: &mut Chance<'_>) -> Manner {
    match chance.below(10) {
        0..=3 => Manner::Plain,
        4 => Manner::Refuses(429, Some(chance.time().as_secs())),
        5 => Manner::Refuses(503, Some(chance.time().as_secs())),
        6 => Manner::Refuses(chance.of(&[408, 429, 500, 502, 503, 504]), None),
        7 => Manner::Slow(chance.time().as_secs()),
        8 => Manner::Loses,
        _ => Manner::Limits(chance.below(6)),
    }
}

/// What was sent to a registry: when, and what.
fn sent_to(host: &str, simulation: &Simulation<usize, Pair>) -> Vec<(Instant, String)> {
    let entries = simulation.transcript().entries.iter();
    let sent = entries.filter_map(|entry| match &entry.what {
        Said::Asked { head, body } if head.uri.host() == Some(host) => {
            Some((entry.at, format!("{} {} {:?} {body:?}", head.method, head.uri, head.headers)))
        }
        _ => None,
    });
    sent.collect()
}

/// Both registries.
struct Pair {
    troubled: Door,
    calm: Door,
}

impl Handler for Pair {
    fn open(&mut self, now: Instant, id: ExchangeId, head: Parts) -> Option<Reply> {
        let door = if head.uri.host() == Some(CALM) { &mut self.calm } else { &mut self.troubled };
        door.open(now, id, head)
    }

    fn piece(&mut self, now: Instant, id: ExchangeId, bytes: Bytes) -> Option<Reply> {
        let door = if self.calm.open.contains(&id) { &mut self.calm } else { &mut self.troubled };
        door.mock.piece(now, id, bytes)
    }

    fn close(&mut self, now: Instant, id: ExchangeId, how: BodyEnd) -> Reply {
        let door = if self.calm.open.contains(&id) { &mut self.calm } else { &mut self.troubled };
        door.close(now, id, how)
    }
}

/// A registry, and how it takes the requests that come, one after the other. When nothing is said any more, as they are meant.
struct Door {
    mock: Mock,
    manners: Vec<Manner>,
    /// Exchanges that it has begun and not answered.
    open: Vec<ExchangeId>,
    /// What becomes of their answers.
    faults: Vec<(ExchangeId, Fault)>,
    limit: usize,
}

impl Door {
    fn new(manners: &[Manner]) -> Self {
        let manners = manners.iter().rev().copied().collect();
        let mut registry = quirk::spec_true();
        registry.origin = None;
        Self { mock: Mock::new(registry), manners, open: Vec::new(), faults: Vec::new(), limit: usize::MAX }
    }

    fn open(&mut self, now: Instant, id: ExchangeId, head: Parts) -> Option<Reply> {
        match self.manners.pop().unwrap_or(Manner::Plain) {
            Manner::Plain => {}
            Manner::Refuses(status, wait) => return Some(refusal(status, wait)),
            Manner::Slow(seconds) => self.faults.push((id, Fault::Slow(Duration::from_secs(seconds)))),
            Manner::Loses => self.faults.push((id, Fault::AnswerLost)),
            Manner::Limits(limit) => self.limit = limit,
        }
        if self.open.len() >= self.limit {
            // It has no more places than one for long: what is refused for ever cannot be pushed to.
            self.limit = self.limit.saturating_add(1);
            return Some(refusal(429, None));
        }
        match self.mock.open(now, id, head) {
            None => {
                self.open.push(id);
                None
            }
            Some(reply) => Some(self.faulty(id, reply)),
        }
    }

    fn close(&mut self, now: Instant, id: ExchangeId, how: BodyEnd) -> Reply {
        self.open.retain(|open| *open != id);
        let reply = self.mock.close(now, id, how);
        self.faulty(id, reply)
    }

    fn faulty(&mut self, id: ExchangeId, reply: Reply) -> Reply {
        let at = self.faults.iter().position(|(faulty, _)| *faulty == id);
        let fault = at.map(|at| self.faults.swap_remove(at).1);
        Reply { fault: fault.or(reply.fault), ..reply }
    }
}

fn refusal(status: u16, wait: Option<u64>) -> Reply {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
    if let Some(seconds) = wait {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer.into()
}
