//! The driver over raw hyper under the transport kit.

mod driver;
mod exchange;

use std::sync::Arc;

use driver::{Ended, drive};
use exchange::Shared;
use longshore_core::{Algorithm, Client};
use longshore_sources::{Sink, Source};
use longshore_transport_kit::{Capabilities, Content, Work, check};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::{mpsc, oneshot};

fn main() {
    let capabilities = Capabilities::none().tls().concurrent().early_answers().abort().tls_end();
    let report = check(capabilities, |site| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let (runtime, tls) = (runtime.expect("a runtime can be made"), tls(&site.ca_pem));
        move |work: Work| runtime.block_on(run(tls.clone(), work))
    });
    println!("{report}");
    report.assert();
}

async fn run(tls: tokio_rustls::TlsConnector, work: Work) -> Vec<Ended> {
    let sources = work.contents.into_iter().map(|(key, content)| (key, source(content))).collect();
    let sinks = work.sinks.into_iter().map(|(key, sink)| (key, Sink::opened_by(move || sink.open()))).collect();
    let (inputs, told) = mpsc::unbounded_channel();
    let (commands, asked) = mpsc::unbounded_channel();
    let shared = Shared { sources, sinks, credentials: work.credentials, tls, inputs };
    let driver = tokio::spawn(drive(Client::new(work.options), Arc::new(shared), told, asked));
    let mut waiting = Vec::new();
    for operation in work.operations {
        let (caller, result) = oneshot::channel();
        drop(commands.send((operation, caller)));
        waiting.push(result);
    }
    let mut ended = Vec::new();
    for result in waiting {
        ended.push(result.await.expect("the driver answers"));
    }
    drop(commands);
    driver.await.expect("the driver ends when its client is idle");
    ended
}

fn tls(ca_pem: &str) -> tokio_rustls::TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("it is a certificate")).expect("of a CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("ring knows them").with_root_certificates(roots).with_no_client_auth();
    Arc::new(config).into()
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
