//! One push of one client to one registry with one fault, and what came of it.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longshore_core::Origin;
use longshore_mock_registry::fault::Faults;
use longshore_mock_registry::profile::Profile;
use longshore_mock_registry::report::{Check, CheckStatus, Clause, Evidence, Level, RecordedExchange};
use longshore_mock_registry::server::{Log, Server};
use longshore_mock_registry::{Body, Registry, row_id};
use longshore_sources::layout::Closure;
use serde_json::Value;
use tokio::sync::oneshot;

use super::clients::{JudgedClient, own};
use crate::exit::Error;

/// How many bytes of what a client says are looked at.
const SAID: u64 = 64 * 1024;

/// What all cells share.
pub(super) struct Setting<'a> {
    pub(super) image: &'a Closure,
    pub(super) layout: &'a Path,
    pub(super) time_limit: Duration,
}

/// Lets a client push, and looks at what it did.
pub(super) async fn judge(
    setting: &Setting<'_>,
    client: &JudgedClient,
    profile: &Profile,
    faults: Option<&Faults>,
) -> Result<Check, Error> {
    let mut registry = Registry::new(profile.options());
    registry.options.faults = faults.cloned().unwrap_or_default();
    let cannot = |error: std::io::Error| Error::failed(format!("cannot start a registry: {error}"));
    let log = Lines::default();
    let mut server = Server::bind(Server::LOOPBACK, registry).await.map_err(cannot)?.with_log(Log::to(log.clone()));
    if profile.needs_storage() {
        server = server.with_storage(Server::LOOPBACK).await.map_err(cannot)?;
    }
    let (address, shared) = (server.address().to_string(), server.shared());
    let storage = shared.lock().options.storage.as_ref().map_or_else(|| address.clone(), Origin::authority);
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));

    let command = filled(&client.command, &address, &storage, setting.layout);
    let (begun, limit) = (Instant::now(), setting.time_limit);
    let ended = tokio::task::spawn_blocking(move || run(&command, limit)).await;
    let mut ended = ended.map_err(|_| Error::failed("the client could not be watched"))??;
    // Another run has other ones.
    for (given, name) in
        [(&*setting.layout.display().to_string(), "{layout}"), (&address, "{registry}"), (&storage, "{storage}")]
    {
        ended.said = ended.said.replace(given, name);
    }
    let took = begun.elapsed();
    drop(stop);
    // Requests that the client left behind are not waited for.
    serving.abort();

    let registry = shared.lock();
    let fault = faults.map_or_else(|| "no fault".to_owned(), ToString::to_string);
    let id = format!("{}/{}/{fault}", client.name, profile.name);
    let clause = Clause::other("A push that ends well has stored everything, byte for byte, and broke no rule");
    let mut check = Check::new(id, client.name.clone(), Level::Must, clause);
    check.seconds = took.as_secs_f64();
    check.exchanges = log.exchanges();
    check.curl = Some(client.command.join(" "));
    let missing = missing(&registry, setting.image);
    check.title = title(&check, &ended, missing);
    conclude(&mut check, &ended, missing, &registry, faults.is_some());
    Ok(check)
}

/// How a client ended.
struct Ended {
    /// Nothing where its time was over.
    status: Option<ExitStatus>,
    /// The last line that it said.
    said: String,
}

impl Ended {
    fn is_well(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

fn filled(command: &[String], registry: &str, storage: &str, layout: &Path) -> Vec<String> {
    let layout = layout.display().to_string();
    let fill =
        |word: &String| word.replace("{registry}", registry).replace("{storage}", storage).replace("{layout}", &layout);
    command.iter().map(fill).collect()
}

/// Runs the client to its end, or for as long as it may take.
fn run(command: &[String], limit: Duration) -> Result<Ended, Error> {
    let (program, arguments) = command.split_first().ok_or_else(|| Error::misuse("name a client"))?;
    let cannot = |error: std::io::Error| Error::failed(format!("cannot run {program}: {error}"));
    let mut said = tempfile::tempfile().map_err(cannot)?;
    let copy = |file: &File| file.try_clone().map(Stdio::from).map_err(cannot);
    let mut child = Command::new(own(program))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(copy(&said)?)
        .stderr(copy(&said)?)
        .spawn()
        .map_err(cannot)?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(cannot)? {
            break Some(status);
        }
        if begun.elapsed() > limit {
            child.kill().map_err(cannot)?;
            child.wait().map_err(cannot)?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut text = Vec::new();
    let len = said.seek(std::io::SeekFrom::End(0)).map_err(cannot)?;
    said.seek(std::io::SeekFrom::Start(len.saturating_sub(SAID))).map_err(cannot)?;
    said.take(SAID).read_to_end(&mut text).map_err(cannot)?;
    let last = String::from_utf8_lossy(&text).lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned);
    Ok(Ended { status, said: longshore_core::text::shown(&last.unwrap_or_default()) })
}

/// How many blobs and manifests of the image do not stand byte for byte, in the repository that has most of them.
fn missing(registry: &Registry, image: &Closure) -> usize {
    let all = image.blobs.len() + image.manifests.len();
    let standing = registry.state.repositories.values().map(|contents| {
        let blobs = image.blobs.iter().filter(|blob| {
            let digest = blob.descriptor.digest;
            let known = contents.blobs.get(&digest);
            let body = known.map(|known| Body::Blob { digest, range: 0..known.size });
            body.and_then(|body| registry.read(&body).ok()).is_some_and(|bytes| digest.matches(&bytes))
        });
        let manifests = image.manifests.iter().filter(|manifest| {
            contents.manifests.get(&manifest.digest()).is_some_and(|stored| stored.bytes == *manifest.bytes())
        });
        blobs.count() + manifests.count()
    });
    all - standing.max().unwrap_or_default().min(all)
}

fn title(check: &Check, ended: &Ended, missing: usize) -> String {
    let end = if ended.is_well() { "ended well" } else { "ended badly" };
    let stands = match missing {
        0 => "everything stands".to_owned(),
        1 => "1 part is missing".to_owned(),
        _ => format!("{missing} parts are missing"),
    };
    format!("{end}, {stands}, {} requests, {:.1} s", check.exchanges.len(), check.seconds)
}

fn conclude(check: &mut Check, ended: &Ended, missing: usize, registry: &Registry, with_fault: bool) {
    let mut see = |request: Option<u64>, row: Option<String>, sentence: String| {
        check.evidence.push(Evidence::new(sentence).about(request, row));
    };
    match ended.status {
        None => see(None, None, "it did not end in time".to_owned()),
        Some(status) if !status.success() => see(None, None, format!("it ended with {status}: {}", ended.said)),
        Some(_) => {}
    }
    if missing > 0 {
        see(None, None, format!("{missing} blobs or manifests do not stand byte for byte"));
    }
    for breach in &registry.judge.breaches {
        let sentence = format!("it broke {} ({}): {}", breach.rule, breach.level, breach.what);
        see(Some(breach.request), Some(row_id(breach.row).to_owned()), sentence);
    }
    for owed in &registry.judge.owed {
        see(None, None, format!("it owes the list {} in {} an entry for {}", owed.tag, owed.repository, owed.digest));
    }
    let breaks = registry.judge.at_least(Level::Must).next().is_some() || !registry.judge.owed.is_empty();
    let claims = ended.is_well() && missing > 0;
    check.status = match (ended.is_well() && missing == 0, breaks || claims) {
        (_, true) | (false, _) => CheckStatus::Failed,
        (true, false) if with_fault && registry.struck.is_empty() => CheckStatus::Skipped,
        (true, false) => CheckStatus::Passed,
    };
    if check.status == CheckStatus::Skipped {
        check.reason = Some("the fault struck none of its requests".to_owned());
    }
}

/// The lines of a registry's log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// The exchanges, as far as the log tells of them.
    fn exchanges(&self) -> Vec<RecordedExchange> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let records = lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        let mut records: Vec<Value> = records.collect();
        records.sort_by_key(|record| record["request"].as_u64().unwrap_or(u64::MAX));
        records.iter().map(exchange).collect()
    }
}

fn exchange(record: &Value) -> RecordedExchange {
    let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| record[name].as_u64().unwrap_or_default();
    let mut exchange = RecordedExchange::default();
    exchange.method = text("method");
    exchange.target = text("path");
    exchange.request_bytes = number("received");
    exchange.response_bytes = number("sent");
    exchange.status = u16::try_from(number("status")).ok();
    exchange.seconds = record["seconds"].as_f64().unwrap_or_default();
    let faults: Vec<&str> = record["faults"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    exchange.lost = (!faults.is_empty()).then(|| faults.join(", "));
    exchange
}
