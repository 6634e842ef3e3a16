//! Duties about broken connections.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use longshore_core::driver::NoAnswer;
use longshore_core::{Algorithm, Blob, Digest, Operation, Push};

use super::requests::empty_registry;
use super::{Duty, Needs, Over};
use crate::failure::{is_lost, no_answer, shown};
use crate::server::plan::{Answer, Framing, Plan, Reply, SeenRequest, Then};
use crate::trial::{Protocol, TAGS, Trial, ensure, list_tags, options, repository};
use crate::work::{Content, Sink, Work, made};

pub(super) const DUTIES: &[Duty] = &[
    Duty {
        name: "answer-cut",
        what: "An answer that is cut at any byte is reported as lost, and never as complete",
        over: Over::Sockets,
        needs: None,
        check: answer_cut,
    },
    Duty {
        name: "request-cut",
        what: "A request whose connection ends at any byte is reported as lost, and never as not sent after all of it has arrived",
        over: Over::Sockets,
        needs: None,
        check: request_cut,
    },
    Duty {
        name: "closed-early",
        what: "An answer to a request whose body is not read is reported, or the connection is reported as lost: the request is never reported as not sent",
        over: Over::Sockets,
        needs: None,
        check: closed_early,
    },
    Duty {
        name: "stale-connection",
        what: "A kept connection that has ended in the meantime costs at most one attempt",
        over: Over::Sockets,
        needs: None,
        check: stale_connection,
    },
    Duty {
        name: "refused-connection",
        what: "If nothing listens at the address, the request is reported as not sent",
        over: Over::Sockets,
        needs: None,
        check: refused_connection,
    },
    Duty {
        name: "cleanup",
        what: "After an operation has ended the driver polls until the client is idle: an upload that will not be finished is cancelled",
        over: Over::Sockets,
        needs: None,
        check: cleanup,
    },
    Duty {
        name: "cut-under-tls",
        what: "A body without a length is reported as cut if its TLS connection ends without `close_notify`",
        over: Over::Only(&[Protocol::Tls]),
        needs: Some(Needs::TlsEnd),
        check: cut_under_tls,
    },
];

fn answer_cut(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    for framing in [Framing::Length, Framing::Chunked] {
        let mut bench = trial.serve(move |seen| {
            let mut answer = Answer::json(200, TAGS).framed(framing);
            answer.cut = Some(seen.number as u64);
            answer
        });
        let (list, mut taken_for_whole) = (bench.list_tags(), None);
        for cut in 0.. {
            let ended = bench.run_one(Work::new(options()).operation(list.clone()))?;
            let all = bench.settled();
            let seen = all.len();
            ensure!(seen == cut + 1, "{seen} requests were seen where {} were asked for", cut + 1);
            let is_whole = all[cut].is_answered && bench.server().is_last_answer_whole();
            if is_whole {
                ensure!(ended.is_ok(), "a whole answer came to {}", shown(&ended));
                // The chunk with zero bytes is the end (RFC 9112, section 8). The empty line after it adds nothing.
                let tolerated = if framing == Framing::Chunked { cut - 2 } else { cut };
                let early = taken_for_whole.filter(|early| *early < tolerated);
                ensure!(
                    early.is_none(),
                    "an answer of {cut} bytes was taken for whole when {early:?} of them had come"
                );
                break;
            }
            if ended.is_ok() {
                taken_for_whole.get_or_insert(cut);
            } else {
                ensure!(is_lost(&ended), "an answer that was cut after {cut} bytes came to {}", shown(&ended));
            }
            ensure!(cut < 2000, "the answer never became whole");
        }
    }
    Ok(())
}

fn request_cut(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut whole = trial.serve(empty_registry);
    let delete = |registry| {
        let what = longshore_core::Deletion::Blob(Digest::of(Algorithm::Sha256, b"kit"));
        Operation::Delete { registry, repository: repository(), what }
    };
    whole.run_one(Work::new(options()).operation(delete(whole.registry.clone())))?.map_err(|why| why.to_string())?;
    let total = whole.server().last_gate().map_or(0, |gate| gate.read());
    let mut listening = trial.listening();
    listening.cut_request = Some(Arc::new(|connection| connection as u64));
    let mut bench = trial.serve_over(listening, |_| Plan::reply(Reply::Close));
    let registry = bench.registry.clone();
    // A driver may replace a connection that ends at once by a new one before it sends anything.
    while (bench.server().connections() as u64) <= total {
        let before = bench.seen().len();
        let ended = bench.run_one(Work::new(options()).operation(delete(registry.clone())))?;
        let (cut, arrived) = (bench.server().connections().saturating_sub(1), bench.seen().len() - before);
        let is_unsent = matches!(no_answer(&ended), Some(NoAnswer::NotSent(_)));
        let is_right = is_lost(&ended) || (is_unsent && arrived == 0);
        ensure!(is_right, "a request of {total} bytes that was cut after {cut} came to {}", shown(&ended));
        ensure!(arrived <= 1, "a request whose connection ended was sent {arrived} times");
    }
    let mut bench = trial.serve(|seen| match seen.method.as_str() {
        "PUT" => Plan::reply(Reply::Close).taking(seen.number as u64 % 41),
        _ => empty_registry(seen).into(),
    });
    for cut in 0..40 {
        let content = Content::made(40);
        let push = Push::new(bench.registry.clone(), repository()).blob(Blob::known(1, content.digest(), 40));
        let mut work = Work::new(options()).operation(push).content(1, content);
        (work.options.sessions, work.options.single_post) = (1, 0);
        let ended = bench.run_one(work)?;
        ensure!(ended.is_err(), "a body of 40 bytes that was cut after {cut} came to {}", shown(&ended));
        let is_unsent = matches!(no_answer(&ended), Some(NoAnswer::NotSent(_)));
        ensure!(!is_unsent, "a request of which the head arrived came to {}", shown(&ended));
    }
    Ok(())
}

fn closed_early(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const SIZE: u64 = 8 << 20;
    let error = r#"{"errors":[{"code":"DENIED","message":"the kit says no"}]}"#;
    let mut bench = trial.serve(move |seen| match seen.method.as_str() {
        "PUT" => Plan::from(Answer::json(403, error).then(Then::Close)).taking(1000),
        _ => empty_registry(seen).into(),
    });
    let push = Push::new(bench.registry.clone(), repository()).blob(Blob::known(
        1,
        Digest::of(Algorithm::Sha256, b"nobody hashes it"),
        SIZE,
    ));
    let mut work = Work::new(options()).operation(push).content(1, Content::made(SIZE));
    work.options.sessions = 1;
    let ended = bench.run_one(work)?;
    let is_unsent = matches!(no_answer(&ended), Some(no_answer) if !matches!(no_answer, NoAnswer::Lost(_)));
    ensure!(ended.is_err() && !is_unsent, "an answer before the end of the body came to {}", shown(&ended));
    Ok(())
}

fn stale_connection(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut bench = trial.serve(|_| Answer::json(200, TAGS).then(Then::Close));
    let list = bench.list_tags();
    for number in 1..=5 {
        let mut work = Work::new(options()).operation(list.clone());
        work.options.attempts = 3;
        let ended = bench.run_one(work)?;
        ensure!(ended.is_ok(), "after a connection that ended, a request came to {}", shown(&ended));
        // Over HTTP/2 the connection may end before a sent answer arrives, and the request is made again.
        let answered = bench.settled().iter().filter(|seen| seen.is_answered).count();
        ensure!(
            answered == number || trial.protocol == Protocol::Http2,
            "{answered} requests were answered where {number} were asked for"
        );
        // Sometimes long enough for the end of the connection to arrive. Both cases must work.
        sleep(Duration::from_millis(if number % 2 == 0 { 20 } else { 0 }));
    }
    Ok(())
}

fn refused_connection(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut bench = trial.serve(|_| Answer::json(200, TAGS));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let closed = closed.map_err(|error| error.to_string())?.to_string();
    let registry: longshore_core::Registry = closed.parse().expect("an address is a registry");
    let registry = registry.with_scheme(bench.registry.origin().scheme());
    let ended = bench.run_one(Work::new(options()).operation(list_tags(&registry)))?;
    let is_told = matches!(no_answer(&ended), Some(NoAnswer::NotSent(_)));
    ensure!(is_told, "a connection that was refused came to {}", shown(&ended));
    Ok(())
}

fn cleanup(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut bench = trial.serve(empty_registry);
    let broken = Content::opened_by(1000, |_| Err(std::io::Error::other("the disk is gone")));
    let digest = Digest::of(Algorithm::Sha256, b"never read");
    let push = Push::new(bench.registry.clone(), repository()).blob(Blob::known(1, digest, 1000));
    let mut work = Work::new(options()).operation(push).content(1, broken);
    work.options.single_post = 0;
    let ended = bench.run_one(work)?;
    ensure!(matches!(no_answer(&ended), Some(NoAnswer::Source(_))), "a source that is gone came to {}", shown(&ended));
    // A driver may finish its last request after it has returned its result.
    let begin = std::time::Instant::now();
    while count(&bench.seen(), "DELETE") == 0 && begin.elapsed() < Duration::from_secs(1) {
        sleep(Duration::from_millis(1));
    }
    let (opened, cancelled) = (count(&bench.seen(), "POST"), count(&bench.seen(), "DELETE"));
    ensure!(opened == cancelled, "{opened} uploads were opened, and {cancelled} cancelled");
    Ok(())
}

fn count(seen: &[SeenRequest], method: &str) -> usize {
    seen.iter().filter(|seen| seen.method == method).count()
}

fn cut_under_tls(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    // The end of the connection is the end of the body, and an attacker on the network can end a connection.
    let mut bench = trial.serve(|_| Answer::new(200, made(1000)).framed(Framing::UntilClose).then(Then::Close));
    let (sink, _) = Sink::memory();
    let (registry, repository) = (bench.registry.clone(), repository());
    let digest = Digest::of(Algorithm::Sha256, &made(1000));
    let pull = Operation::PullBlob { registry, repository, digest, size: None, sink: 1 };
    let ended = bench.run_one(Work::new(options()).operation(pull).sink(1, sink))?;
    ensure!(
        is_lost(&ended),
        "a body that ended with TLS's connection, which did not say so, came to {}",
        shown(&ended)
    );
    Ok(())
}
