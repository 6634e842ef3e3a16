//! `longshore mock`: a registry on this machine.

mod load;
mod setup;

use std::io::{self, Write as _};
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use longshore_mock_registry::profile::Profile;
use longshore_mock_registry::report::{CheckStatus, Level, Report};
use longshore_mock_registry::server::{Server, Shared};
use tokio::sync::oneshot;

use crate::args::{Arguments, MockArguments};
use crate::exit::Error;
use crate::signals::Signals;
use crate::{files, output, profile};

/// How long requests may still run after the first signal.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until a signal comes, and says then what clients did wrong.
pub(crate) async fn run(arguments: MockArguments) -> Result<(), Error> {
    if profile::told(&arguments.profile)? {
        return Ok(());
    }
    for name in Arguments::unknown_variables() {
        output::say(format!(
            "warning: {name} is no option: each is named as --help has it, as in LONGSHORE_MOCK_LISTEN"
        ));
    }
    let profile = profile::load(&arguments.profile)?;
    let signals = Signals::listen()?;
    // What cannot be written at the end is said at the start.
    if let Some(path) = arguments.judge.as_deref().filter(|path| *path != Path::new("-")) {
        files::append_to(path).map_err(|error| unwritable(path, &error))?;
    }
    let server = server(&arguments, &profile).await?;
    if !server.address().ip().is_loopback() && arguments.auth.is_none() {
        output::say(format!("warning: everyone who can reach {} can push, pull and delete", server.address()));
    }
    let (shared, begin) = (server.shared(), Instant::now());
    output::line(server.url())?;
    if let Some((url, token)) = server.control() {
        output::line(format!("{url} {token}"))?;
    }
    serve(server, signals).await;
    judged(&arguments, &shared, begin.elapsed())
}

async fn server(arguments: &MockArguments, profile: &Profile) -> Result<Server, Error> {
    let listen = setup::addresses(&arguments.listen)?;
    let registry = setup::registry(arguments, profile)?;
    let failed = |what: &str, error: &io::Error| Error::failed(format!("cannot listen {what}: {error}"));
    let on = format!("on {}", arguments.listen);
    let mut server = Server::bind_all(&listen, registry).await.map_err(|error| failed(&on, &error))?;
    let ip = server.address().ip();
    // A test may set another profile at the control address, which may need the storage.
    if profile.needs_storage() || arguments.control.is_some() {
        server = server.with_storage((ip, 0).into()).await.map_err(|error| failed("for the storage", &error))?;
    }
    server = load::into(server, &arguments.layouts)?;
    if let Some(log) = setup::log(arguments)? {
        server = server.with_log(log);
    }
    if let Some(control) = &arguments.control {
        let address = setup::addresses(control)?[0];
        server = server.with_control(address).await.map_err(|error| failed("for control", &error))?;
    }
    if let Some(tls) = setup::tls(arguments, ip)? {
        server = server.with_tls(tls);
    }
    if let Some(url) = &arguments.external_url {
        server = server.with_external_url(url.clone());
    }
    if arguments.allow_cross_origin {
        server = server.with_cross_origin_requests();
    }
    Ok(arguments.allowed_hosts.iter().fold(server, Server::with_host))
}

/// Says what clients did wrong, where somebody wants to know.
fn judged(arguments: &MockArguments, shared: &Shared, time: Duration) -> Result<(), Error> {
    if arguments.judge.is_none() && !arguments.strict {
        return Ok(());
    }
    let mut report = {
        let registry = shared.lock();
        let report = registry.judge.report("the clients of this registry", registry.requests());
        report.with_property("faults", registry.options.faults.to_string())
    };
    report = report.with_property("profile", arguments.profile.profile.clone());
    report.seconds = time.as_secs_f64();
    if let Some(path) = &arguments.judge {
        write(path, &report)?;
    }
    if arguments.strict && report.breaks_a_must() {
        let broken = report.checks.iter().filter(|check| check.status.is_failure() && check.level == Level::Must);
        let rules: Vec<&str> = broken.map(|check| check.id.as_str()).collect();
        let count = report.count(Level::Must, CheckStatus::Failed);
        return Err(Error::failed(format!(
            "clients broke {count} of the rules that the spec makes a MUST: {}",
            rules.join(", ")
        )));
    }
    Ok(())
}

fn write(path: &Path, report: &Report) -> Result<(), Error> {
    if path == Path::new("-") {
        return output::line(report.to_json());
    }
    let text = match path.extension() {
        Some(extension) if extension == "xml" => report.to_junit().map_err(Error::failed)?,
        _ => report.to_json(),
    };
    let written = files::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::failed(format!("cannot write the report {}: {error}", path.display()))
}

/// After the first signal no more requests are taken in; those that run may come to their end.
async fn serve(server: Server, mut signals: Signals) {
    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = pin!(server.serve(async { drop(stopped.await) }));
    tokio::select! {
        () = &mut serving => return,
        _ = signals.next() => drop(stop),
    }
    tokio::select! {
        () = &mut serving => {}
        _ = signals.next() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
}
