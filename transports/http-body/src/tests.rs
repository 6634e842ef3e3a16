use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body as _;
use longshore_core::Algorithm;
use longshore_sources::Source;
use longshore_sources::source::PIECE;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::body::REPORT;
use crate::reading::SMALL;
use crate::*;

/// Bytes that cost nothing to make; counts how many were taken.
struct Generated(Arc<AtomicU64>);

impl std::io::Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(7);
        self.0.fetch_add(buffer.len() as u64, Ordering::SeqCst);
        Ok(buffer.len())
    }
}

fn generated(len: u64) -> (Source, Arc<AtomicU64>) {
    let read = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&read);
    let source = Source::opened_by(len, move |_| Ok(Box::new(Generated(Arc::clone(&counter)))));
    (source, read)
}

async fn next(body: &mut OutgoingBody) -> Option<Result<u64, &'static str>> {
    let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
    frame.map(|frame| frame.map(|frame| frame.into_data().unwrap().len() as u64))
}

#[tokio::test]
async fn i28_a_body_of_64_mib_is_read_two_pieces_ahead_and_no_more() {
    let len = 64 << 20;
    let (source, read) = generated(len);
    let reports = Arc::new(Mutex::new(Vec::new()));
    let on_sent = {
        let reports = Arc::clone(&reports);
        move |total| reports.lock().unwrap().push(total)
    };
    let (mut body, _transfer) =
        OutgoingBody::new(Some(len), Pieces::read_by_a_thread(source.open(0..len).unwrap(), || {}), on_sent);
    assert_eq!(body.size_hint().exact(), Some(len));
    let (mut taken, mut most_ahead) = (0, 0);
    while !body.is_end_stream() {
        taken += next(&mut body).await.unwrap().unwrap();
        most_ahead = most_ahead.max(read.load(Ordering::SeqCst) - taken);
    }
    assert_eq!(taken, len);
    assert!(most_ahead <= 2 * PIECE as u64, "{most_ahead} bytes ahead");
    let reports = reports.lock().unwrap();
    assert!(reports.len() as u64 <= len / REPORT, "{} reports", reports.len());
    assert_eq!(reports.last(), Some(&len), "the end is always told");
}

#[tokio::test]
async fn a_source_that_fails_breaks_the_body_off() {
    let source = Source::bytes(vec![1; 3 * PIECE]).with_digest(longshore_core::Digest::of(Algorithm::Sha256, b"other"));
    let len = 3 * PIECE as u64;
    let (mut body, transfer) =
        OutgoingBody::new(Some(len), Pieces::read_by_a_thread(source.open(0..len).unwrap(), || {}), |_| {});
    assert_eq!(next(&mut body).await, Some(Ok(PIECE as u64)));
    assert_eq!(next(&mut body).await, Some(Ok(PIECE as u64)));
    assert_eq!(next(&mut body).await, Some(Err("the source of the body failed")));
    assert!(!body.is_end_stream());
    assert!(matches!(transfer.failure(), Some(NoAnswer::Source(why)) if why.contains("sha256:")));
}

#[tokio::test]
async fn a_body_of_unknown_length_ends_after_its_end_was_told() {
    let source = Source::reader(&b"hello"[..], Algorithm::Sha256);
    let told = Arc::new(Mutex::new(None));
    let on_end = {
        let (told, source) = (Arc::clone(&told), source.clone());
        move || *told.lock().unwrap() = source.ended()
    };
    let (mut body, _transfer) =
        OutgoingBody::new(None, Pieces::read_by_a_thread(source.rest(0).unwrap(), on_end), |_| {});
    assert_eq!(body.size_hint().exact(), None);
    assert_eq!(next(&mut body).await, Some(Ok(5)));
    assert_eq!(next(&mut body).await, None);
    assert_eq!(told.lock().unwrap().map(|ended| ended.len), Some(5));
}

#[tokio::test]
async fn a_body_that_is_given_up_ends_its_thread_and_breaks_off() {
    let (source, read) = generated(1 << 40);
    let (mut body, transfer) =
        OutgoingBody::new(Some(1 << 40), Pieces::read_by_a_thread(source.open(0..1 << 40).unwrap(), || {}), |_| {});
    next(&mut body).await.unwrap().unwrap();
    drop(transfer);
    // What was read already may still come; the end does not.
    while let Some(Ok(_)) = next(&mut body).await {}
    assert!(!body.is_end_stream());
    assert!(read.load(Ordering::SeqCst) <= 4 * PIECE as u64);
}

#[tokio::test(start_paused = true)]
async fn silence_is_counted_from_the_last_byte() {
    let transfer = OutgoingBody::whole(Bytes::new(), |_| {}).1;
    let second = Duration::from_secs(1);
    let start = Instant::now();
    let forever = transfer.unless_silent(10 * second, std::future::pending::<()>());
    let busy = async {
        for _ in 0..5 {
            tokio::time::sleep(9 * second).await;
            transfer.touch();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        end = forever => assert_eq!(end, None),
        () = busy => {}
    }
    assert_eq!(start.elapsed().as_secs(), 55);
}

#[tokio::test(start_paused = true)]
async fn a_slow_source_is_not_the_other_sides_silence() {
    let transfer = OutgoingBody::whole(Bytes::new(), |_| {}).1;
    transfer.shared.is_reading.store(true, Ordering::Relaxed);
    let second = Duration::from_secs(1);
    let slow = tokio::time::sleep(100 * second);
    assert_eq!(transfer.unless_silent(10 * second, slow).await, Some(()));
    transfer.shared.is_reading.store(false, Ordering::Relaxed);
    let slow = tokio::time::sleep(100 * second);
    assert_eq!(transfer.unless_silent(10 * second, slow).await, None);
}

/// The kind of a body, as it is opened.
fn kind(content: &Result<Content, SourceError>) -> &'static str {
    match content {
        Ok(Content::Whole(_)) => "whole",
        Ok(Content::AtHand(_)) => "at hand",
        Ok(Content::Slow(_, None)) => "a thread",
        Ok(Content::Slow(_, Some(_))) => "a thread that hashes",
        Err(_) => "nothing",
    }
}

#[test]
fn only_what_is_small_or_at_hand_and_not_hashed_elsewhere_has_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    std::fs::write(&path, vec![1; 3 * PIECE]).unwrap();
    let (file, len) = (Source::file(&path).unwrap(), 3 * PIECE as u64);
    let hashing = Arc::new(Semaphore::new(1));
    let open = |source: &Source, range| Wanted::Range(range).open(source, Some(Arc::clone(&hashing)));
    let first = open(&file, 0..len);
    assert_eq!(kind(&first), "a thread that hashes");
    assert_eq!(kind(&open(&file, 0..len)), "at hand", "no core is left for another thread");
    drop(first);
    assert_eq!(kind(&open(&file, 0..len)), "a thread that hashes", "the first has given its core back");
    assert_eq!(kind(&open(&file, len - PIECE as u64..len)), "a thread", "all that lies before would be hashed");
    let trusted = file.clone().with_digest(longshore_core::Digest::of(Algorithm::Sha256, b"")).trusted();
    assert_eq!(kind(&open(&trusted, 0..len)), "at hand");
    assert_eq!(kind(&open(&trusted, 1..SMALL)), "whole");
    assert_eq!(kind(&Wanted::Range(0..len).open(&trusted, None)), "a thread", "the runtime has other things to do");
    assert_eq!(kind(&open(&generated(len).0, 0..len)), "a thread", "somebody may have to be waited for");
    assert_eq!(kind(&Wanted::Rest(0).open(&trusted, Some(hashing.clone()))), "a thread");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(kind(&open(&file, 0..len)), "nothing");
}

#[tokio::test]
async fn a_body_that_is_read_where_it_is_sent_is_whole_or_breaks_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    std::fs::write(&path, vec![1; 3 * PIECE]).unwrap();
    let (file, len) = (Source::file(&path).unwrap(), 3 * PIECE as u64);
    let pieces = |source: &Source| Pieces::AtHand(source.open(0..len).unwrap());
    let (mut body, _transfer) = OutgoingBody::new(Some(len), pieces(&file), |_| {});
    let mut sent = 0;
    while let Some(piece) = next(&mut body).await {
        sent += piece.unwrap();
    }
    assert_eq!(sent, len);

    let other = file.with_digest(longshore_core::Digest::of(Algorithm::Sha256, b"other"));
    let (mut body, transfer) = OutgoingBody::new(Some(len), pieces(&other), |_| {});
    assert_eq!(next(&mut body).await, Some(Ok(PIECE as u64)));
    assert_eq!(next(&mut body).await, Some(Ok(PIECE as u64)));
    assert_eq!(next(&mut body).await, Some(Err("the source of the body failed")));
    assert!(matches!(transfer.failure(), Some(NoAnswer::Source(why)) if why.contains("sha256:")));

    let (mut body, transfer) = OutgoingBody::new(Some(len), pieces(&other.trusted()), |_| {});
    next(&mut body).await.unwrap().unwrap();
    drop(transfer);
    assert_eq!(next(&mut body).await, Some(Err("the body was broken off")));
}

mod receive;
