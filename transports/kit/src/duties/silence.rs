//! Duties about time: the only checks that wait.

use std::time::{Duration, Instant};

use longshore_core::{Blob, Push};

use super::requests::empty_registry;
use super::{Duty, Over};
use crate::failure::{is_lost, shown};
use crate::server::plan::{Answer, Pace, Plan, Reply, SLOW_MIB};
use crate::trial::{Protocol, TAGS, Trial, ensure, options, repository};
use crate::work::{Content, Work};

pub(super) const DUTIES: &[Duty] = &[
    Duty {
        name: "silence",
        what: "A connection without any bytes for the time of the limit is reported as lost, both before the answer and in the middle of it",
        over: Over::Sockets,
        needs: None,
        check: silence,
    },
    Duty {
        name: "slow-answer",
        what: "A slow answer without a pause as long as the limit is reported as complete",
        over: Over::Sockets,
        needs: None,
        check: slow_answer,
    },
    Duty {
        name: "late-answer",
        what: "An answer whose head comes late, and its body late again, is reported as complete: silence is counted anew after any bytes",
        over: Over::Sockets,
        needs: None,
        check: late_answer,
    },
    Duty {
        name: "slow-request",
        what: "A large body that the server reads slowly is sent to its end: as long as its bytes move, waiting for the answer is no silence",
        over: Over::Only(&[Protocol::Plain]),
        needs: None,
        check: slow_request,
    },
];

/// The limit that the checks set.
const LIMIT: Duration = Duration::from_millis(100);

fn silence(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut stalled = Answer::json(200, TAGS);
    stalled.stall = Some(5);
    for (when, plan) in [("before", Plan::reply(Reply::Silence)), ("in", Plan::from(stalled))] {
        let mut bench = trial.serve(move |_| plan.clone());
        let mut work = Work::new(options()).operation(bench.list_tags());
        work.options.limits.silence = LIMIT;
        let (begin, ended) = (Instant::now(), bench.run_one(work)?);
        let took = begin.elapsed();
        ensure!(is_lost(&ended), "silence {when} an answer came to {}", shown(&ended));
        ensure!(
            took >= LIMIT && took < LIMIT * 10,
            "silence {when} an answer was given up after {} ms, where the limit is {}",
            took.as_millis(),
            LIMIT.as_millis()
        );
    }
    Ok(())
}

fn slow_answer(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut paced = Answer::json(200, TAGS);
    // Twice the limit in total. HTTP stacks do not report single bytes of a head.
    paced.pace = Some(Pace { each: LIMIT * 2 / TAGS.len() as u32, head: false });
    let mut bench = trial.serve(move |_| paced.clone());
    let mut work = Work::new(options()).operation(bench.list_tags());
    work.options.limits.silence = LIMIT;
    let ended = bench.run_one(work)?;
    ensure!(ended.is_ok(), "an answer whose bytes came one by one came to {}", shown(&ended));
    Ok(())
}

fn late_answer(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const PAUSE: Duration = Duration::from_millis(180);
    let mut late = Answer::json(200, TAGS);
    late.late = Some(PAUSE);
    let mut bench = trial.serve(move |_| late.clone());
    let mut work = Work::new(options()).operation(bench.list_tags());
    // More than one pause, less than both.
    work.options.limits.silence = LIMIT * 3;
    let ended = bench.run_one(work)?;
    ensure!(
        ended.is_ok(),
        "an answer whose head came after {0} ms and its body {0} ms later, where the limit of silence is {1} ms, came to {2}",
        PAUSE.as_millis(),
        (LIMIT * 3).as_millis(),
        shown(&ended)
    );
    Ok(())
}

fn slow_request(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const PAUSE: Duration = Duration::from_millis(50);
    let mut bench = trial.serve(|seen| Plan::from(empty_registry(seen)).slowly(PAUSE));
    let content = Content::made((SLOW_MIB + 16) << 20);
    let blob = Blob::known(1, content.digest(), (SLOW_MIB + 16) << 20);
    let push = Push::new(bench.registry.clone(), repository()).blob(blob);
    let mut work = Work::new(options()).operation(push).content(1, content);
    // Less than half of what the pauses take together.
    work.options.limits.silence = PAUSE * 10;
    let ended = bench.run_one(work)?;
    ensure!(
        ended.is_ok(),
        "a body that was sent for {} ms or more, where the limit of silence is {}, came to {}",
        (PAUSE * SLOW_MIB as u32).as_millis(),
        (PAUSE * 10).as_millis(),
        shown(&ended)
    );
    Ok(())
}
