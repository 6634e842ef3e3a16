//! Duties about answers.

use std::io::{self, Write};
use std::time::Duration;

use longshore_core::driver::NoAnswer;
use longshore_core::{Algorithm, Digest, Operation, Registry};

use super::{Duty, Over};
use crate::failure::{is_lost, is_too_large, no_answer, shown};
use crate::server::plan::{Answer, AnswerBody, Framing, Pace, Then};
use crate::trial::{Protocol, TAGS, Trial, ensure, list_tags, options, repository};
use crate::work::{Sink, Work, made};

pub(super) const DUTIES: &[Duty] = &[
    Duty {
        name: "answers",
        what: "Status, header fields and body of an answer are reported as they were received: nothing is decoded, and the body of an error is kept too",
        over: Over::Any,
        needs: None,
        check: answers,
    },
    Duty {
        name: "framing",
        what: "The end of an answer is found by its length, its chunks or the end of the connection; interim answers are skipped, and bytes may arrive one at a time",
        over: Over::Sockets,
        needs: None,
        check: framing,
    },
    Duty {
        name: "kept-bytes",
        what: "No more bytes of a body are kept than the core allows, to the byte",
        over: Over::Any,
        needs: None,
        check: kept_bytes,
    },
    Duty {
        name: "endless-answer",
        what: "An answer without an end is read up to the limit, and then aborted",
        over: Over::Sockets,
        needs: None,
        check: endless,
    },
    Duty {
        name: "head-limit",
        what: "A head with more fields or bytes than the limits allow is not reported as an answer",
        over: Over::Sockets,
        needs: None,
        check: head_limit,
    },
    Duty {
        name: "sink",
        what: "A blob is written to its sink unchanged and no further than its size, and the body of an error is not written",
        over: Over::Any,
        needs: None,
        check: sink,
    },
    Duty {
        name: "sink-again",
        what: "Each further attempt begins with an empty sink",
        over: Over::Sockets,
        needs: None,
        check: sink_again,
    },
    Duty {
        name: "broken-sink",
        what: "A sink that cannot be opened or written, or does not exist, is reported as such, and the request is not repeated",
        over: Over::Sockets,
        needs: None,
        check: broken_sink,
    },
];

fn answers(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut bench = trial.serve(|seen| {
        if seen.target.contains("last=") {
            Answer::json(200, r#"{"name":"a","tags":["v2"]}"#)
        } else {
            Answer::json(200, TAGS).field("link", "</v2/a/tags/list?last=v%31&n=1>; rel=\"next\"")
        }
    });
    let list = Work::new(options()).operation(bench.list_tags());
    let ended = bench.run_one(list)?;
    ensure!(shown(&ended) == "2 tags", "a list of two pages came to {}", shown(&ended));

    for status in [400, 403, 404, 409, 413, 418, 429, 500, 503] {
        let error = r#"{"errors":[{"code":"DENIED","message":"the kit says no"}]}"#;
        let mut bench = trial.serve(move |_| Answer::json(status, error));
        let list = Work::new(options()).operation(bench.list_tags());
        let ended = bench.run_one(list)?;
        let is_told = matches!(&ended, Err(failure) if failure.to_string().contains("the kit says no"));
        ensure!(is_told || status == 404, "an error's body with status {status} came to {}", shown(&ended));
    }

    // An HTTP stack must not decode this: a digest is of the bytes as they are stored.
    let content = made(1000);
    let digest = Digest::of(Algorithm::Sha256, &content);
    let mut bench = trial.serve(move |_| Answer::new(200, made(1000)).field("content-encoding", "gzip"));
    let (sink, memory) = Sink::memory();
    let pull = pull(&bench.registry, digest, Some(1000)).sink(1, sink);
    let ended = bench.run_one(pull)?;
    ensure!(ended.is_ok() && memory.take() == content, "a body of the coding gzip came to {}", shown(&ended));
    Ok(())
}

fn pull(registry: &Registry, digest: Digest, size: Option<u64>) -> Work {
    let (registry, repository) = (registry.clone(), repository());
    Work::new(options()).operation(Operation::PullBlob { registry, repository, digest, size, sink: 1 })
}

fn framing(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    for framing in [Framing::Length, Framing::Chunked, Framing::UntilClose] {
        let mut bench = trial.serve(move |_| Answer::json(200, TAGS).framed(framing));
        let list = bench.list_tags();
        for _ in 0..2 {
            let ended = bench.run_one(Work::new(options()).operation(list.clone()))?;
            ensure!(ended.is_ok(), "an answer with its end by {framing:?} came to {}", shown(&ended));
        }
    }
    let mut interim = Answer::json(200, TAGS);
    interim.interim = vec![103, 102, 103];
    let mut paced = Answer::json(200, TAGS);
    paced.pace = Some(Pace { each: Duration::from_millis(1), head: true });
    for (what, answer) in [("after interim ones", interim), ("in single bytes", paced)] {
        let mut bench = trial.serve(move |_| answer.clone());
        let list = Work::new(options()).operation(bench.list_tags());
        let ended = bench.run_one(list)?;
        ensure!(ended.is_ok(), "an answer {what} came to {}", shown(&ended));
    }
    Ok(())
}

fn kept_bytes(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const LIMIT: usize = 10_000;
    for size in [LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 70_000] {
        let mut bench = trial.serve(move |_| Answer::json(200, [TAGS, &" ".repeat(size - TAGS.len())].concat()));
        let mut work = Work::new(options()).operation(bench.list_tags());
        work.options.manifest_body = LIMIT;
        let ended = bench.run_one(work)?;
        let is_right = if size <= LIMIT { ended.is_ok() } else { is_too_large(&ended) };
        ensure!(is_right, "{size} bytes, of which {LIMIT} may be kept, came to {}", shown(&ended));
    }
    Ok(())
}

fn endless(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    for status in [200, 500] {
        let mut bench = trial.serve(move |_| {
            let mut answer = Answer::json(status, "");
            answer.body = AnswerBody::Endless;
            answer
        });
        let mut work = Work::new(options()).operation(bench.list_tags());
        (work.options.manifest_body, work.options.error_body) = (10_000, 10_000);
        let ended = bench.run_one(work)?;
        let is_right = ended.is_err() && no_answer(&ended).is_none();
        ensure!(is_right, "a body without an end, of status {status}, came to {}", shown(&ended));
        let sent = bench.server().last_gate().map_or(0, |gate| gate.written());
        ensure!(sent < 64 << 20, "{sent} bytes were taken of a body of which 10,000 may be kept");
    }
    Ok(())
}

fn head_limit(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let many = (0..200).fold(Answer::json(200, TAGS), |answer, i| answer.field(&format!("x-{i}"), "y"));
    let large = Answer::json(200, TAGS).field("x-kit", "y".repeat(70_000));
    // Over HTTP/2 fields are limited by their bytes.
    let heads = if trial.protocol == Protocol::Http2 { vec![large] } else { vec![many, large] };
    for answer in heads {
        let mut bench = trial.serve(move |_| answer.clone());
        let list = Work::new(options()).operation(bench.list_tags());
        let ended = bench.run_one(list)?;
        ensure!(is_lost(&ended), "a head past its limits came to {}", shown(&ended));
    }
    let small = (0..100).fold(Answer::json(200, TAGS), |answer, i| answer.field(&format!("x-{i}"), "y".repeat(300)));
    let mut bench = trial.serve(move |_| small.clone());
    let list = Work::new(options()).operation(bench.list_tags());
    let ended = bench.run_one(list)?;
    ensure!(ended.is_ok(), "a head within its limits came to {}", shown(&ended));
    Ok(())
}

fn sink(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    for size in [0, 1, 65_536, 300_001] {
        let content = made(size);
        let digest = Digest::of(Algorithm::Sha256, &content);
        let mut bench = trial.serve(move |_| Answer::new(200, made(size)));
        let (sink, memory) = Sink::memory();
        let work = pull(&bench.registry, digest, Some(size)).sink(1, sink);
        let ended = bench.run_one(work)?;
        ensure!(ended.is_ok() && memory.take() == content, "a blob of {size} bytes came to {}", shown(&ended));
        if let Some(said) = size.checked_sub(1) {
            let (sink, memory) = Sink::memory();
            let work = pull(&bench.registry, digest, Some(said)).sink(1, sink);
            let (ended, poured) = (bench.run_one(work)?, memory.take().len() as u64);
            ensure!(is_too_large(&ended), "{size} bytes of a blob of {said} came to {}", shown(&ended));
            let is_in_memory = trial.protocol == Protocol::Memory;
            ensure!(is_in_memory || poured <= said, "{poured} bytes of a blob of {said} were poured into its sink");
        }
    }
    let mut bench = trial.serve(|_| Answer::json(403, r#"{"errors":[{"code":"DENIED","message":"the kit says no"}]}"#));
    let (sink, memory) = Sink::memory();
    let work = pull(&bench.registry, Digest::of(Algorithm::Sha256, b""), None).sink(1, sink);
    let ended = bench.run_one(work)?;
    let is_told = matches!(&ended, Err(failure) if failure.to_string().contains("the kit says no"));
    ensure!(is_told && memory.take().is_empty(), "an error in place of a blob came to {}", shown(&ended));
    Ok(())
}

fn sink_again(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const SIZE: u64 = 100_000;
    let mut bench = trial.serve(|seen| {
        let mut answer = Answer::new(200, made(SIZE));
        answer.cut = (seen.number == 0).then_some(50_000);
        answer
    });
    let content = made(SIZE);
    let (sink, memory) = Sink::memory();
    let mut work = pull(&bench.registry, Digest::of(Algorithm::Sha256, &content), Some(SIZE)).sink(1, sink);
    work.options.attempts = 3;
    let ended = bench.run_one(work)?;
    ensure!(
        ended.is_ok() && memory.take() == content,
        "a blob that was cut, and then whole, came to {}",
        shown(&ended)
    );
    let requests = bench.seen().len();
    ensure!(requests == 2, "{requests} requests were seen, where the second was answered in full");
    Ok(())
}

fn broken_sink(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let content = made(100_000);
    let digest = Digest::of(Algorithm::Sha256, &content);
    let broken = [
        ("is not there", None),
        ("cannot be opened", Some(Sink::opened_by(|| Err(io::Error::other("the disk is gone"))))),
        ("cannot be written", Some(Sink::opened_by(|| Ok(Box::new(Full))))),
    ];
    for (how, sink) in broken {
        let mut bench = trial.serve(|_| Answer::new(200, made(100_000)).then(Then::Next));
        let mut work = pull(&bench.registry, digest, Some(100_000));
        work.options.attempts = 3;
        work.sinks.extend(sink.map(|sink| (1, sink)));
        let ended = bench.run_one(work)?;
        let is_told = matches!(no_answer(&ended), Some(NoAnswer::Sink(_)));
        ensure!(is_told, "a sink that {how} came to {}", shown(&ended));
        let requests = bench.seen().len();
        ensure!(requests <= 1, "with a sink that {how} {requests} requests were sent");
    }
    let mut bench = trial.serve(|_| Answer::json(200, TAGS));
    let list = Work::new(options()).operation(list_tags(&bench.registry));
    let ended = bench.run_one(list)?;
    ensure!(ended.is_ok(), "after broken sinks a list came to {}", shown(&ended));
    Ok(())
}

/// A sink that accepts no bytes.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
