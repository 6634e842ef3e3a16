//! Sessions: several operations of one client, one after the other or at the same time, and changes that other clients
//! make in the registry meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use longshore_core::driver::OperationId;
use longshore_core::{Client, Deletion, Digest, Event, Failure, Operation, Receipt};
use longshore_memory::{Simulation, Step};

use crate::case::as_rust::{list, micros};
use crate::case::{Case, Key};
use crate::run::supply;
use crate::{Image, Mock};

/// The distance between the keys of one push and those of the next.
const APART: usize = 1000;

/// Pushes of one client to one registry, and other events. The first push sets the behaviour of client and registry.
#[derive(Debug, Clone)]
pub struct Session {
    /// The pushes, each of which is made once.
    pub pushes: Vec<Case>,
    /// The events, in order.
    pub acts: Vec<Act>,
}

/// An event and its time.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    /// The number of steps after the last act; `None` means when client and simulation are idle.
    pub after: Option<u64>,
    /// The event.
    pub what: What,
}

/// An event of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The push of this number begins.
    Start(usize),
    /// The push of this number is cancelled.
    Cancel(usize),
    /// The client deletes content of the first push.
    Delete(Thing),
    /// Another client deletes content of the first push.
    Lose(Thing),
    /// Another client moves the first tag to another manifest.
    Overwrite,
    /// This much time passes without a poll, as when a machine sleeps.
    Pass(Duration),
}

/// Content of a push. Numbers are taken modulo the number of blobs or manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A blob.
    Blob(usize),
    /// A manifest; the root is the last.
    Manifest(usize),
    /// The first tag.
    Tag,
}

/// The result of a session.
pub struct Held {
    /// The pushes with their results, in order.
    pub pushed: Vec<Pushed>,
    /// The simulation, at its end.
    pub simulation: Simulation<Key, Mock>,
    /// The client, at its end.
    pub client: Client<Key>,
    /// The events of the client, in order.
    pub events: Vec<Event<Key>>,
    /// The results of the client's deletions, in order.
    pub deletions: Vec<Result<Receipt<Key>, Box<Failure>>>,
    /// Content that other clients deleted although a stored manifest or a tag referred to it. No client can prevent
    /// that.
    pub stolen: BTreeSet<Digest>,
    /// Content that a deleted manifest referred to, which may be deleted next.
    exposed: BTreeSet<Digest>,
}

/// One push of a session.
pub struct Pushed {
    /// What was pushed.
    pub image: Image,
    /// Its result; `None` if it was never started.
    pub result: Option<Result<Receipt<Key>, Box<Failure>>>,
    /// Whether it was cancelled before it had ended.
    pub cancelled: bool,
    /// Whether the client itself deleted content during this push or after it, so that its content may be missing.
    pub undone: bool,
    /// The id of its operation.
    pub operation: Option<OperationId>,
    waits_for: BTreeSet<Key>,
}

impl Session {
    /// A session of these pushes. Each push gets its own keys.
    #[must_use]
    pub fn new(mut pushes: Vec<Case>, acts: Vec<Act>) -> Self {
        pushes.iter_mut().enumerate().for_each(|(number, case)| case.first_key = number * APART);
        Self { pushes, acts }
    }

    /// A Rust expression for this session, as [`Case::as_rust`] gives for a case. It begins with its imports.
    #[must_use]
    pub fn as_rust(&self, requests: u64) -> String {
        let pushes = list(&self.pushes, |case| case.as_rust(requests));
        let acts = list(&self.acts, |Act { after, what }| {
            let what = match what {
                What::Delete(thing) => format!("Delete(Thing::{thing:?})"),
                What::Lose(thing) => format!("Lose(Thing::{thing:?})"),
                What::Pass(time) => format!("Pass({})", micros(*time)),
                simple => format!("{simple:?}"),
            };
            format!("Act {{ after: {after:?}, what: What::{what} }}")
        });
        format!("{{\n    use longshore_conformance::session::*;\n\n    Session::new({pushes}, {acts})\n}}")
    }

    /// Runs it.
    ///
    /// # Panics
    /// If the client hangs, repeats itself without an end, or breaks its contract with a driver.
    #[must_use]
    pub fn run(&self) -> Held {
        let first = &self.pushes[0];
        let (mut registry, mut sources) = (first.empty_registry(), Vec::new());
        let mut pushed = Vec::new();
        for case in &self.pushes {
            let image = Image::of(&case.plan);
            sources.extend(case.prepare(&image, &mut registry));
            let waits_for = case.unknown().map(|number| Key(case.first_key + number)).collect();
            pushed.push(Pushed { image, result: None, cancelled: false, undone: false, operation: None, waits_for });
        }
        let mut held = Held {
            pushed,
            simulation: first.begin(registry, sources),
            client: first.client(|_| {}),
            events: Vec::new(),
            deletions: Vec::new(),
            stolen: BTreeSet::new(),
            exposed: BTreeSet::new(),
        };
        held.go_on(self);
        held
    }
}

impl Held {
    fn go_on(&mut self, session: &Session) {
        let mut operations: BTreeMap<OperationId, Option<usize>> = BTreeMap::new();
        let mut acts = session.acts.iter().peekable();
        let (mut steps, mut is_idle) = (0, true);
        loop {
            let due = |act: &&Act| act.after.is_some_and(|after| steps >= after) || is_idle;
            if let Some(act) = acts.next_if(due) {
                self.act(act.what, session, &mut operations);
                (steps, is_idle) = (0, false);
                continue;
            }
            if is_idle {
                break;
            }
            steps += 1;
            match self.simulation.step(&mut self.client) {
                Step::Worked => {}
                Step::Event(event) => self.take(event),
                Step::Done { operation, result } => match operations.remove(&operation) {
                    Some(Some(push)) => self.pushed[push].result = Some(result),
                    Some(None) => self.deletions.push(result),
                    None => self.simulation.stop("an operation ended that was never begun, or ended before"),
                },
                Step::Idle => is_idle = true,
            }
        }
        if !operations.is_empty() {
            self.simulation.stop("the client hangs: it waits for nothing, and an operation has not ended");
        }
    }

    fn act(&mut self, what: What, session: &Session, operations: &mut BTreeMap<OperationId, Option<usize>>) {
        match what {
            What::Start(number) => {
                let operation = self.client.start(session.pushes[number].push(&self.pushed[number].image));
                self.pushed[number].operation = Some(operation);
                // A deletion that has not ended may still reach the registry.
                self.pushed[number].undone = operations.values().any(Option::is_none);
                operations.insert(operation, Some(number));
            }
            What::Cancel(number) => {
                let push = &mut self.pushed[number];
                if let Some(operation) = push.operation {
                    self.client.cancel(operation);
                    push.cancelled |= push.result.is_none();
                }
            }
            What::Delete(thing) => {
                let (registry, repository) = (Case::registry(), Case::repository());
                let Some(what) = self.named(thing, session) else { return };
                self.pushed.iter_mut().for_each(|push| push.undone |= push.operation.is_some());
                operations.insert(self.client.start(Operation::Delete { registry, repository, what }), None);
            }
            What::Lose(thing) => self.lose(thing, session),
            What::Overwrite => self.overwrite(session),
            What::Pass(time) => self.simulation.pass(time),
        }
    }

    fn take(&mut self, event: Event<Key>) {
        if let Event::BlobDigested { blob, .. } = &event {
            for push in &mut self.pushed {
                let was_last = push.waits_for.remove(blob) && push.waits_for.is_empty();
                if let Some(operation) = push.operation.filter(|_| was_last && !push.cancelled && push.result.is_none())
                {
                    supply(&mut self.client, operation, &push.image);
                }
            }
        }
        self.events.push(event);
    }

    fn named(&self, thing: Thing, session: &Session) -> Option<Deletion> {
        let image = &self.pushed[0].image;
        Some(match thing {
            Thing::Blob(number) => Deletion::Blob(image.blobs[number % image.blobs.len()].digest),
            Thing::Manifest(number) => {
                let manifests: Vec<Digest> = image.all_manifests().map(longshore_core::Manifest::digest).collect();
                Deletion::Manifest(manifests[number % manifests.len()])
            }
            Thing::Tag => Deletion::Tag(session.pushes[0].tags().next()?),
        })
    }

    /// Deletes content, as another client.
    fn lose(&mut self, thing: Thing, session: &Session) {
        let repository = Case::repository();
        let Some(what) = self.named(thing, session) else { return };
        let contents = self.simulation.handler.registry.state.repositories.get(&repository);
        let mut needed = self.exposed.clone();
        for (digest, stored) in contents.into_iter().flat_map(|contents| &contents.manifests) {
            needed.extend(stored.blobs.iter().chain(&stored.children));
            // Nothing refers to the root and to artifacts, so they may be deleted after they were stored.
            needed.insert(*digest);
        }
        let path = match what {
            Deletion::Blob(digest) => format!("/v2/{repository}/blobs/{digest}"),
            Deletion::Manifest(digest) => format!("/v2/{repository}/manifests/{digest}"),
            Deletion::Tag(ref tag) => format!("/v2/{repository}/manifests/{tag}"),
        };
        let gone = match what {
            Deletion::Blob(digest) | Deletion::Manifest(digest) => Some(digest),
            Deletion::Tag(tag) => self.simulation.handler.tagged(&repository, &tag),
        };
        if let Some(stored) = gone.and_then(|digest| contents?.manifests.get(&digest)) {
            self.exposed.extend(stored.blobs.iter().chain(&stored.children));
        }
        self.stolen.extend(gone.filter(|digest| needed.contains(digest)));
        self.simulation.handler.ask_plainly(Method::DELETE, &path, Bytes::new());
    }

    fn overwrite(&mut self, session: &Session) {
        let (repository, other) = (Case::repository(), r#"{"schemaVersion":2,"manifests":[]}"#);
        let Some(tag) = session.pushes[0].tags().next() else { return };
        self.stolen.extend(self.simulation.handler.tagged(&repository, &tag));
        let other = other.replacen('{', r#"{"mediaType":"application/vnd.oci.image.index.v1+json","#, 1);
        let put = self.simulation.handler.ask_plainly(Method::PUT, &format!("/v2/{repository}/manifests/{tag}"), other);
        assert!(put.status().is_success(), "{put:?}");
    }
}
