//! `longshore judge`: what a client does to registries, and what becomes of its pushes.

mod cell;
mod clients;
mod matrix;

use std::path::Path;

use longshore_conformance::page;
use longshore_core::content::Platform;
use longshore_mock_registry::fault::Faults;
use longshore_mock_registry::profile::{NAMES, Profile};
use longshore_mock_registry::report::{Check, CheckStatus, Report, ReportKind};
use longshore_sources::Source;
use longshore_sources::layout::Closure;
use longshore_sources::pack::{self, Compression, Layer, PackError};

use crate::args::JudgeArguments;
use crate::exit::Error;
use crate::signals::Signals;
use crate::{conformance, output, profile};
use cell::Setting;
use clients::JudgedClient;

/// What the layout's image is called.
const NAME: &str = "v1";

/// Faults that strike every client alike: by the number of the request, and by endpoint.
const FAULTS: &[&str] = &[
    "every#2: request-lost",
    "every#2: answer-lost",
    "every#3: status 503",
    "every#3: status 429 retry-after 1",
    "every#5: answer-reset",
    "end-4a#1: status 500",
    "end-6#1: answer-lost",
    "end-6#1: upload-gone",
    "end-6#2: body-cut 1000",
    "end-7a#1: status 502",
    "end-7a#1: answer-lost",
    "end-7a#1: blob-not-yet-visible",
];

/// Lets each client push to each registry, and prints what came of it.
pub(crate) async fn run(arguments: JudgeArguments) -> Result<(), Error> {
    let clients = match &arguments.clients {
        None => vec![clients::of_command(&arguments.command)],
        Some(path) => {
            let (clients, absent) = clients::of_file(path)?;
            for name in absent {
                output::say(format!("SKIPPED: {name} is not installed here"));
            }
            clients
        }
    };
    let profiles = profiles(&arguments)?;
    let faults = faults(&arguments)?;
    let folder = tempfile::tempdir().map_err(|error| Error::failed(format!("cannot make a folder: {error}")))?;
    let image = image().map_err(Error::failed)?;
    let layout = folder.path().join("layout");
    pack::write_layout(&layout, &image, NAME).map_err(Error::failed)?;
    let setting = Setting { image: &image, layout: &layout, time_limit: arguments.time_limit };
    let mut signals = Signals::listen()?;
    let judged = judge(&setting, &clients, &profiles, &faults);
    let (started, begun) = (std::time::SystemTime::now(), std::time::Instant::now());
    let checks = tokio::select! {
        checks = judged => checks?,
        signal = signals.next() => return Err(Error::stopped(signal, "stopped before all was judged")),
    };
    let kind = if clients.len() == 1 { ReportKind::Client } else { ReportKind::Matrix };
    let names: Vec<&str> = clients.iter().map(|client| client.name.as_str()).collect();
    let mut report = Report::new(kind, names.join(", "));
    for client in &clients {
        let (name, command) = (&client.name, client.command.join(" "));
        let version = if client.version.is_empty() { "" } else { &format!("{}, ", client.version) };
        report = report.with_property(name.clone(), format!("{version}called as {command}"));
    }
    report.started = Some(conformance::date(started));
    report.seconds = begun.elapsed().as_secs_f64();
    report.checks = checks;
    tell(&arguments, &report, &clients)
}

async fn judge(
    setting: &Setting<'_>,
    clients: &[JudgedClient],
    profiles: &[Profile],
    faults: &[Faults],
) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    for client in clients {
        for (at, profile) in profiles.iter().enumerate() {
            // Faults are judged against the first profile: what differs between registries is seen without.
            let faults = if at == 0 { faults } else { &[] };
            for fault in std::iter::once(None).chain(faults.iter().map(Some)) {
                let check = cell::judge(setting, client, profile, fault).await?;
                output::say(format!("{} {}: {}", check.status, check.id, check.title));
                checks.push(check);
            }
        }
    }
    Ok(checks)
}

fn profiles(arguments: &JudgeArguments) -> Result<Vec<Profile>, Error> {
    if !arguments.all_profiles {
        return arguments.profile.iter().map(|name| profile::named(name)).collect();
    }
    let mut names: Vec<&str> = NAMES.to_vec();
    // The one that faults are judged against.
    names.sort_by_key(|name| *name != "spec");
    names.into_iter().map(|name| Profile::named(name).map_err(Error::misuse)).collect()
}

fn faults(arguments: &JudgeArguments) -> Result<Vec<Faults>, Error> {
    let all = if arguments.all_faults { FAULTS } else { &[] };
    let texts = all.iter().copied().chain(arguments.fault.iter().map(String::as_str));
    texts.map(|text| text.parse::<Faults>().map_err(Error::misuse)).collect()
}

/// An index of two images that share a layer of a megabyte, each with a small layer of its own.
fn image() -> Result<Closure, PackError> {
    let many: String = (0..40_000_u32).map(|number| format!("{:08x}", number.wrapping_mul(2_654_435_761))).collect();
    let shared = Layer::new().with_file("shared", Source::bytes(many), 0o644).in_memory(Compression::Gzip)?;
    let images = ["amd64", "arm64"].map(|architecture| {
        let platform = Platform::new("linux", architecture, None);
        let own = Layer::new().with_file("own", Source::bytes(format!("for {platform}\n")), 0o644);
        pack::image(&platform, &[shared.clone(), own.in_memory(Compression::Gzip)?], &[])
    });
    pack::index(&images.into_iter().collect::<Result<Vec<Closure>, PackError>>()?)
}

fn tell(arguments: &JudgeArguments, report: &Report, clients: &[JudgedClient]) -> Result<(), Error> {
    let table = matrix::markdown(report, clients);
    if let Some(folder) = &arguments.output {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::failed(format!("cannot make the folder {}: {error}", folder.display())))?;
        let write = |name: &str, text: &str| conformance::write(Path::new(folder), name, text);
        write("matrix.md", &table)?;
        write("results.json", &report.to_json())?;
        write("report.html", &page::html(report))?;
        write("junit.xml", &report.to_junit().map_err(Error::failed)?)?;
    }
    if arguments.json {
        output::line(report.to_json())?;
    } else {
        for check in &report.checks {
            output::line(format!("{:<8} {}: {}", check.status, check.id, check.title))?;
            for seen in &check.evidence {
                let request = seen.request.map_or_else(String::new, |request| format!("request {request}: "));
                output::line(format!("           {request}{}", seen.sentence))?;
            }
        }
    }
    let failed = report.checks.iter().filter(|check| check.status == CheckStatus::Failed).count();
    match failed {
        0 => Ok(()),
        failed => Err(Error::failed(format!("{failed} of {} pushes did not go as they must", report.checks.len()))),
    }
}
