//! Quirks of chunks, one a test, by the id of its quirk: a blob that can be read once is sent in chunks, and some of them meet a
//! fault. A client that then knows no answer has to begin again, and cannot.

use longshore_conformance::quirk::Outcome;
use longshore_conformance::{BlobPlan, CHUNK, Case, DocumentPlan, Given, Plan, Run, Subject, oracle};
use longshore_core::Row;
use longshore_memory::Said;
use longshore_mock_registry::Behaviour;
use longshore_mock_registry::behaviour as is;

/// The lengths of the two blobs: a config of one request, and a layer of four chunks and seven bytes.
const LENS: [usize; 2] = [20, 4 * CHUNK as usize + 7];

/// A push of an image whose blobs have these lengths and can be read once, in chunks.
fn read_once(lens: [usize; 2], change: impl FnOnce(&mut Behaviour)) -> Case {
    let blobs = lens.iter().map(|len| BlobPlan { len: *len, fill: 7, sha512: false }).collect();
    let image = DocumentPlan { blobs: vec![0, 1], children: Vec::new(), docker: false, subject: Subject::None };
    let mut case = Case::new(Plan { blobs, documents: vec![image], attached: 0 });
    (case.given, case.client.chunk_above, case.client.in_flight) = (vec![Given::Once], CHUNK, 1);
    change(&mut case.registry.behaviour);
    case
}

/// That all of it stands, although these faults struck.
fn stands(mut case: Case, faults: &str) -> Run {
    case.registry.faults = faults.parse().unwrap();
    let mut run = case.run();
    let transcript = run.simulation.transcript().to_string();
    assert_eq!(oracle::judge(&case, Outcome::Succeeds, &mut run), Ok(()), "{faults}\n{transcript}");
    assert!(run.result.is_ok(), "{faults}: {:?}\n{transcript}", run.result);
    assert!(faults.is_empty() || !run.simulation.handler.registry.struck.is_empty(), "no fault struck\n{transcript}");
    run
}

/// How many requests of this row were sent.
fn sent(run: &Run, row: Row) -> usize {
    let is_it = |said: &Said<_>| matches!(said, Said::Asked { head, .. } if head.method == row.method());
    run.simulation.transcript().entries.iter().filter(|entry| is_it(&entry.what)).count()
}

#[test]
fn patch_max_4mib_416() {
    const MIB: usize = 1024 * 1024;
    for given in [Given::Once, Given::Known] {
        let mut case = read_once([20, 9 * MIB], |b| {
            b.chunks.max = Some(is::BodyMax::new(4 * MIB as u64, 416, is::MaxOf::SizedChunks));
        });
        (case.given, case.client.chunk) = (vec![given], 8 * MIB as u64);
        let run = stands(case, "");
        // The first chunk is refused; then two of 4 MiB go to the same upload, and the rest goes with the PUT.
        assert_eq!(sent(&run, Row::SendChunk), 3, "{}", run.simulation.transcript());
        assert_eq!(sent(&run, Row::StartUpload), 2, "{}", run.simulation.transcript());
    }
}

#[test]
fn patch_replay_doubles_body() {
    for number in 1..=4 {
        let case = read_once(LENS, |b| b.chunks.content_range = is::ContentRange::Ignored);
        stands(case, &format!("end-5#{number}: answer-lost"));
    }
}

/// Somebody on the way sends the first chunk twice, and the registry appends it twice.
#[test]
fn patch_content_range_ignored() {
    stands(read_once(LENS, |b| b.chunks.content_range = is::ContentRange::Ignored), "end-5#1: twice");
}

#[test]
fn status_get_404_live_session() {
    for number in 2..=4 {
        for fault in ["request-lost", "answer-lost"] {
            stands(read_once(LENS, |b| b.status.status = 404), &format!("end-5#{number}: {fault}"));
        }
    }
}

#[test]
fn status_range_exclusive_with_prefix() {
    // All of the chunk has come: no byte is sent again.
    for given in [Given::Once, Given::Known] {
        let mut case = read_once(LENS, |b| b.status.range = is::StatusRange::Exclusive);
        case.given = vec![given];
        let run = stands(case, "end-5#3: answer-lost");
        assert_eq!(
            (sent(&run, Row::StartUpload), sent(&run, Row::SendChunk)),
            (2, 4),
            "{}",
            run.simulation.transcript()
        );
    }
    for fault in ["request-lost", "answer-lost", "body-cut 1", "body-cut 10", "body-cut 31"] {
        for number in 2..=4 {
            let case = read_once(LENS, |b| {
                b.status.range = is::StatusRange::Exclusive;
                b.status.location = false;
            });
            stands(case, &format!("end-5#{number}: {fault}"));
        }
    }
}

#[test]
fn status_zero_bytes_ambiguous() {
    for empty in [is::EmptyRange::Zero, is::EmptyRange::MinusOne, is::EmptyRange::Absent] {
        for fault in ["request-lost", "body-cut 0", "body-cut 1", "answer-lost"] {
            for number in 1..=2 {
                let case = read_once(LENS, |b| b.chunks.empty_range = empty);
                stands(case, &format!("end-5#{number}: {fault}"));
            }
            // One more byte or one less would be appended, and show only at the end.
            if fault != "body-cut 1" {
                let case = read_once(LENS, |b| {
                    b.chunks.empty_range = empty;
                    b.chunks.content_range = is::ContentRange::Ignored;
                });
                stands(case, &format!("end-5#1: {fault}"));
            }
        }
    }
}

#[test]
fn out_of_order_416_body_varies() {
    use is::OutOfOrderRange as Range;
    for range in [Range::Sent, Range::Absent, Range::WithBytes, Range::OffByOne] {
        for code in [None, Some(String::new()), Some("RANGE_INVALID".to_owned())] {
            for number in 1..=4 {
                let case = read_once(LENS, |b| {
                    b.chunks.out_of_order_range = range;
                    b.chunks.out_of_order_code = code.clone();
                });
                stands(case, &format!("end-5#{number}: twice"));
            }
        }
    }
}

/// The closing PUT of chunks, sent twice by somebody on the way, or with its answer lost.
#[test]
fn put_retry_after_commit_404() {
    for fault in ["twice", "answer-lost"] {
        for number in 1..=2 {
            stands(read_once(LENS, |_| {}), &format!("end-6#{number}: {fault}"));
        }
    }
}
