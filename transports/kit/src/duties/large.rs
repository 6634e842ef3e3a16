//! Duties about several requests at once, large bodies and aborted requests.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use longshore_core::{Algorithm, Blob, Digest, Operation, Push, Receipt};
use tokio::sync::Barrier;

use super::requests::empty_registry;
use super::{Duty, Needs, Over};
use crate::failure::shown;
use crate::server::plan::{Answer, AnswerBody, Plan, Then};
use crate::trial::{Bench, Protocol, TAGS, Trial, ensure, options, repository};
use crate::work::{Content, Sink, Work};

pub(super) const DUTIES: &[Duty] = &[
    Duty {
        name: "many-operations",
        what: "Each of many operations gets its own answer",
        over: Over::Any,
        needs: None,
        check: many_operations,
    },
    Duty {
        name: "in-flight",
        what: "As many requests are in flight at once as the core sends",
        over: Over::Sockets,
        needs: Some(Needs::Concurrent),
        check: in_flight,
    },
    Duty {
        name: "early-answer",
        what: "An answer that arrives before the whole body was sent is reported at once, and no more of the body is sent",
        over: Over::Sockets,
        needs: Some(Needs::EarlyAnswers),
        check: early_answer,
    },
    Duty {
        name: "abort",
        what: "A request that is aborted ends: no more of its body is sent",
        over: Over::Sockets,
        needs: Some(Needs::Abort),
        check: abort,
    },
    Duty {
        name: "large-bodies",
        what: "A body of more than 64 KiB is sent over HTTP/1.1 even if HTTP/2 is offered, because HTTP/2 limits it to one window per round trip",
        over: Over::Only(&[Protocol::Http2]),
        needs: Some(Needs::Http2),
        check: large_bodies,
    },
    Duty {
        name: "large-answers",
        what: "Over HTTP/2 the server may send at least 2 MiB of an answer before any of it is read, because a smaller window limits a pull to one window per round trip",
        over: Over::Only(&[Protocol::Http2]),
        needs: Some(Needs::Http2),
        check: large_answers,
    },
];

fn many_operations(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut bench = trial.serve(|seen| {
        let name = seen.target.split('/').nth(2).unwrap_or_default().to_owned();
        Answer::json(200, format!(r#"{{"name":"{name}","tags":["of-{name}"]}}"#))
    });
    let mut work = Work::new(options());
    for number in 0..40 {
        let repository = format!("r{number}").parse().expect("it is a repository");
        let registry = bench.registry.clone();
        work = work.operation(Operation::ListTags { registry, repository });
    }
    for (number, ended) in bench.run(work)?.into_iter().enumerate() {
        let is_right = matches!(&ended, Ok(Receipt::Tags(tags)) if tags.iter().map(ToString::to_string).eq([format!("of-r{number}")]));
        ensure!(is_right, "operation {number} of 40 came to {ended:?}");
    }
    Ok(())
}

fn in_flight(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const TOGETHER: usize = 4;
    let barrier = Arc::new(Barrier::new(TOGETHER));
    // The core may send one request ahead of the others.
    let mut bench = trial.serve(move |seen| {
        let mut plan = Plan::from(Answer::json(200, TAGS));
        plan.barrier = (seen.number > 0).then(|| Arc::clone(&barrier));
        plan
    });
    let mut work = Work::new(options());
    work.options.in_flight = TOGETHER;
    for _ in 0..=TOGETHER {
        work = work.operation(bench.list_tags());
    }
    for ended in bench.run(work)? {
        ensure!(ended.is_ok(), "with {TOGETHER} requests that are answered together, one came to {}", shown(&ended));
    }
    Ok(())
}

/// A blob that is not hashed.
fn unhashed(bench: &Bench, name: &[u8], key: u32, size: u64) -> Blob<u32> {
    let digest = Digest::of(Algorithm::Sha256, &[name, bench.registry.origin().authority().as_bytes()].concat());
    Blob::known(key, digest, size)
}

fn early_answer(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const SIZE: u64 = 128 << 20;
    let error = r#"{"errors":[{"code":"DENIED","message":"the kit says no"}]}"#;
    for status in [401, 403] {
        let mut bench = trial.serve(move |seen| match seen.method.as_str() {
            "PUT" => Plan::from(Answer::json(status, error).then(Then::ReadOn)).taking(0),
            _ => empty_registry(seen).into(),
        });
        let push = Push::new(bench.registry.clone(), repository()).blob(unhashed(&bench, b"early", 1, SIZE));
        let mut work = Work::new(options()).operation(push).content(1, Content::made(SIZE));
        work.options.sessions = 1;
        let ended = bench.run_one(work)?;
        let is_told = matches!(&ended, Err(failure) if failure.to_string().contains("the kit says no"));
        ensure!(is_told, "an answer {status} before the end of the body came to {}", shown(&ended));
        let sent = bench.server().received();
        ensure!(sent < SIZE, "all of the body was sent after the answer had come");
    }
    Ok(())
}

fn abort(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    // If the registry seems slow, the core sends one large body at a time, and there is nothing to abort.
    for _ in 0..3 {
        if abort_once(trial)? {
            break;
        }
    }
    Ok(())
}

/// Whether a body was being sent when it was aborted.
fn abort_once(trial: &mut Trial<'_, '_>) -> Result<bool, String> {
    // More than can be sent in the time that an abort may take. A client that never aborts fails all the same.
    const SIZE: u64 = 8 << 30;
    let mut bench = trial.serve(|seen| {
        let mut answer = empty_registry(seen);
        // One upload each, so that one is aborted and the other is not.
        let upload = format!("/v2/a/blobs/uploads/{}", seen.number);
        answer
            .fields
            .iter_mut()
            .filter(|(name, _)| name == "location")
            .for_each(|(_, value)| value.clone_from(&upload));
        answer
    });
    let endless = Content::made(SIZE);
    let watched = endless.clone();
    // The larger one is sent first, and it fails while the other is being sent.
    let failing = Content::opened_by(SIZE + 1, move |_| {
        let begin = Instant::now();
        while watched.read() == 0 && begin.elapsed() < Duration::from_secs(2) {
            sleep(Duration::from_millis(1));
        }
        Err::<Box<dyn Read + Send>, _>(std::io::Error::other("the disk is gone"))
    });
    let push = Push::new(bench.registry.clone(), repository())
        .blob(unhashed(&bench, b"endless", 1, SIZE))
        .blob(unhashed(&bench, b"failing", 2, SIZE + 1));
    let work = Work::new(options()).operation(push).content(1, endless.clone()).content(2, failing);
    let ended = bench.run_one(work)?;
    let is_told = matches!(&ended, Err(failure) if failure.to_string().contains("the disk is gone"));
    ensure!(is_told, "a push of which a source fails came to {}", shown(&ended));
    let begin = Instant::now();
    loop {
        let before = bench.server().received();
        sleep(Duration::from_millis(50));
        if bench.server().received() == before {
            break;
        }
        ensure!(
            begin.elapsed() < Duration::from_secs(2),
            "a body was sent on for two seconds after its request was aborted"
        );
    }
    let whole = bench.seen().into_iter().find(|seen| seen.body.is_whole && seen.body.len > 0);
    ensure!(whole.is_none(), "a body that was given up ended as if it were whole: {whole:?}");
    Ok(endless.read() > 0)
}

fn large_bodies(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const SIZE: u64 = 1 << 20;
    let mut bench = trial.serve(empty_registry);
    let content = Content::made(SIZE);
    let push = Push::new(bench.registry.clone(), repository()).blob(Blob::known(1, content.digest(), SIZE));
    let ended = bench.run_one(Work::new(options()).operation(push).content(1, content))?;
    ensure!(ended.is_ok(), "a blob of 1 MiB came to {}", shown(&ended));
    let over = bench.seen().into_iter().find(|seen| seen.body.len > 64 << 10).map(|seen| seen.is_http2);
    ensure!(over == Some(false), "a body of 1 MiB went over HTTP/2");
    Ok(())
}

fn large_answers(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const SIZE: u64 = 8 << 20;
    const WINDOW: u64 = 2 << 20;
    let mut bench = trial.serve(|_| {
        let mut answer = Answer::new(200, "");
        answer.body = AnswerBody::Made(SIZE);
        answer
    });
    let (sent, untaken) = (bench.server().watch_sent(), Arc::new(AtomicU64::new(0)));
    let seen = Arc::clone(&untaken);
    // Nothing is written before all bytes that can arrive without it have arrived.
    let sink = Sink::opened_by(move || {
        let begin = Instant::now();
        while sent() < WINDOW && begin.elapsed() < Duration::from_secs(1) {
            sleep(Duration::from_millis(1));
        }
        seen.store(sent(), Ordering::SeqCst);
        Ok(Box::new(std::io::sink()))
    });
    let (registry, repository, digest) = (bench.registry.clone(), repository(), Content::made(SIZE).digest());
    let pull = Operation::PullBlob { registry, repository, digest, size: Some(SIZE), sink: 1 };
    let ended = bench.run_one(Work::new(options()).operation(pull).sink(1, sink))?;
    ensure!(ended.is_ok(), "a blob of 8 MiB came to {}", shown(&ended));
    let untaken = untaken.load(Ordering::SeqCst);
    ensure!(untaken >= WINDOW, "only {untaken} bytes of an answer were sent before any of it was taken");
    Ok(())
}
