//! What a simulation does with faults, orders, sources and clients that hang.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use longshore_core::driver::{End, NoAnswer};
use longshore_core::{
    Algorithm, Blob, Client, Digest, Digester, Event, Instant, Manifest, ManifestReference, Operation, Options, Push,
    Receipt,
};
use longshore_memory::{
    BodyEnd, ExchangeId, Fault, Handler, Order, Reply, Said, Schedule, Simulation, Source, Step, Whole,
};

const INDEX: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// Answers every GET with an empty index, and counts what reaches it.
fn counting(count: &Rc<Cell<u32>>) -> impl Handler + use<> {
    let count = Rc::clone(count);
    Whole::new(move |_: Instant, _: Request<Bytes>| {
        count.set(count.get() + 1);
        let answer = Response::builder().header("content-type", "application/vnd.oci.image.index.v1+json");
        answer.body(Bytes::from_static(INDEX.as_bytes())).unwrap()
    })
}

fn pull() -> Operation<&'static str> {
    let (registry, repository) = ("registry.example".parse().unwrap(), "a/b".parse().unwrap());
    Operation::PullManifest { registry, repository, reference: ManifestReference::Tag("v1".parse().unwrap()) }
}

/// Pulls under a fault at the first request: what reached the handler, what the client heard first, and when it was done.
fn under(fault: Fault) -> (u32, Said<&'static str>, Duration) {
    let count = Rc::new(Cell::new(0));
    let faults = Schedule::list([(1, fault)]);
    let mut simulation = Simulation::new(3, counting(&count)).faults(faults);
    let mut client = Client::new(Options::default());
    let operation = client.start(pull());
    assert!(matches!(simulation.run(&mut client, operation), Ok(Receipt::Pulled(_))), "{}", simulation.transcript());
    let heard = simulation
        .transcript()
        .entries
        .iter()
        .find(|entry| entry.request == 1 && matches!(entry.what, Said::Answered { .. } | Said::Failed(_)));
    (count.get(), heard.unwrap().what.clone(), simulation.now().since(Instant::ZERO))
}

#[test]
fn every_fault_does_what_it_says() {
    let (reached, heard, _) = under(Fault::NotSent);
    assert!(reached == 1 && matches!(heard, Said::Failed(NoAnswer::NotSent(_))));
    let (reached, heard, _) = under(Fault::RequestLost);
    assert!(reached == 1 && matches!(heard, Said::Failed(NoAnswer::Lost(_))));
    let (reached, heard, _) = under(Fault::AnswerLost);
    assert!(reached == 2 && matches!(heard, Said::Failed(NoAnswer::Lost(_))));
    let (reached, heard, took) = under(Fault::RequestLate(Duration::from_secs(9)));
    assert!(reached == 2 && matches!(heard, Said::Failed(NoAnswer::Lost(_))));
    assert!(took >= Duration::from_secs(9), "it arrives after the client is done");
    let (reached, heard, _) = under(Fault::Twice);
    assert!(reached == 2 && matches!(heard, Said::Answered { .. }));
    let (reached, heard, _) = under(Fault::AnswerCut(5));
    assert!(reached == 2 && matches!(heard, Said::Answered { answer, end: End::Cut } if answer.body().len() == 5));
    let (reached, heard, took) = under(Fault::Slow(Duration::from_secs(60)));
    assert!(reached == 1 && took >= Duration::from_secs(60) && matches!(heard, Said::Answered { .. }));
    let (reached, heard, took) = under(Fault::Status(StatusCode::SERVICE_UNAVAILABLE, Some(7)));
    assert!(reached == 1 && took >= Duration::from_secs(7));
    assert!(matches!(heard, Said::Answered { answer, .. } if answer.headers()["retry-after"] == "7"));
}

/// Gives no answer to the first request, and an empty index to the others.
struct SilentOnce(bool);

impl Handler for SilentOnce {
    fn open(&mut self, _: Instant, _: ExchangeId, _: Parts) -> Option<Reply> {
        None
    }

    fn piece(&mut self, _: Instant, _: ExchangeId, _: Bytes) -> Option<Reply> {
        None
    }

    fn close(&mut self, _: Instant, _: ExchangeId, _: BodyEnd) -> Reply {
        if std::mem::replace(&mut self.0, true) {
            let answer = Response::builder().header("content-type", "application/vnd.oci.image.index.v1+json");
            return answer.body(Bytes::from_static(INDEX.as_bytes())).unwrap().into();
        }
        let mut answer = Response::new(Bytes::from_static(b"nobody is to see this"));
        *answer.status_mut() = StatusCode::NOT_FOUND;
        Reply { answer, fault: Some(Fault::AnswerLost) }
    }
}

#[test]
fn no_fault_of_the_way_brings_an_answer_that_the_handler_does_not_give() {
    for fault in [Fault::AnswerCut(5), Fault::Slow(Duration::from_secs(60)), Fault::BodyChanged(Bytes::new())] {
        let faults = Schedule::list([(1, fault)]);
        let mut simulation = Simulation::new(3, SilentOnce(false)).faults(faults);
        let mut client = Client::new(Options::default());
        let operation = client.start(pull());
        assert!(
            matches!(simulation.run(&mut client, operation), Ok(Receipt::Pulled(_))),
            "{}",
            simulation.transcript()
        );
        let mut said = simulation.transcript().entries.iter().filter(|entry| entry.request == 1);
        assert!(said.any(|entry| matches!(entry.what, Said::Failed(NoAnswer::Lost(_)))), "{}", simulation.transcript());
    }
}

/// A registry that stores blobs by chunks and knows nothing else.
#[derive(Default)]
struct Stores {
    digester: Option<Digester>,
    cut: u32,
    heads: BTreeMap<ExchangeId, Parts>,
}

impl Handler for Stores {
    fn open(&mut self, _: Instant, id: ExchangeId, head: Parts) -> Option<Reply> {
        self.heads.insert(id, head);
        None
    }

    fn piece(&mut self, _: Instant, id: ExchangeId, bytes: Bytes) -> Option<Reply> {
        if self.heads[&id].uri.path().contains("/uploads/") {
            self.digester.get_or_insert_with(|| Digester::new(Algorithm::Sha256)).update(&bytes);
        }
        None
    }

    fn close(&mut self, _: Instant, id: ExchangeId, how: BodyEnd) -> Reply {
        self.cut += u32::from(how == BodyEnd::Cut);
        let status = match self.heads.remove(&id).unwrap().method {
            Method::GET | Method::HEAD => StatusCode::NOT_FOUND,
            Method::POST | Method::PATCH => StatusCode::ACCEPTED,
            _ => StatusCode::CREATED,
        };
        let answer = Response::builder().status(status).header("location", "/v2/a/b/blobs/uploads/1");
        answer.body(Bytes::new()).unwrap().into()
    }
}

fn fill(offset: u64, into: &mut [u8]) {
    into.iter_mut().zip(offset..).for_each(|(byte, at)| *byte = (at % 251) as u8);
}

#[test]
fn a_blob_that_nobody_holds_streams_out_of_a_pipe() {
    const LEN: u64 = 64 << 20;
    let mut options = Options::default();
    options.chunk = 1 << 20;
    let mut client = Client::new(options);
    let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap());
    let operation = client.start(push.blob(Blob::unknown("pipe", Algorithm::Sha256)));
    let pipe = Source::made(LEN, fill).one_shot(Algorithm::Sha256);
    let mut simulation = Simulation::new(1, Stores::default()).source("pipe", pipe);
    let mut digested = None;
    loop {
        match simulation.step(&mut client) {
            Step::Event(Event::BlobDigested { digest, size, .. }) => digested = Some((digest, size)),
            Step::Done { operation: ended, result } => {
                assert!(ended == operation && result.is_ok(), "{result:?}");
                break;
            }
            Step::Worked | Step::Event(_) => {}
            Step::Idle => panic!("it hangs\n{}", simulation.transcript()),
        }
    }
    assert_eq!(client.in_flight(), 0);
    assert!(simulation.source_of(&"pipe").unwrap().most_in_hand() <= 1 << 20);
    let stored = simulation.handler.digester.take().unwrap();
    assert_eq!((stored.len(), digested), (LEN, Some((stored.finish(), LEN))));
}

#[test]
fn a_body_that_is_cut_is_cut_for_the_handler_too() {
    let bytes = vec![7; 500_000];
    let digest = Digest::of(Algorithm::Sha256, &bytes);
    let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap());
    let push = push.blob(Blob::known("blob", digest, 500_000));
    let mut client = Client::new(Options::default());
    let operation = client.start(push);
    let mut simulation = Simulation::new(1, Stores::default()).source("blob", Source::bytes(bytes));
    simulation = simulation.faults(Schedule::list([(2, Fault::BodyCut(70_000))]));
    assert!(simulation.run(&mut client, operation).is_ok(), "{}", simulation.transcript());
    assert_eq!(simulation.handler.cut, 1);
}

#[test]
fn every_order_but_time_is_told_by_its_choices() {
    for order in [Order::First, Order::Last, Order::Random, Order::Script(vec![1, 0])] {
        let count = Rc::new(Cell::new(0));
        let mut simulation = Simulation::new(3, counting(&count)).order(order);
        let mut client = Client::new(Options::default());
        let operations: Vec<_> = (0..3).map(|_| client.start(pull())).collect();
        let results = simulation.run_all(&mut client, operations);
        assert_eq!((results.len(), count.get()), (3, 3));
        assert_eq!(simulation.choices().len(), 3);
    }
}

#[test]
#[should_panic(expected = "the client hangs")]
fn a_client_that_waits_for_nothing_is_told_of() {
    let mut client: Client<&str> = Client::new(Options::default());
    // A push that was left open waits for more.
    let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap()).open();
    let operation = client.start(push);
    let _ = Simulation::new(1, Stores::default()).run(&mut client, operation);
}

#[test]
#[should_panic(expected = "goes round in circles")]
fn a_simulation_that_has_no_end_is_stopped() {
    let count = Rc::new(Cell::new(0));
    let mut client = Client::new(Options::default());
    let operation = client.start(pull());
    let _ = Simulation::new(1, counting(&count)).step_limit(3).run(&mut client, operation);
}

#[test]
fn a_source_that_breaks_ends_the_push() {
    let push = Push::new("registry.example".parse().unwrap(), "a/b".parse().unwrap());
    let blob = Blob::known("blob", Digest::of(Algorithm::Sha256, b"hello"), 5);
    let root = Manifest::parse(INDEX.as_bytes()).unwrap();
    let mut client = Client::new(Options::default());
    let operation = client.start(push.blob(blob).root(root));
    let mut simulation = Simulation::new(1, Stores::default()).source("blob", Source::bytes("hello").breaking_at(3));
    let failure = simulation.run(&mut client, operation).expect_err("it cannot be read");
    assert!(failure.to_string().contains("cannot be read"), "{failure}");
}
