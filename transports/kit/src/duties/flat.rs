//! Duties about memory, which must not grow with the size of a blob.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use longshore_core::{Algorithm, Blob, Digest, Operation, Push};

use super::requests::empty_registry;
use super::{Duty, Over};
use crate::failure::shown;
use crate::server::plan::{Answer, AnswerBody};
use crate::trial::{Protocol, Trial, ensure, options, repository};
use crate::work::{Content, Sink, Work};

pub(super) const DUTIES: &[Duty] = &[
    Duty {
        name: "flat-push",
        what: "A blob of 1 GiB is sent with constant memory: the driver reads at most 64 MiB more than the server has received",
        over: Over::Only(&[Protocol::Plain, Protocol::Tls]),
        needs: None,
        check: flat_push,
    },
    Duty {
        name: "flat-pull",
        what: "A blob of 1 GiB is pulled with constant memory: the driver receives at most 64 MiB more than it has written to the sink",
        over: Over::Sockets,
        needs: None,
        check: flat_pull,
    },
];

/// The largest number of bytes between the two ends: buffers of sockets and of the HTTP stack.
const AHEAD: u64 = 64 << 20;

/// The largest number of bytes by which the process may grow meanwhile, including the kit's own server.
const GROWTH: u64 = 128 << 20;

/// The size of the blob. Only one protocol gets the full size, because encryption only adds time.
fn size(protocol: Protocol) -> u64 {
    if protocol == Protocol::Plain { 1 << 30 } else { 128 << 20 }
}

/// Measures a difference and the memory of the process while a check runs.
struct Watch {
    is_over: Arc<AtomicBool>,
    thread: thread::JoinHandle<(u64, u64)>,
}

impl Watch {
    fn start(ahead: impl Fn() -> u64 + Send + 'static) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let before = resident();
        let thread = thread::spawn(move || {
            let (mut most, mut grown) = (0, 0);
            while !over.load(Ordering::SeqCst) {
                most = most.max(ahead());
                grown = grown.max(resident().zip(before).map_or(0, |(now, before)| now.saturating_sub(before)));
                thread::sleep(Duration::from_millis(1));
            }
            (most, grown)
        });
        Self { is_over, thread }
    }

    fn stop(self) -> Result<(), String> {
        self.is_over.store(true, Ordering::SeqCst);
        let (most, grown) = self.thread.join().map_err(|_| "the watch panicked".to_owned())?;
        ensure!(most < AHEAD, "{most} bytes were between the two ends at once");
        ensure!(grown < GROWTH, "the process grew by {grown} bytes");
        Ok(())
    }
}

/// The memory of this process, if the system reports it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes << 10)
}

fn flat_push(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let size = size(trial.protocol);
    let mut bench = trial.serve(empty_registry);
    let content = Content::made(size);
    // The registry of this check does not verify digests, so the digest may be wrong.
    let blob = Blob::known(1, Digest::of(Algorithm::Sha256, b"not hashed"), size);
    let push = Push::new(bench.registry.clone(), repository()).blob(blob);
    let received = bench.server().watch_received();
    let read = content.clone();
    let watch = Watch::start(move || read.read().saturating_sub(received()));
    let ended = bench.run_one(Work::new(options()).operation(push).content(1, content))?;
    watch.stop()?;
    ensure!(ended.is_ok(), "a blob of {size} bytes came to {}", shown(&ended));
    let arrived = bench.server().received();
    ensure!(arrived == size, "{arrived} bytes of {size} arrived");
    Ok(())
}

fn flat_pull(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let size = size(trial.protocol);
    let mut bench = trial.serve(move |_| {
        let mut answer = Answer::new(200, "");
        answer.body = AnswerBody::Made(size);
        answer
    });
    let sink = Sink::opened_by(|| Ok(Box::new(std::io::sink())));
    let (written, sent) = (sink.clone(), bench.server().watch_sent());
    let watch = Watch::start(move || sent().saturating_sub(written.written()));
    let (registry, repository, digest) = (bench.registry.clone(), repository(), Content::made(size).digest());
    let pull = Operation::PullBlob { registry, repository, digest, size: Some(size), sink: 1 };
    let ended = bench.run_one(Work::new(options()).operation(pull).sink(1, sink))?;
    watch.stop()?;
    ensure!(ended.is_ok(), "a blob of {size} bytes came to {}", shown(&ended));
    Ok(())
}
