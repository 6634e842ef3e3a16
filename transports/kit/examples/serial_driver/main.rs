//! The serial driver under the transport kit.

mod driver;

use longshore_core::{Algorithm, Failure, Receipt};
use longshore_sources::{SerialDriver, Sink, Source};
use longshore_transport_kit::{Capabilities, Content, Work, check};

fn main() {
    let report = check(Capabilities::none(), |_site| serial);
    println!("{report}");
    report.assert();
}

/// Lets a new driver do the kit's work.
fn serial(work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>> {
    let sinks = work.sinks.into_iter().map(|(key, sink)| (key, Sink::opened_by(move || sink.open())));
    SerialDriver::new(work.options, driver::send)
        .sources(work.contents.into_iter().map(|(key, content)| (key, source(content))))
        .sinks(sinks)
        .credentials(move |registry, repository, stale| work.credentials.look_up(registry, repository, stale))
        .run(work.operations)
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
