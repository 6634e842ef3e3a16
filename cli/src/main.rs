//! `longshore`: push container images to any OCI registry; a registry to try it with; a demonstration of both.
#![forbid(unsafe_code)]

mod advice;
mod args;
mod artifact;
mod attach;
mod check;
mod conformance;
mod connection;
mod credentials;
mod demo;
mod exit;
mod files;
mod judge;
mod learned;
mod mock;
mod output;
mod probe;
mod profile;
mod progress;
mod pull;
mod push;
mod referrers;
mod resume;
mod rm;
mod seed;
mod signals;
mod size;
mod stdin;
mod trace;
mod unknown_blob;

use std::process::ExitCode;

use args::{Arguments, Command};
use exit::Error;

fn main() -> ExitCode {
    match start(Arguments::read().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::say(format!("error: {error}"));
            error.status()
        }
    }
}

fn start(command: Command) -> Result<(), Error> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Error::failed(format!("the system gives no threads: {error}")))?;
    let result = runtime.block_on(run(command));
    // Does not wait for a thread that is blocked in a read.
    runtime.shutdown_background();
    result
}

async fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::Push(arguments) => push::run(arguments).await,
        Command::Pull(arguments) => pull::run(arguments).await,
        Command::Artifact(arguments) => artifact::run(arguments).await,
        Command::Attach(arguments) => attach::run(arguments).await,
        Command::Referrers(arguments) => referrers::run(arguments).await,
        Command::Check(arguments) => check::run(arguments).await,
        Command::Rm(arguments) => rm::run(arguments).await,
        Command::Conformance(arguments) => conformance::run(arguments).await,
        Command::Probe(arguments) => probe::run(arguments).await,
        Command::Judge(arguments) => judge::run(arguments).await,
        Command::Mock(arguments) => mock::run(arguments).await,
        Command::Demo(arguments) => demo::run(&arguments).await,
    }
}
