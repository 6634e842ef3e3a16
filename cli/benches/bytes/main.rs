//! What a push costs on one machine: `cargo bench --profile dist -p longshore --bench bytes` prints the table of the README.
//!
//! The command, `curl -T`, and whichever of `oras`, `crane`, `regctl` and `skopeo` are on the `PATH` push the same bytes, in
//! turn, into a registry that throws them away, over HTTP and over TLS. Each number is the median of the rounds; the ratios are to
//! `curl`, which sends the bytes and nothing else. The registry is a process of its own, so the memory and the processor time of
//! a client are its own; how busy the registry was is in the last column. Nothing here fails for being slow.

mod clients;
mod content;
mod measure;
mod registry;

use std::path::Path;

use clients::{CLIENTS, Client};
use content::Content;
use measure::{Cost, cost_of};
use registry::{Registry, Scheme};

/// How often each client pushes; the median counts.
const ROUNDS: usize = 7;

fn main() {
    // Cargo adds a word of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(folder) = arguments.first().and_then(|argument| argument.strip_prefix("serve=")) {
        return registry::serve(Path::new(folder));
    }
    let folder = tempfile::tempdir().expect("there is a folder for what is made");
    let contents = [
        Content::make(folder.path(), "1.25 GiB in 3 layers", 3, (1280 << 20) / 3),
        Content::make(folder.path(), "200 layers of 64 KiB", 200, 64 << 10),
    ];
    let (clients, absent): (Vec<&Client>, Vec<&Client>) = CLIENTS.iter().partition(|client| client.is_installed());
    for client in absent {
        println!("SKIPPED: {} is not on the PATH", client.name);
    }
    println!(
        "| what | over | client | wall | CPU | peak memory | wall / curl | CPU / curl | registry's CPU | both cores busy |"
    );
    println!("|---|---|---|---:|---:|---:|---:|---:|---:|---:|");
    for content in &contents {
        for scheme in [Scheme::Http, Scheme::Https] {
            compare(&clients, content, &Registry::start(folder.path(), scheme), &arguments);
        }
    }
}

/// Lets the clients push in turn, and prints a row for each. With arguments only those whose name holds one of them.
fn compare(clients: &[&Client], content: &Content, registry: &Registry, wanted: &[String]) {
    let is_wanted =
        |client: &&&Client| wanted.is_empty() || wanted.iter().any(|part| client.name.contains(part.as_str()));
    let clients: Vec<&&Client> = clients.iter().filter(is_wanted).collect();
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); clients.len()];
    for round in 0..ROUNDS {
        for (client, costs) in clients.iter().zip(&mut costs) {
            let command = client.command(registry, content, &format!("round-{round}"));
            costs.push(cost_of(command, registry.process()).unwrap_or_else(|why| panic!("{}: {why}", client.name)));
        }
    }
    let medians: Vec<Cost> = costs.iter().map(|costs| Cost::median(costs)).collect();
    let curl = clients.iter().position(|client| client.name == clients::CURL).map(|at| medians[at]);
    for (client, cost) in clients.iter().zip(&medians) {
        let ratio = |of: fn(&Cost) -> f64| curl.map_or_else(String::new, |curl| format!("{:.2}", of(cost) / of(&curl)));
        println!(
            "| {} | {} | {} | {:.3} s | {:.3} s | {:.1} MiB | {} | {} | {:.2} s | {:.0} % |",
            content.what,
            registry.scheme.name(),
            client.name,
            cost.wall,
            cost.cpu,
            cost.peak_mib,
            ratio(|cost| cost.wall),
            ratio(|cost| cost.cpu),
            cost.registry_cpu,
            100.0 * (cost.cpu + cost.registry_cpu) / (2.0 * cost.wall),
        );
    }
}
