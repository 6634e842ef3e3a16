//! Every single fault, two faults at a time, and faults at random: all of them, or a share.
//!
//! ```text
//! cargo run --profile suite -p longshore-conformance --example faults -- singles
//! cargo run --profile suite -p longshore-conformance --example faults -- doubles --shard 3/4096
//! cargo run --profile suite -p longshore-conformance --example faults -- swarm --seeds 1000..2000
//! cargo run --profile suite -p longshore-conformance --example faults -- saboteurs
//! cargo run --profile suite -p longshore-conformance --example faults -- list
//! ```
//!
//! `--registry NAME` takes one registry alone, and `--flow NAME` one flow. All processors are used. What is found is
//! printed, each rule once a fault, with a transcript and a test that shows it again; then the exit status is 1.

mod arguments;
mod run;
mod saboteurs;

use std::process::ExitCode;

use longshore_conformance::exhaustive::{Stage, double, kind, stages};

use arguments::{Arguments, Mode};

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let stages: Vec<Stage> = stages().filter(|stage| arguments.wants(stage.registry, stage.flow)).collect();
    let (registries, flows, requests) = counts(&stages);
    let kinds = kind::all().len();
    println!("{flows} flows at {registries} registries: {requests} requests in {} stages", stages.len());
    match arguments.mode {
        Mode::List => {
            list(&stages);
            return ExitCode::SUCCESS;
        }
        Mode::Singles => {
            let sum: u64 = stages.iter().map(Stage::singles).sum();
            println!("{requests} requests x {kinds} kinds of faults = {sum} cases");
            assert_eq!(sum, requests * kinds as u64, "the sum is that of its own tables");
        }
        Mode::Doubles => {
            let sum: u64 = stages.iter().map(double::count).sum();
            println!("{sum} cases of two faults");
        }
        Mode::Saboteurs => return saboteurs::all(),
        Mode::Swarm => println!("{} seeds for each stage", arguments.seeds.end - arguments.seeds.start),
    }
    let report = run::all(&stages, &arguments);
    report.print();
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn counts(stages: &[Stage]) -> (usize, usize, u64) {
    let distinct =
        |name: fn(&Stage) -> &'static str| stages.iter().map(name).collect::<std::collections::BTreeSet<_>>().len();
    (distinct(|stage| stage.registry), distinct(|stage| stage.flow), stages.iter().map(|stage| stage.requests).sum())
}

fn list(stages: &[Stage]) {
    for stage in stages {
        println!(
            "{:20} {:40} {:3} requests, {} pairs",
            stage.registry,
            stage.flow,
            stage.requests,
            double::count(stage)
        );
    }
    for kind in kind::all() {
        let may = if kind.may_fail_for.is_empty() { "passes".to_owned() } else { kind.may_fail_for.join(" or ") };
        println!("{:60} {may}", kind.name);
    }
    for (name, same) in kind::SEEN_AS {
        println!("{name:60} is no kind of its own: a client sees what it sees of {same}");
    }
}
