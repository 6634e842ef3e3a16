//! Clients and drivers that are broken on purpose, each in one way. They prove that the oracles find such bugs.
//!
//! The core has no code for this. A saboteur stands between a client and its driver, and changes, holds back, repeats or makes
//! up what one tells the other. If it adds credentials to requests to other origins, the client looks like one that leaks; if it
//! drops the last byte of a body, the driver looks like one that sends short bodies.
//!
//! ```
//! use longshore_conformance::quirk::Outcome;
//! use longshore_conformance::{Key, flow, oracle, saboteur};
//!
//! let case = flow::all().remove(0).case;
//! let early = saboteur::named::<Key>("manifest-first").unwrap();
//! let mut run = case.run_sabotaged(&early);
//! let violation = oracle::judge(&case, Outcome::Succeeds, &mut run).unwrap_err();
//! assert_eq!(violation.oracle(), "order");
//! ```

mod contents;
mod credentials;
mod driver;
mod order;
mod uploads;
mod waits;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use http::{HeaderValue, Request, Response, StatusCode};
use longshore_core::bytes::Bytes;
use longshore_core::driver::{Body, End, Input, Keep, Key, Limits, Output, RequestId};
use longshore_core::{Client, Instant};
use longshore_memory::Driven;

/// One way in which a client or a driver is broken.
pub struct Saboteur<K> {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub does: &'static str,
    /// The oracle that finds it: one of [`ORACLES`](crate::oracle::ORACLES), or `simulation` if the client hangs or breaks its
    /// contract with the driver. Empty if no simulation finds it, but a duty of the transport kit does.
    pub oracle: &'static str,
    /// The duty of the transport kit that finds a driver that is broken like this. Empty if only a client can be.
    pub duty: &'static str,
    /// The kind of fault without which it does no harm: one of [`kind::all`](crate::exhaustive::kind::all). Empty if none is
    /// needed.
    pub fault: &'static str,
    output: fn(&mut Notes<K>, Output<K>) -> Option<Output<K>>,
    input: fn(&mut Notes<K>, Input<K>) -> Option<Input<K>>,
}

impl<K> Copy for Saboteur<K> {}

impl<K> Clone for Saboteur<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> std::fmt::Debug for Saboteur<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.does)
    }
}

/// The saboteurs that do harm only with a fault, and its kind.
const SEEN_WITH: [(&str, &str); 9] = [
    ("follow-redirects", "redirect 307 https://elsewhere.example/blob"),
    ("ignore-416", "status 416"),
    ("ignore-limits", "body-changed to 5 MiB"),
    ("last-accident", "status 403"),
    ("leak-on-redirect", "redirect 307 https://elsewhere.example/blob"),
    ("refusal-taken-for-success", "status 403"),
    ("repeat-blindly", "request-lost"),
    ("reported-digest-ignored", "header-changed docker-content-digest"),
    ("success-always", "status 403"),
];

fn fault_for(saboteur: &str) -> &'static str {
    SEEN_WITH.iter().find(|(name, _)| *name == saboteur).map_or("", |(_, fault)| fault)
}

/// All saboteurs.
#[must_use]
pub fn all<K: Key>() -> Vec<Saboteur<K>> {
    [credentials::all(), uploads::all(), order::all(), contents::all(), waits::all(), driver::all()].concat()
}

/// The saboteur of this name.
#[must_use]
pub fn named<K: Key>(name: &str) -> Option<Saboteur<K>> {
    all().into_iter().find(|saboteur| saboteur.name == name)
}

impl<K> Saboteur<K> {
    /// Whether one push is enough to find it. A client that believes too long in what it saw needs two, an hour apart.
    #[must_use]
    pub fn is_hunted(&self) -> bool {
        !self.oracle.is_empty() && self.name != "forget-to-age"
    }
}

impl<K: Key> Saboteur<K> {
    /// A saboteur that does nothing yet, with the oracle that is to find it.
    fn new(name: &'static str, does: &'static str, oracle: &'static str) -> Self {
        Self {
            name,
            does,
            oracle,
            duty: "",
            fault: fault_for(name),
            output: |_, output| Some(output),
            input: |_, input| Some(input),
        }
    }

    /// Names the duty of the transport kit that finds it too.
    fn found_by(mut self, duty: &'static str) -> Self {
        self.duty = duty;
        self
    }

    /// Sets how an output of the client is changed. `None` drops it.
    fn output(mut self, output: fn(&mut Notes<K>, Output<K>) -> Option<Output<K>>) -> Self {
        self.output = output;
        self
    }

    /// Sets how an input of the driver is changed. `None` drops it.
    fn input(mut self, input: fn(&mut Notes<K>, Input<K>) -> Option<Input<K>>) -> Self {
        self.input = input;
        self
    }
}

/// A request as the client made it.
#[derive(Clone)]
struct Sent<K> {
    request: Request<Body<K>>,
    keep: Keep<K>,
    limits: Limits,
}

impl<K> Sent<K> {
    fn is(&self, method: &http::Method, path: &str) -> bool {
        self.request.method() == method && self.request.uri().path().contains(path)
    }

    fn again(self, id: RequestId) -> Output<K> {
        let Self { request, keep, limits } = self;
        Output::Send { id, request, keep, limits }
    }
}

/// What a saboteur remembers, and what it adds.
struct Notes<K> {
    /// Every request, as the client made it.
    sent: BTreeMap<RequestId, Sent<K>>,
    /// The next outputs for the driver.
    to_driver: VecDeque<Output<K>>,
    /// The next inputs for the client.
    to_client: VecDeque<Input<K>>,
    /// Outputs that are kept for later.
    held: Vec<Output<K>>,
    /// Requests to which the client was given a made-up answer, so that the real one is dropped.
    answered: BTreeSet<RequestId>,
    /// A value of `Authorization` that was seen before.
    signature: Option<HeaderValue>,
    /// Digests that were acknowledged or listed before, as text.
    known: BTreeSet<String>,
    /// A counter.
    count: u64,
}

impl<K> Notes<K> {
    /// Gives the client an answer that the registry did not give.
    fn answer(&mut self, id: RequestId, status: StatusCode) {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        self.answered.insert(id);
        self.to_client.push_back(Input::Answered { id, response, end: End::Complete });
    }
}

/// A saboteur with its memory of one run.
pub struct Sabotage<K> {
    saboteur: Saboteur<K>,
    notes: Notes<K>,
}

impl<K: Key> Sabotage<K> {
    /// Begins a run.
    #[must_use]
    pub fn new(saboteur: &Saboteur<K>) -> Self {
        let notes = Notes {
            sent: BTreeMap::new(),
            to_driver: VecDeque::new(),
            to_client: VecDeque::new(),
            held: Vec::new(),
            answered: BTreeSet::new(),
            signature: None,
            known: BTreeSet::new(),
            count: 0,
        };
        Self { saboteur: *saboteur, notes }
    }

    /// Stands between this client and its driver.
    pub const fn around<'a>(&'a mut self, client: &'a mut Client<K>) -> Sabotaged<'a, K> {
        Sabotaged { sabotage: self, client }
    }

    /// The next output for the driver: that of [`Client::poll`], changed by the saboteur.
    pub fn poll(&mut self, client: &mut Client<K>, now: Instant) -> Output<K> {
        loop {
            while let Some(input) = self.notes.to_client.pop_front() {
                client.handle(input);
            }
            if let Some(output) = self.notes.to_driver.pop_front() {
                return output;
            }
            let output = client.poll(now);
            if let Output::Send { id, request, keep, limits } = &output {
                let sent = Sent { request: request.clone(), keep: keep.clone(), limits: *limits };
                self.notes.sent.insert(*id, sent);
            }
            if let Some(output) = (self.saboteur.output)(&mut self.notes, output) {
                return output;
            }
        }
    }

    /// An input from the driver, changed by the saboteur, for [`Client::handle`].
    pub fn handle(&mut self, client: &mut Client<K>, input: Input<K>) {
        if let Some(input) = (self.saboteur.input)(&mut self.notes, input) {
            client.handle(input);
        }
    }
}

/// A client with a saboteur between it and its driver.
pub struct Sabotaged<'a, K> {
    sabotage: &'a mut Sabotage<K>,
    /// The client itself.
    pub client: &'a mut Client<K>,
}

impl<K: Key> Driven<K> for Sabotaged<'_, K> {
    fn poll(&mut self, now: Instant) -> Output<K> {
        self.sabotage.poll(self.client, now)
    }

    fn handle(&mut self, input: Input<K>) {
        self.sabotage.handle(self.client, input);
    }
}

/// A saboteur that changes each request.
macro_rules! on_requests {
    ($name:literal, $does:literal, $oracle:literal, |$notes:pat_param, $request:pat_param| $change:expr) => {
        $crate::saboteur::Saboteur::new($name, $does, $oracle).output(|$notes, output| match output {
            longshore_core::driver::Output::Send { id, mut request, keep, limits } => {
                let $request = &mut request;
                $change;
                Some(longshore_core::driver::Output::Send { id, request, keep, limits })
            }
            other => Some(other),
        })
    };
}

/// A saboteur that changes each answer; it sees the request too.
macro_rules! on_answers {
    ($name:literal, $does:literal, $oracle:literal, |$notes:pat_param, $sent:pat_param, $response:pat_param| $change:expr) => {
        $crate::saboteur::Saboteur::new($name, $does, $oracle).input(|notes, input| match input {
            longshore_core::driver::Input::Answered { id, mut response, end } => {
                if let Some(sent) = notes.sent.get(&id).cloned() {
                    let ($notes, $sent, $response) = (notes, &sent, &mut response);
                    $change;
                }
                Some(longshore_core::driver::Input::Answered { id, response, end })
            }
            other => Some(other),
        })
    };
}

use {on_answers, on_requests};
