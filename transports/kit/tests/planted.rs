//! Drivers that are broken on purpose: the kit finds each fault, in the duty that it breaks.

#[path = "../examples/serial_driver/driver.rs"]
#[allow(dead_code, reason = "the loop of this driver is replaced by one with faults")]
mod driver;

use std::collections::BTreeMap;
use std::time::Instant as Clock;

use driver::{Exchange, SerialDriver};
use longshore_core::bytes::Bytes;
use longshore_core::driver::{Body, End, Input, Keep, Limits, NoAnswer, OperationId, Output, RequestId};
use longshore_core::http::{HeaderValue, Request};
use longshore_core::{Algorithm, Client, Failure, Instant, Receipt};
use longshore_sources::{Sink, Source};
use longshore_transport_kit::{Capabilities, Work, check_duties};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    ExtraField,
    FollowedRedirect,
    ShortBody,
    LongBody,
    LimitIgnored,
    SizeIgnored,
    SentAgain,
    CutTakenForWhole,
    LostTakenForUnsent,
    AnonymousAlways,
    SilenceIgnored,
    ResultLost,
}

const FAULTS: [(Fault, &str); 12] = [
    (Fault::ExtraField, "header-fields"),
    (Fault::FollowedRedirect, "no-redirect"),
    (Fault::ShortBody, "bodies"),
    (Fault::LongBody, "chunks"),
    (Fault::LimitIgnored, "kept-bytes"),
    (Fault::SizeIgnored, "sink"),
    (Fault::SentAgain, "no-repetition"),
    (Fault::CutTakenForWhole, "answer-cut"),
    (Fault::LostTakenForUnsent, "request-cut"),
    (Fault::AnonymousAlways, "credentials"),
    (Fault::SilenceIgnored, "silence"),
    (Fault::ResultLost, "many-operations"),
];

#[test]
fn each_fault_is_found_by_the_duty_that_it_breaks() {
    for (fault, duty) in FAULTS {
        let report =
            check_duties(Capabilities::none(), |name| name == duty, |_site| move |work: Work| run(fault, work));
        assert_eq!(report.broken(), [duty], "{fault:?} was not found\n{report}");
    }
}

#[test]
fn the_same_driver_without_a_fault_holds_the_same_duties() {
    let wanted = |name: &str| FAULTS.iter().any(|(_, duty)| *duty == name);
    let report = check_duties(Capabilities::none(), wanted, |_site| {
        |work: Work| {
            let (driver, options, operations) = prepare(work);
            driver.run(Client::new(options), operations)
        }
    });
    report.assert();
    assert_eq!(report.results().len(), FAULTS.len());
}

type Operations = Vec<longshore_core::Operation<u32>>;

fn prepare(work: Work) -> (SerialDriver, longshore_core::Options, Operations) {
    let source = |content: longshore_transport_kit::Content| match content.len() {
        Some(len) => Source::opened_by(len, move |from| content.open(from)),
        None => Source::reader(content.open(0).unwrap(), Algorithm::Sha256),
    };
    let sources = work.contents.into_iter().map(|(key, content)| (key, source(content))).collect();
    let sinks = work.sinks.into_iter().map(|(key, sink)| (key, Sink::opened_by(move || sink.open()))).collect();
    (SerialDriver { sources, sinks, credentials: work.credentials }, work.options, work.operations)
}

/// The loop of a serial driver, with a fault.
fn run(fault: Fault, work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>> {
    let (driver, options, operations) = prepare(work);
    let mut client = Client::new(options);
    let (start, reading) = (Clock::now(), BTreeMap::new());
    let operations: Vec<OperationId> = operations.into_iter().map(|operation| client.start(operation)).collect();
    let mut results = BTreeMap::new();
    loop {
        let now = Instant::ZERO + start.elapsed();
        match client.poll(now) {
            Output::Send { id, request, keep, limits } => {
                let mut exchange = Exchange { driver: &driver, client: &mut client, reading: &reading };
                let input = faulty(fault, &mut exchange, id, request, keep, limits);
                client.handle(input);
            }
            Output::Read { operation, blob, from, up_to } => {
                client.handle(driver.sources.answer_read(operation, blob, from, up_to));
            }
            Output::Ask { id, registry, repository, stale } => {
                let found = driver.credentials.look_up(&registry, repository.as_ref(), stale);
                let answer = if fault == Fault::AnonymousAlways { Ok(None) } else { found };
                client.handle(Input::Credentials { id, answer });
            }
            Output::Done { operation, result } => drop(results.insert(operation, result)),
            Output::Wait(Some(deadline)) => std::thread::sleep(deadline.at.since(now)),
            Output::Wait(None) => break,
            Output::Abort { .. } | Output::Event(_) => {}
        }
    }
    let skipped = usize::from(fault == Fault::ResultLost);
    operations.iter().skip(skipped).filter_map(|operation| results.remove(operation)).collect()
}

fn faulty(
    fault: Fault,
    exchange: &mut Exchange<'_>,
    id: RequestId,
    mut request: Request<Body<u32>>,
    keep: Keep<u32>,
    mut limits: Limits,
) -> Input<u32> {
    let again = clone(&request);
    match (fault, request.body_mut()) {
        (Fault::ExtraField, _) => {
            request.headers_mut().insert("x-request-id", HeaderValue::from_static("1"));
        }
        (Fault::ShortBody, Body::Blob { range, .. }) if range.end > range.start => {
            range.end -= 1;
            let len = range.end - range.start;
            request.headers_mut().insert("content-length", HeaderValue::from(len));
        }
        (Fault::LongBody, Body::Blob { range, .. }) if range.start > 0 => {
            range.start -= 1;
            let len = range.end - range.start;
            request.headers_mut().insert("content-length", HeaderValue::from(len));
        }
        (Fault::SilenceIgnored, _) => limits.silence *= 100,
        _ => {}
    }
    let taken = match (fault, &keep) {
        (Fault::LimitIgnored, Keep::UpTo(_)) => Keep::UpTo(usize::MAX),
        (Fault::SizeIgnored, Keep::Into { key, algorithm, if_error, .. }) => {
            Keep::Into { key: *key, algorithm: *algorithm, size: None, if_error: *if_error }
        }
        _ => keep.clone(),
    };
    let came = exchange.run(id, request, taken, limits).unwrap_or_else(|why| Input::Failed { id, why });
    match (fault, came) {
        (Fault::FollowedRedirect, Input::Answered { response, .. }) if response.status().is_redirection() => {
            let mut next = clone(&again);
            let location = response.headers()["location"].to_str().unwrap();
            let authority = again.uri().authority().unwrap();
            *next.uri_mut() = format!("http://{authority}{location}").parse().unwrap();
            exchange.run(id, next, keep, limits).unwrap_or_else(|why| Input::Failed { id, why })
        }
        (Fault::SentAgain, Input::Answered { response, .. }) if response.status().is_server_error() => {
            exchange.run(id, again, keep, limits).unwrap_or_else(|why| Input::Failed { id, why })
        }
        (Fault::CutTakenForWhole, Input::Answered { response, end: End::Cut, .. }) if !response.body().is_empty() => {
            let whole = Bytes::from_static(br#"{"name":"a","tags":["v1"]}"#);
            Input::Answered { id, response: response.map(|_| whole), end: End::Complete }
        }
        (Fault::LostTakenForUnsent, Input::Failed { why: NoAnswer::Lost(why), .. }) => {
            Input::Failed { id, why: NoAnswer::NotSent(why) }
        }
        (_, came) => came,
    }
}

fn clone(request: &Request<Body<u32>>) -> Request<Body<u32>> {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}
