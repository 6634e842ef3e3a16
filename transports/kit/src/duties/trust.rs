//! Duties about the identity of the server.

use longshore_core::Scheme;
use longshore_core::driver::NoAnswer;

use super::{Duty, Needs, Over};
use crate::driver::Ended;
use crate::failure::{no_answer, shown};
use crate::server::Listening;
use crate::server::plan::Answer;
use crate::server::tls::Ca;
use crate::trial::{Bench, Protocol, TAGS, Trial, ensure, list_tags, options};
use crate::work::Work;

pub(super) const DUTIES: &[Duty] = &[
    Duty {
        name: "untrusted",
        what: "A certificate of another CA or for another name is reported as untrusted, and nothing is sent",
        over: Over::Only(&[Protocol::Tls]),
        needs: Some(Needs::Tls),
        check: untrusted,
    },
    Duty {
        name: "tls-or-not",
        what: "Plain HTTP to a TLS server, and TLS to a plain HTTP server, are reported as untrusted and not repeated",
        over: Over::Only(&[Protocol::Tls]),
        needs: Some(Needs::Tls),
        check: tls_or_not,
    },
];

fn untrusted(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let stranger = Ca::new();
    let configs = [
        ("of another CA", stranger.server("127.0.0.1", &["http/1.1"])),
        ("for another name", trial.ca.server("kit.invalid", &["http/1.1"])),
    ];
    for (what, tls) in configs {
        let listening = Listening { tls: Some(tls), cut_request: None };
        let mut bench = trial.serve_over(listening, |_| Answer::json(200, TAGS));
        let list = bench.list_tags();
        refused(&mut bench, list, &format!("a certificate {what}"))?;
    }
    Ok(())
}

fn tls_or_not(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    for (listening, scheme) in [(trial.listening(), Scheme::Http), (Listening::default(), Scheme::Https)] {
        let mut bench = trial.serve_over(listening, |_| Answer::json(200, TAGS));
        let list = list_tags(&bench.registry.clone().with_scheme(scheme));
        refused(&mut bench, list, &format!("{} spoken to a server of the other", scheme.as_str()))?;
    }
    Ok(())
}

fn refused(bench: &mut Bench, list: longshore_core::Operation<u32>, what: &str) -> Result<(), String> {
    let mut work = Work::new(options()).operation(list);
    work.options.attempts = 3;
    let ended: Ended = bench.run_one(work)?;
    let is_told = matches!(no_answer(&ended), Some(NoAnswer::Untrusted(_)));
    ensure!(is_told, "{what} came to {}", shown(&ended));
    let (seen, connections) = (bench.seen().len(), bench.server().connections());
    ensure!(seen == 0, "a request was sent in spite of {what}");
    ensure!(connections == 1, "with {what} {connections} connections were made");
    Ok(())
}
