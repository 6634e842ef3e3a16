//! This driver keeps the contract with the core: the transport kit says so.

use longshore_core::{Algorithm, Failure, Receipt};
use longshore_reqwest::{Http, Session, Sink};
use longshore_sources::Source;
use longshore_transport_kit::{Capabilities, Work, check};

#[test]
fn the_driver_keeps_its_contract() {
    let report = check(Capabilities::none().http2().concurrent().early_answers().abort().tls_end(), |site| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let http = Http::builder().no_proxy().ca_pem(site.ca_pem.as_str()).build().unwrap();
        move |work: Work| runtime.block_on(run(&http, work))
    });
    if let Some(folder) = std::env::var_os("LONGSHORE_KIT_REPORTS") {
        std::fs::write(std::path::Path::new(&folder).join("reqwest"), report.lines()).unwrap();
    }
    println!("{report}");
    report.assert();
}

async fn run(http: &Http, work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>> {
    let find = work.credentials;
    let session = Session::builder(http.clone())
        .options(work.options)
        .credentials(move |registry, repository, stale| find.look_up(registry, repository, stale))
        .start();
    for (key, content) in work.contents {
        let source = match content.len() {
            Some(len) => Source::opened_by(len, move |from| content.open(from)),
            None => Source::reader(content.open(0).unwrap(), Algorithm::Sha256),
        };
        session.add_source(key, source);
    }
    for (key, sink) in work.sinks {
        session.add_sink(key, Sink::opened_by(move || sink.open()));
    }
    let running: Vec<_> = work.operations.into_iter().map(|operation| session.start(operation)).collect();
    let mut ended = Vec::new();
    for operation in running {
        ended.push(operation.await);
    }
    ended
}
