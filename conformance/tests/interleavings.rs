//! Clients that change one list of referrers at the same time: every order in which their requests can arrive.
//!
//! Where the registry guards writes by validators, no order loses an entry. Where it does not, some orders do, because no
//! compare-and-swap exists: a client that was overwritten after it had read back cannot know. Those orders are counted and
//! the first of them is printed; pushing the artifacts again repairs the list in every one.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, Request};
use longshore_conformance::Mock;
use longshore_core::driver::{Body, End, Input, Output, RequestId};
use longshore_core::{Algorithm, Blob, Client, Digest, Instant, Learned, Manifest, Options, Push, Tag};
use longshore_mock_registry as mock;
use longshore_mock_registry::behaviour::ReferrersApi;

const SUBJECT: &[u8] = b"a manifest that may be anywhere";

/// One client that attaches an artifact to the subject, a request at a time.
struct Attacher {
    client: Client<&'static str>,
    now: Instant,
    /// The request that it has sent, and that has not arrived yet.
    pending: Option<(RequestId, Request<Body<&'static str>>)>,
}

impl Attacher {
    fn new(name: &str) -> Self {
        let mut client = Client::new(options(u64::from(name.as_bytes()[0])));
        let registry = "registry.example".parse().unwrap();
        let mut learned = Learned::default();
        learned.learn_referrers(&"library/app".parse().unwrap(), false);
        client.teach(&registry, learned);
        let config = Digest::of(Algorithm::Sha256, b"{}");
        let push = Push::new(registry, "library/app".parse().unwrap());
        client.start(push.blob(Blob::known("config", config, 2)).root(artifact(name)));
        let mut attacher = Self { client, now: Instant::ZERO, pending: None };
        attacher.poll();
        attacher
    }

    /// Goes on until a request is under way, or the push has ended.
    fn poll(&mut self) {
        while self.pending.is_none() {
            match self.client.poll(self.now) {
                Output::Send { id, request, .. } => self.pending = Some((id, request)),
                Output::Wait(Some(deadline)) => self.now = deadline.at,
                Output::Wait(None) => panic!("it hangs"),
                Output::Done { result, .. } => {
                    result.expect("a race is no failure");
                    return;
                }
                Output::Ask { .. } | Output::Read { .. } | Output::Abort { .. } | Output::Event(_) => {}
            }
        }
    }

    /// Lets its request arrive, and its answer come back.
    fn arrive(&mut self, registry: &mut Mock) {
        let (id, request) = self.pending.take().expect("it has a request under way");
        let (head, body) = request.into_parts();
        let body = match body {
            Body::Bytes(bytes) => bytes,
            Body::Blob { .. } => Bytes::from_static(b"{}"),
            Body::Empty | Body::Rest { .. } => Bytes::new(),
        };
        let response = registry.registry.answer(mock::Instant::default(), Request::from_parts(head, body)).unwrap();
        self.client.handle(Input::Answered { id, response, end: End::Complete });
        self.poll();
    }

    fn is_at_the_list(&self) -> bool {
        self.pending.as_ref().is_none_or(|(_, request)| request.uri().path().contains("/manifests/sha256-"))
    }
}

fn options(seed: u64) -> Options {
    let mut options = Options::default();
    options.seed = seed;
    options
}

fn artifact(name: &str) -> Manifest {
    let config = Digest::of(Algorithm::Sha256, b"{}");
    let subject = Digest::of(Algorithm::Sha256, SUBJECT);
    Manifest::parse(format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.example.{name}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[],"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{subject}","size":{}}}}}"#,
        SUBJECT.len()
    ))
    .unwrap()
}

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

/// Who goes on at each step; where it says nothing, the first that can does.
enum Script {
    /// Which of those that can.
    Choices(Vec<usize>),
    /// Which client, if it can.
    Clients(Vec<usize>),
}

impl Script {
    fn choice(&self, step: usize, able: &[usize]) -> usize {
        match self {
            Self::Choices(choices) => choices.get(step).copied().unwrap_or(0),
            Self::Clients(clients) => {
                clients.get(step).and_then(|client| able.iter().position(|able| able == client)).unwrap_or(0)
            }
        }
    }
}

/// Runs so many clients in the order that `script` says. Gives the registry, the order, and how many could have gone on at
/// each step.
fn run(clients: usize, guarded: bool, script: &Script) -> (Mock, Vec<usize>, Vec<usize>) {
    let mut options = mock::RegistryOptions::default();
    options.behaviour.referrers.api = ReferrersApi::NotFound;
    options.behaviour.manifests.conditions = guarded;
    let mut registry = Mock::new(options);
    let mut attachers: Vec<Attacher> = NAMES[..clients].iter().map(|name| Attacher::new(name)).collect();
    for attacher in &mut attachers {
        while !attacher.is_at_the_list() {
            attacher.arrive(&mut registry);
        }
    }
    let (mut order, mut choices) = (Vec::new(), Vec::new());
    loop {
        let able: Vec<usize> = (0..clients).filter(|i| attachers[*i].pending.is_some()).collect();
        if able.is_empty() {
            return (registry, order, choices);
        }
        let choice = script.choice(order.len(), &able);
        attachers[able[choice]].arrive(&mut registry);
        order.push(able[choice]);
        choices.push(able.len());
    }
}

fn listed(registry: &mut Mock) -> BTreeSet<Digest> {
    let tag = Tag::of_referrers(&Digest::of(Algorithm::Sha256, SUBJECT));
    let list = registry.ask(Method::GET, &format!("/v2/library/app/manifests/{tag}"), Bytes::new());
    Manifest::parse(list.into_body()).unwrap().children().map(|child| child.digest).collect()
}

/// Every order there is: how many, how many lost an entry, and the first that did.
fn every_order(clients: usize, guarded: bool) -> (u32, u32, Option<Vec<usize>>) {
    let all: BTreeSet<Digest> = NAMES[..clients].iter().map(|name| artifact(name).digest()).collect();
    let (mut orders, mut lossy, mut first) = (0, 0, None);
    let mut script = Vec::new();
    loop {
        let (mut registry, order, choices) = run(clients, guarded, &Script::Choices(script.clone()));
        orders += 1;
        if listed(&mut registry) != all {
            lossy += 1;
            first.get_or_insert(order);
            // The same artifacts again, one after the other.
            for name in &NAMES[..clients] {
                let mut again = Attacher::new(name);
                while again.pending.is_some() {
                    again.arrive(&mut registry);
                }
            }
            assert_eq!(listed(&mut registry), all, "pushing again does not repair {script:?}");
        }
        // The next script in order: the last step at which another could have gone on.
        let mut taken: Vec<usize> = (0..choices.len()).map(|i| script.get(i).copied().unwrap_or(0)).collect();
        while taken.last().is_some_and(|last| last + 1 >= choices[taken.len() - 1]) {
            taken.pop();
        }
        let Some(last) = taken.last_mut() else { return (orders, lossy, first) };
        *last += 1;
        script = taken;
    }
}

#[test]
fn i37_with_validators_no_order_of_two_clients_loses_an_entry() {
    let (orders, lossy, first) = every_order(2, true);
    println!("2 clients, validators: {orders} orders, {lossy} lose an entry");
    assert!(orders >= 20, "{orders}");
    assert_eq!(lossy, 0, "{first:?}");
}

/// Three clients have too many orders to try all; here are all in which their first three requests each can arrive. What
/// they have to do after that, they do one after the other.
#[test]
fn i37_with_validators_no_order_of_three_clients_loses_an_entry() {
    let all: BTreeSet<Digest> = NAMES.iter().map(|name| artifact(name).digest()).collect();
    let mut orders = 0;
    let mut waiting = vec![(Vec::new(), [3; 3])];
    while let Some((order, left)) = waiting.pop() {
        if left == [0; 3] {
            orders += 1;
            let (mut registry, order, _) = run(3, true, &Script::Clients(order));
            assert_eq!(listed(&mut registry), all, "{order:?}");
            continue;
        }
        for client in (0..3).filter(|client| left[*client] > 0) {
            let (mut order, mut left): (Vec<usize>, [usize; 3]) = (order.clone(), left);
            order.push(client);
            left[client] -= 1;
            waiting.push((order, left));
        }
    }
    println!("3 clients, validators: {orders} orders of their first three requests, none loses an entry");
    assert_eq!(orders, 1680);
}

#[test]
fn i37_without_validators_every_loss_is_repaired_by_pushing_again() {
    let (orders, lossy, first) = every_order(2, false);
    println!("2 clients, no validators: {orders} orders, {lossy} lose an entry, the first of them {first:?}");
    assert!(orders >= 20, "{orders}");
    assert!(lossy > 0, "if there are none any more, the documentation can say so");
}
