//! Memory does not grow with a blob: pushes blobs of unknown digest that are made as they are read, and prints the peak.
//!
//! `cargo bench -p longshore-conformance --bench flat` pushes 64 MiB, then 10 GiB, through the client, the simulation and
//! the mock registry in one process, and prints after each how much memory the process ever held (Linux only).

use longshore_conformance::Mock;
use longshore_core::{Algorithm, Blob, Client, Event, Manifest, Options, Push, Receipt, Supply};
use longshore_memory::{Simulation, Source, Step};
use longshore_mock_registry as mock;

const MIB: u64 = 1024 * 1024;

fn main() {
    for len in [64 * MIB, 10 * 1024 * MIB] {
        let requests = push(len);
        println!("{:6} MiB of unknown digest: {requests} requests, peak {}", len / MIB, peak());
    }
}

fn push(len: u64) -> u64 {
    let registry = mock::Registry::with_storage(
        mock::RegistryOptions::default(),
        Box::new(mock::storage::DiscardingStorage::default()),
    )
    .expect("it holds nothing yet");
    let source = Source::made(len, |offset, out| out.fill((offset / 4096) as u8)).one_shot(Algorithm::Sha256);
    let mut simulation = Simulation::new(1, Mock::around(registry)).source("pipe", source);
    let mut client = Client::new(Options::default());
    let push = Push::new("registry.example".parse().expect("a constant"), "library/app".parse().expect("a constant"));
    let push = push.tag("v1".parse().expect("a constant")).blob(Blob::unknown("pipe", Algorithm::Sha256)).open();
    let operation = client.start(push);
    loop {
        match simulation.step(&mut client) {
            Step::Event(Event::BlobDigested { digest, size, .. }) => {
                let blob = format!(r#"{{"mediaType":"application/octet-stream","digest":"{digest}","size":{size}}}"#);
                let manifest = Manifest::parse(format!(r#"{{"schemaVersion":2,"config":{blob},"layers":[]}}"#));
                let root = Supply::Root(manifest.expect("an image"));
                for supply in [root, Supply::End] {
                    client.supply(operation, supply).expect("the push was left open");
                }
            }
            Step::Done { result: Ok(Receipt::Pushed(pushed)), .. } => return pushed.requests,
            Step::Done { result, .. } => panic!("{result:?}"),
            Step::Idle => panic!("the push hangs"),
            Step::Worked | Step::Event(_) => {}
        }
    }
}

/// The most memory that this process ever held.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown on this system".to_owned(), |peak| peak.trim().to_owned())
}
