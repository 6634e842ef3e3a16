//! The requests that the core makes, with which those of a driver are compared.

use bytes::Bytes;
use http::{Request, Response};
use longshore_core::driver::{End, Input, Output};
use longshore_core::{Client, Instant};

use crate::server::plan::{Plan, Reply, Script, SeenRequest};
use crate::trial::{ensure, response, seen};
use crate::work::Work;

/// The requests of a client that gets the answers of the script. A driver must send exactly these.
///
/// For work without one-shot blobs and sinks.
pub(crate) fn requests(work: &Work, script: &Script) -> Vec<SeenRequest> {
    let mut client = Client::new(work.options.clone());
    for operation in &work.operations {
        client.start(operation.clone());
    }
    let (mut now, mut all) = (Instant::ZERO, Vec::new());
    loop {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                let (head, body) = request.into_parts();
                let mut seen = seen(&Request::from_parts(head, ()), body.len());
                seen.number = all.len();
                let plan: Plan = script(&seen);
                all.push(seen);
                let Reply::Answer(answer) = plan.reply else { unreachable!("these scripts answer") };
                let response: Response<Bytes> = response(&answer, body.len().unwrap_or_default());
                client.handle(Input::Answered { id, response, end: End::Complete });
            }
            Output::Wait(Some(deadline)) => now = deadline.at,
            Output::Wait(None) => return all,
            Output::Ask { id, registry, repository, stale } => {
                let answer = work.credentials.look_up(&registry, repository.as_ref(), stale);
                client.handle(Input::Credentials { id, answer });
            }
            Output::Read { .. } => unreachable!("no blob of this work is one-shot"),
            Output::Done { .. } | Output::Abort { .. } | Output::Event(_) => {}
        }
    }
}

/// Checks that the received requests are those of the core, in any order.
pub(crate) fn compare(expected: &[SeenRequest], found: &[SeenRequest]) -> Result<(), String> {
    let (mut expected, mut found) = (lines(expected), lines(found));
    expected.sort();
    found.sort();
    let missing: Vec<_> = expected.iter().filter(|line| !found.contains(line)).cloned().collect();
    let added: Vec<_> = found.iter().filter(|line| !expected.contains(line)).cloned().collect();
    ensure!(
        missing.is_empty() && added.is_empty(),
        "the core asked for\n{}\nand over the wire came\n{}",
        missing.join("\n"),
        added.join("\n")
    );
    let (expected, found) = (expected.len(), found.len());
    ensure!(expected == found, "the core sent {expected} requests, and over the wire came {found}");
    Ok(())
}

/// One line for each request, without the fields of the connection.
fn lines(requests: &[SeenRequest]) -> Vec<String> {
    let line = |request: &SeenRequest| {
        let mut fields: Vec<String> = request
            .fields
            .iter()
            .filter(|(name, value)| !is_the_stacks(name, value))
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
            .collect();
        fields.sort();
        format!("{} {} {{{}}} and {} bytes", request.method, request.target, fields.join("; "), request.body.len)
    };
    requests.iter().map(line).collect()
}

/// Whether an HTTP stack may add this field: fields of the connection and of framing, and fields that mean the same as
/// their absence (RFC 9110, section 12.5.1: without `Accept`, any type is accepted).
fn is_the_stacks(name: &str, value: &[u8]) -> bool {
    matches!(name, "connection" | "transfer-encoding") || (name == "accept" && value == b"*/*")
}
