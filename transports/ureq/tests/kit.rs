//! This driver keeps the contract with the core: the transport kit says so.

use longshore_core::Algorithm;
use longshore_sources::Source;
use longshore_transport_kit::{Capabilities, Work, check};
use longshore_ureq::{Http, Session, Sink};

#[test]
fn the_driver_keeps_its_contract() {
    let report = check(Capabilities::none().tls().concurrent().abort(), |site| {
        let http = Http::builder().no_proxy().ca_pem(site.ca_pem.as_str()).build().unwrap();
        move |work: Work| run(&http, work)
    });
    if let Some(folder) = std::env::var_os("LONGSHORE_KIT_REPORTS") {
        std::fs::write(std::path::Path::new(&folder).join("ureq"), report.lines()).unwrap();
    }
    println!("{report}");
    report.assert();
}

fn run(http: &Http, work: Work) -> Vec<Result<longshore_core::Receipt<u32>, Box<longshore_core::Failure>>> {
    let find = work.credentials;
    let mut session = Session::builder(http.clone())
        .options(work.options)
        .credentials(move |registry, repository, stale| find.look_up(registry, repository, stale))
        .build();
    for (key, content) in work.contents {
        let source = match content.len() {
            Some(len) => Source::opened_by(len, move |from| content.open(from)),
            None => Source::reader(content.open(0).unwrap(), Algorithm::Sha256),
        };
        session.sources().insert(key, source);
    }
    session.sinks().extend(work.sinks.into_iter().map(|(key, sink)| (key, Sink::opened_by(move || sink.open()))));
    session.run_all(work.operations)
}
