//! `longshore conformance`: is a registry what the specification says?

mod client;
mod table;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use longshore_conformance::page;
use longshore_conformance::suite::{KnownFailures, PrivateBlob, Suite, SuiteOptions, requirements};
use longshore_core::Reference;
use longshore_core::target::Policy;
use longshore_mock_registry::report::Report;
use tokio::runtime::Handle;

use crate::args::ConformanceArguments;
use crate::credentials::Wallet;
use crate::exit::Error;
use crate::signals::Signals;
use crate::{connection, files, output};

pub(crate) use client::HttpClient;

/// Checks the registry, and prints what was found.
pub(crate) async fn run(arguments: ConformanceArguments) -> Result<(), Error> {
    if arguments.selection.list {
        return list(&arguments);
    }
    let reference = arguments.reference()?;
    let mut options = options(&arguments, &reference)?;
    let http = connection::http(&arguments.trust, &reference.registry.origin())?;
    let wallet = Wallet::open(&arguments.login, &reference)?;
    let looked_up = wallet.credentials(&reference.registry, Some(&reference.repository));
    options.credentials = looked_up.map_err(|error| Error::failed(error.0))?.map(Arc::new);
    if let Some(folder) = &arguments.runs.output {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::failed(format!("cannot make the folder {}: {error}", folder.display())))?;
    }
    let mut signals = Signals::listen()?;
    let stop = options.stop.clone();
    let started = SystemTime::now();
    let handle = Handle::current();
    let mut running = tokio::task::spawn_blocking(move || check(&HttpClient::new(http, handle), options));
    let report = tokio::select! {
        report = &mut running => report,
        signal = signals.next() => {
            stop.store(true, Ordering::Relaxed);
            output::say("stopping: what was stored is removed; once more to leave it");
            tokio::select! {
                _ = &mut running => return Err(Error::stopped(signal, "stopped before all was checked")),
                _ = signals.next() => return Err(Error::stopped(signal, "stopped; what was stored stays")),
            }
        }
    };
    let mut report = report.map_err(|_| Error::failed("the suite came to no end"))??;
    report.started = Some(date(started));
    tell(&arguments, &report)
}

fn check(client: &HttpClient, options: SuiteOptions) -> Result<Report, Error> {
    client.enter(&options)?;
    let selected = requirements().filter(|requirement| options.selects(requirement)).count();
    let bar = ProgressBar::with_draw_target(Some(selected as u64), ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {pos} of {len}  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let report = Suite::new(client, options)
        .on_found(|check| {
            bar.set_message(check.id.clone());
            bar.inc(1);
        })
        .run();
    bar.finish_and_clear();
    Ok(report)
}

fn options(arguments: &ConformanceArguments, reference: &Reference) -> Result<SuiteOptions, Error> {
    let mut options = SuiteOptions::new(reference.registry.origin(), reference.repository.clone());
    if let Some(second) = &arguments.runs.second_repository {
        options.second = second.clone();
    }
    options.seed = match arguments.runs.seed {
        Some(seed) => seed,
        None => crate::seed::random()?,
    };
    let allowed = arguments.trust.allowed_origins.iter().cloned();
    options.policy = allowed.fold(Policy::default(), Policy::allow_origin);
    options.version = arguments.selection.spec;
    options.level = arguments.selection.level.into();
    options.filters.clone_from(&arguments.selection.filter);
    options.parallel = arguments.runs.jobs.into();
    options.time_limit = arguments.runs.time_limit;
    options.known = known(arguments.selection.known_failures.as_deref())?;
    let private = arguments.selection.private_blob.clone();
    options.private = private.map(|(repository, digest)| PrivateBlob { repository, digest });
    if !requirements().any(|requirement| options.selects(requirement)) {
        let why = "no requirement is selected: none of this level and version has what --filter asks for in its id; `--list` shows all";
        return Err(Error::misuse(why));
    }
    Ok(options)
}

fn known(path: Option<&Path>) -> Result<KnownFailures, Error> {
    let Some(path) = path else { return Ok(KnownFailures::default()) };
    let text = files::read(path).and_then(|text| String::from_utf8(text).map_err(std::io::Error::other));
    let text = text.map_err(|error| Error::failed(format!("cannot read {}: {error}", path.display())))?;
    KnownFailures::parse(&text).map_err(|error| Error::misuse(format!("{}: {error}", path.display())))
}

/// A line for each requirement: id, level, version, endpoint, title.
fn list(arguments: &ConformanceArguments) -> Result<(), Error> {
    let registry = longshore_core::Registry::docker_hub().origin();
    let mut options = SuiteOptions::new(registry, "list".parse().map_err(Error::failed)?);
    options.version = arguments.selection.spec;
    options.level = arguments.selection.level.into();
    options.filters.clone_from(&arguments.selection.filter);
    for requirement in requirements().filter(|requirement| options.selects(requirement)) {
        let (id, level, title) = (requirement.id, requirement.level.to_string(), requirement.title);
        output::line(format!("{id:<44} {level:<7} {:<7} {title}", requirement.endpoint))?;
    }
    Ok(())
}

/// Prints and writes the report. It is an error if the registry breaks a MUST.
fn tell(arguments: &ConformanceArguments, report: &Report) -> Result<(), Error> {
    if let Some(folder) = &arguments.runs.output {
        write(folder, "results.json", &report.to_json())?;
        write(folder, "report.html", &page::html(report))?;
        write(folder, "junit.xml", &report.to_junit().map_err(Error::failed)?)?;
    }
    if arguments.runs.json {
        output::line(report.to_json())?;
    } else {
        for line in table::lines(report) {
            output::styled(line)?;
        }
    }
    match report.breaks_a_must() {
        true => Err(Error::failed("a MUST of the specification counts against the registry")),
        false => Ok(()),
    }
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = folder.join(name);
    files::create(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Error::failed(format!("cannot write {}: {error}", path.display())))
}

/// A moment as RFC 3339 has it, to the second.
pub(crate) fn date(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
