//! Drivers that are broken on purpose, by the saboteurs of the conformance suite: the kit finds each in the duty that it
//! breaks.

#[path = "../examples/serial_driver/driver.rs"]
#[allow(dead_code, reason = "the loop of this driver is replaced by one with a saboteur in it")]
mod driver;

use std::collections::BTreeMap;
use std::time::Instant as Clock;

use driver::SerialDriver;
use longshore_conformance::saboteur::{self, Sabotage, Saboteur};
use longshore_core::driver::{Input, OperationId, Output};
use longshore_core::{Algorithm, Client, Failure, Instant, Receipt};
use longshore_sources::{Sink, Source};
use longshore_transport_kit::{Capabilities, Work, check_duties};

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
        |work: Work| {
            let (driver, options, operations) = prepare(work);
            driver.run(Client::new(options), operations)
        }
    });
    report.assert();
    assert_eq!(report.results().len(), saboteurs.len());
}

type Operations = Vec<longshore_core::Operation<u32>>;

fn prepare(work: Work) -> (SerialDriver, longshore_core::Options, Operations) {
    let source = |content: longshore_transport_kit::Content| match content.len() {
        Some(len) => Source::opened_by(len, move |from| content.open(from)),
        None => Source::reader(content.open(0).unwrap(), Algorithm::Sha256),
    };
    let sources = work.contents.into_iter().map(|(key, content)| (key, source(content))).collect();
    let sinks = work.sinks.into_iter().map(|(key, sink)| (key, Sink::opened_by(move || sink.open()))).collect();
    (SerialDriver { sources, sinks, credentials: work.credentials }, work.options, work.operations)
}

/// The loop of a serial driver, with a saboteur between it and its client.
fn run(saboteur: Saboteur<u32>, work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>> {
    let (driver, options, operations) = prepare(work);
    let (mut client, mut sabotage) = (Client::new(options), Sabotage::new(&saboteur));
    let start = Clock::now();
    let operations: Vec<OperationId> = operations.into_iter().map(|operation| client.start(operation)).collect();
    let mut results = BTreeMap::new();
    loop {
        let now = Instant::ZERO + start.elapsed();
        let input = match sabotage.poll(&mut client, now) {
            Output::Send { id, request, keep, limits } => {
                let told = driver.exchange(&mut client, id, request, keep, limits);
                told.unwrap_or_else(|why| Input::Failed { id, why })
            }
            Output::Read { operation, blob, from, up_to } => driver.sources.answer_read(operation, blob, from, up_to),
            Output::Ask { id, registry, repository, stale } => {
                let answer = driver.credentials.look_up(&registry, repository.as_ref(), stale);
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
