//! This driver keeps the contract with the core, as far as it has no sockets: the transport kit says so.

use std::io::Read;

use bytes::Bytes;
use http::Request;
use longshore_core::{Algorithm, Client, Failure, Instant, Receipt};
use longshore_memory::{Simulation, Source, Whole};
use longshore_transport_kit::{Content, Handler, Work, check_in_memory};

#[test]
fn the_driver_keeps_its_contract() {
    let report = check_in_memory(|handler| move |work: Work| run(&handler, work));
    if let Some(folder) = std::env::var_os("LONGSHORE_KIT_REPORTS") {
        std::fs::write(std::path::Path::new(&folder).join("memory"), report.lines()).unwrap();
    }
    println!("{report}");
    report.assert();
}

fn run(handler: &Handler, work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>> {
    let (handler, find) = (handler.clone(), work.credentials);
    let other_side = Whole::new(move |_: Instant, request: Request<Bytes>| handler.answer(request));
    let mut simulation = Simulation::new(7, other_side)
        .credentials(move |registry, repository, stale| find.look_up(registry, repository, stale));
    for (key, content) in work.contents {
        simulation = simulation.source(key, source(content));
    }
    let mut client = Client::new(work.options);
    let operations: Vec<_> = work.operations.into_iter().map(|operation| client.start(operation)).collect();
    let mut results = simulation.run_all(&mut client, operations.iter().copied());
    for (key, sink) in work.sinks {
        if let Some(poured) = simulation.sink(&key) {
            sink.open().unwrap().write_all(poured).unwrap();
        }
    }
    operations.iter().map(|operation| results.remove(operation).unwrap()).collect()
}

fn source(content: Content) -> Source {
    match content.len() {
        Some(len) => Source::made(len, move |from, into| content.open(from).unwrap().read_exact(into).unwrap()),
        None => {
            let mut bytes = Vec::new();
            content.open(0).unwrap().read_to_end(&mut bytes).unwrap();
            Source::bytes(bytes).one_shot(Algorithm::Sha256)
        }
    }
}
