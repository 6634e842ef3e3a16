//! The serial driver under the transport kit.

mod driver;

use driver::SerialDriver;
use longshore_core::{Algorithm, Client, Failure, Receipt};
use longshore_sources::{Sink, Source};
use longshore_transport_kit::{Capabilities, Content, Work, check};

fn main() {
    let report = check(Capabilities::none(), |_site| serial);
    println!("{report}");
    report.assert();
}

/// Lets a new driver do the kit's work.
fn serial(work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>> {
    let sources = work.contents.into_iter().map(|(key, content)| (key, source(content))).collect();
    let sinks = work.sinks.into_iter().map(|(key, sink)| (key, Sink::opened_by(move || sink.open()))).collect();
    let driver = SerialDriver { sources, sinks, credentials: work.credentials };
    driver.run(Client::new(work.options), work.operations)
}

fn source(content: Content) -> Source {
    match content.len() {
        Some(len) => Source::opened_by(len, move |from| content.open(from)),
        None => Source::reader(content.open(0).expect("the kit opens it"), Algorithm::Sha256),
    }
}

#[test]
fn the_driver_keeps_its_contract() {
    main();
}
