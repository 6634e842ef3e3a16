//! Drivers that are broken on purpose, by the saboteurs of the conformance suite: the kit finds each in the duty that it
//! breaks.

#[path = "../examples/serial_driver/driver.rs"]
mod driver;

use std::collections::BTreeMap;
use std::time::Instant as Clock;

use longshore_conformance::saboteur::{self, Sabotage, Saboteur};
use longshore_core::driver::{Body, Input, Keep, Limits, NoAnswer, OperationId, Output, RequestId};
use longshore_core::http::{Method, Request, Response, header};
use longshore_core::{Algorithm, Client, Failure, Instant, Receipt};
use longshore_sources::{IncomingAnswer, SerialDriver, Sink, Source, Sources};
use longshore_transport_kit::{Capabilities, Content, Work, check_duties};

/// Those that a driver may be.
fn saboteurs() -> Vec<Saboteur<u32>> {
    let all = saboteur::all::<u32>().into_iter();
    all.filter(|saboteur| !saboteur.duty.is_empty()).collect()
}

#[test]
fn each_saboteur_is_found_by_the_duty_that_it_breaks() {
    let saboteurs = saboteurs();
    assert!(saboteurs.len() >= 12, "there are only {}", saboteurs.len());
    for saboteur in saboteurs {
        let wanted = |name: &str| name == saboteur.duty;
        let report = check_duties(Capabilities::none(), wanted, |_site| move |work: Work| run(saboteur, work));
        assert_eq!(report.broken(), [saboteur.duty], "{saboteur:?} was not found\n{report}");
    }
}

#[test]
fn the_same_driver_without_a_saboteur_holds_the_same_duties() {
    let saboteurs = saboteurs();
    let wanted = |name: &str| saboteurs.iter().any(|saboteur| saboteur.duty == name);
    let report = check_duties(Capabilities::none(), wanted, |_site| {
        |mut work: Work| {
            let (sources, sinks) = opened(&mut work);
            SerialDriver::new(work.options, driver::send)
                .sources(sources)
                .sinks(sinks)
                .credentials(move |registry, repository, stale| work.credentials.look_up(registry, repository, stale))
                .run(work.operations)
        }
    });
    report.assert();
    assert_eq!(report.results().len(), saboteurs.len());
}

/// The sources and the sinks.
type Opened = (BTreeMap<u32, Source>, BTreeMap<u32, Sink>);

fn opened(work: &mut Work) -> Opened {
    let source = |content: Content| match content.len() {
        Some(len) => Source::opened_by(len, move |from| content.open(from)),
        None => Source::reader(content.open(0).unwrap(), Algorithm::Sha256),
    };
    let sinks = std::mem::take(&mut work.sinks).into_iter();
    (
        std::mem::take(&mut work.contents).into_iter().map(|(key, content)| (key, source(content))).collect(),
        sinks.map(|(key, sink)| (key, Sink::opened_by(move || sink.open()))).collect(),
    )
}

/// The loop of a serial driver, with a saboteur between it and its client.
fn run(saboteur: Saboteur<u32>, mut work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>> {
    let (sources, sinks) = opened(&mut work);
    let sources: Sources<u32> = sources.into_iter().collect();
    let (mut client, mut sabotage) = (Client::new(work.options), Sabotage::new(&saboteur));
    let start = Clock::now();
    let operations: Vec<OperationId> = work.operations.into_iter().map(|operation| client.start(operation)).collect();
    let mut results = BTreeMap::new();
    loop {
        let now = Instant::ZERO + start.elapsed();
        let input = match sabotage.poll(&mut client, now) {
            Output::Send { id, request, keep, limits } => {
                let told = exchange(&mut client, &sources, |key| sinks.get(key).cloned(), (id, request, keep, limits));
                told.unwrap_or_else(|why| Input::Failed { id, why })
            }
            Output::Read { operation, blob, from, up_to } => sources.answer_read(operation, blob, from, up_to),
            Output::Ask { id, registry, repository, stale } => {
                let answer = work.credentials.look_up(&registry, repository.as_ref(), stale);
                Input::Credentials { id, answer }
            }
            Output::Done { operation, result } => {
                results.insert(operation, result);
                continue;
            }
            Output::Wait(Some(deadline)) => {
                std::thread::sleep(deadline.at.since(now));
                continue;
            }
            Output::Wait(None) => break,
            Output::Abort { .. } | Output::Event(_) => continue,
        };
        sabotage.handle(&mut client, input);
    }
    operations.iter().filter_map(|operation| results.remove(operation)).collect()
}

/// An [`Output::Send`].
type Sending = (RequestId, Request<Body<u32>>, Keep<u32>, Limits);

fn exchange(
    client: &mut Client<u32>,
    sources: &Sources<u32>,
    sink: impl FnOnce(&u32) -> Option<Sink>,
    (id, request, keep, limits): Sending,
) -> Result<Input<u32>, NoAnswer> {
    let (head, body) = request.into_parts();
    let is_head = head.method == Method::HEAD;
    let answer = driver::send(Request::from_parts(head, sources.body(&body)?), limits)?;
    sources.rest_ended(&body).into_iter().for_each(|ended| client.handle(ended));
    let (head, incoming) = answer.into_parts();
    let len = head.headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse().ok());
    let answer = IncomingAnswer::new(id, Response::from_parts(head, ()), keep, limits, sink)?;
    answer.read(incoming, if is_head { Some(0) } else { len })
}
