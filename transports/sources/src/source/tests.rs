use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Bytes that differ at every offset of a small file, and cost nothing to make.
fn byte_at(offset: u64) -> u8 {
    (offset % 251) as u8 ^ (offset / 251 % 253) as u8
}

/// A generated reader of `len` bytes that gives as little as it likes at a time, and counts what was taken from it.
struct Generated {
    position: u64,
    len: u64,
    taken: Arc<AtomicU64>,
}

impl Generated {
    fn new(len: u64) -> (Self, Arc<AtomicU64>) {
        let taken = Arc::new(AtomicU64::new(0));
        (Self { position: 0, len, taken: Arc::clone(&taken) }, taken)
    }
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = if self.position.is_multiple_of(3) { 7 } else { 50_000 };
        let len = (self.len - self.position).min(most).min(buffer.len() as u64);
        for (to, offset) in buffer[..len as usize].iter_mut().zip(self.position..) {
            *to = byte_at(offset);
        }
        self.position += len;
        self.taken.fetch_add(len, Ordering::Relaxed);
        Ok(len as usize)
    }
}

fn generated(len: u64) -> Vec<u8> {
    (0..len).map(byte_at).collect()
}

fn all(mut body: BodyReader) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.next_piece()? {
        assert!(!piece.is_empty() && piece.len() <= PIECE);
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

/// One replayable source of every kind with the same content.
fn replayable(content: &[u8], folder: &Path) -> Vec<Source> {
    let (whole, part) = (folder.join("whole"), folder.join("part"));
    std::fs::write(&whole, content).unwrap();
    std::fs::write(&part, [b"before", content, b"after"].concat()).unwrap();
    let len = content.len() as u64;
    let generated = Source::opened_by(len, move |from| {
        let (mut reader, _) = Generated::new(len);
        reader.position = from;
        Ok(Box::new(reader))
    });
    let bytes = Source::bytes(content.to_vec());
    vec![bytes, Source::file(whole).unwrap(), Source::part_of_file(part, 6, len), generated]
}

#[test]
fn every_range_of_every_kind_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let content = generated(3 * PIECE as u64 + 17);
    let len = content.len() as u64;
    let ranges = [0..0, 0..1, 0..len, 5..PIECE as u64 + 5, len - 1..len, len..len, PIECE as u64..2 * PIECE as u64];
    for source in replayable(&content, folder.path()) {
        assert_eq!(source.len(), Some(len));
        for range in ranges.clone() {
            let expected = &content[range.start as usize..range.end as usize];
            let body = source.open(range.clone()).unwrap();
            assert_eq!(body.remaining(), Some(range.end - range.start));
            assert_eq!(all(body).unwrap(), expected, "{source:?} {range:?}");
            let mut read = Vec::new();
            source.open(range).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, expected);
        }
        assert_eq!(all(source.rest(10).unwrap()).unwrap(), &content[10..]);
        assert!(matches!(source.open(0..len + 1), Err(SourceError::OutOfRange { .. })));
        assert_eq!(source.ended(), Some(Ended { len, digest: digest(&content) }));
    }
}

#[test]
fn i12_a_body_with_other_bytes_never_gives_its_last_piece() {
    let folder = tempfile::tempdir().unwrap();
    let content = generated(2 * PIECE as u64 + 5);
    let (expected, found) = (digest(b"something else"), digest(&content));
    for source in replayable(&content, folder.path()) {
        let source = source.with_digest(expected);
        let mut body = source.open(0..content.len() as u64).unwrap();
        assert_eq!(body.next_piece().unwrap().unwrap().len(), PIECE);
        assert_eq!(body.next_piece().unwrap().unwrap().len(), PIECE);
        let SourceError::DigestMismatch(mismatch) = body.next_piece().unwrap_err() else { panic!("another error") };
        assert_eq!((mismatch.expected, mismatch.found), (expected, found));
        assert_eq!(source.verification(), Verification::Disagreed { expected, found });
        // Neither a retry nor a body that holds only the last byte gets round it.
        assert!(all(source.open(0..content.len() as u64).unwrap()).is_err());
        assert!(all(source.rest(content.len() as u64 - 1).unwrap()).is_err());
        let trusted = source.trusted();
        assert_eq!(all(trusted.rest(0).unwrap()).unwrap(), content);
        assert_eq!(trusted.verification(), Verification::Trusted);
    }
    let empty = Source::bytes("").with_digest(expected);
    assert!(matches!(empty.open(0..0), Err(SourceError::DigestMismatch(_))));
    assert!(all(Source::bytes("").with_digest(digest(b"")).open(0..0).unwrap()).unwrap().is_empty());
}

#[test]
fn each_byte_is_hashed_once_through_retries_and_gaps() {
    let content = generated(4 * PIECE as u64);
    let (len, piece) = (content.len() as u64, PIECE as u64);
    // A wrong byte that only the second reading would show: what was hashed is not read for the hash again.
    let opened = Arc::new(AtomicU64::new(0));
    let source = Source::opened_by(len, {
        let opened = Arc::clone(&opened);
        move |from| {
            opened.fetch_add(1, Ordering::Relaxed);
            let (mut reader, _) = Generated::new(len);
            reader.position = from;
            Ok(Box::new(reader))
        }
    })
    .with_digest(digest(&content));
    all(source.open(0..piece).unwrap()).unwrap();
    assert_eq!(source.verification(), Verification::Hashing { passed: piece });
    all(source.open(0..2 * piece).unwrap()).unwrap();
    assert_eq!(source.verification(), Verification::Hashing { passed: 2 * piece });
    assert_eq!(opened.load(Ordering::Relaxed), 2);
    // The bytes between are read for the hash before the last piece goes out.
    all(source.open(3 * piece + 1..len).unwrap()).unwrap();
    assert_eq!(source.verification(), Verification::Agreed(digest(&content)));
    assert_eq!(opened.load(Ordering::Relaxed), 4);
    all(source.rest(0).unwrap()).unwrap();
    assert_eq!(source.verify().unwrap(), Verification::Agreed(digest(&content)));
    assert_eq!(opened.load(Ordering::Relaxed), 5);
}

#[test]
fn a_file_that_shrank_is_an_error_and_never_a_short_body() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    std::fs::write(&path, generated(3 * PIECE as u64)).unwrap();
    let source = Source::file(&path).unwrap();
    let mut body = source.rest(0).unwrap();
    body.next_piece().unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(PIECE as u64 + 9).unwrap();
    let error = body.next_piece().unwrap_err();
    assert!(
        matches!(error, SourceError::Shrunk { expected, found, .. } if (expected, found) == (3 * PIECE as u64, PIECE as u64 + 9))
    );
    assert!(body.next_piece().unwrap().is_none());
    assert!(body.read(&mut [0; 8]).is_err(), "a reader must not take a failed body for a whole one");
    assert!(matches!(source.rest(0), Err(SourceError::Shrunk { .. })));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(source.rest(0), Err(SourceError::Open { .. })));
    assert!(Source::file(&path).unwrap_err().to_string().contains("cannot open"));
}

#[test]
fn chunks_of_a_reader_replay_from_the_buffer() {
    for len in [0, 1, 99, 100, 101, 199, 200, 201, 1000] {
        let (reader, taken) = Generated::new(len);
        let source = Source::reader(reader, Algorithm::Sha256);
        let content = generated(len);
        let (mut from, chunk) = (0, 100);
        loop {
            let ahead = source.read_ahead(from, from + chunk).unwrap();
            assert!(taken.load(Ordering::Relaxed) <= from + chunk + 1);
            let held = match ahead {
                ReadAhead::Filled { len: held } => {
                    assert!(held == from + chunk && held < len, "there is more to come");
                    held - from
                }
                ReadAhead::Ended(ended) => {
                    assert_eq!(ended, Ended { len, digest: digest(&content) });
                    len - from
                }
            };
            assert!(held <= chunk);
            for _ in 0..3 {
                let body = source.open(from..from + held).unwrap();
                assert_eq!(all(body).unwrap(), &content[from as usize..(from + held) as usize]);
            }
            from += held;
            if let ReadAhead::Ended(_) = ahead {
                break;
            }
        }
        assert_eq!(source.ended(), Some(Ended { len, digest: digest(&content) }));
        assert_eq!((source.len(), source.is_empty()), (Some(len), len == 0));
        let last = source.open(from..from + 1).map(|mut body| body.next_piece());
        assert!(matches!(last, Ok(Err(SourceError::Shrunk { .. }))), "no byte follows the end");
    }
}

#[test]
fn a_byte_that_is_gone_is_never_made_up() {
    let (reader, _) = Generated::new(1_000_000);
    let source = Source::reader(reader, Algorithm::Sha256);
    source.read_ahead(0, 300_000).unwrap();
    source.read_ahead(300_000, 600_000).unwrap();
    assert!(matches!(source.open(0..10), Err(SourceError::Gone { from: 0, .. })));
    assert!(matches!(source.read_ahead(0, 10), Err(SourceError::Gone { .. })));
    assert!(matches!(source.rest(700_000), Err(SourceError::Ahead { from: 700_000, .. })));
    // The window stays behind a body that streams: its last chunk can be sent again.
    let content = generated(1_000_000);
    assert_eq!(all(source.rest(300_000).unwrap()).unwrap(), &content[300_000..]);
    assert_eq!(all(source.rest(700_000).unwrap()).unwrap(), &content[700_000..]);
    assert!(matches!(source.rest(300_000), Err(SourceError::Gone { .. })));
    assert_eq!(source.ended().unwrap().digest, digest(&content));
}

#[test]
fn two_bodies_of_one_reader_lose_and_double_nothing() {
    let (reader, _) = Generated::new(500_000);
    let source = Source::reader(reader, Algorithm::Sha256);
    let content = generated(500_000);
    source.read_ahead(0, 200_000).unwrap();
    let (mut first, mut second) = (source.rest(0).unwrap(), source.rest(0).unwrap());
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        a.extend_from_slice(&first.next_piece().unwrap().unwrap());
        b.extend_from_slice(&second.next_piece().unwrap().unwrap());
    }
    drop(first);
    b.extend(all(second).unwrap());
    assert_eq!((a.as_slice(), b.as_slice()), (&content[..a.len()], content.as_slice()));
}

#[test]
fn i28_memory_is_flat_in_the_length_of_a_reader() {
    let (len, chunk) = (16 * 1024 * 1024, 256 * 1024);
    let (reader, _) = Generated::new(len);
    let source = Source::reader(reader, Algorithm::Sha256);
    source.read_ahead(0, chunk).unwrap();
    let mut body = source.rest(0).unwrap();
    let (mut passed, mut most) = (0, 0);
    while let Some(piece) = body.next_piece().unwrap() {
        passed += piece.len() as u64;
        most = most.max(source.held() + piece.len() as u64);
    }
    assert_eq!(passed, len);
    assert!(most <= chunk + 3 * PIECE as u64, "{most} bytes were held at once");
    assert_eq!(body.ended().map(|ended| ended.len), Some(len));
}

#[test]
fn replayable_content_of_unknown_digest_is_hashed_ahead_and_held_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let content = generated(3 * PIECE as u64);
    let ended = Ended { len: content.len() as u64, digest: digest(&content) };
    for source in replayable(&content, folder.path()).split_off(1) {
        assert_eq!(source.read_ahead(0, 1000).unwrap(), ReadAhead::Filled { len: 1000 });
        assert_eq!(source.verification(), Verification::Hashing { passed: 1000 });
        assert_eq!(source.ended(), None);
        assert_eq!(source.read_ahead(1000, u64::MAX).unwrap(), ReadAhead::Ended(ended));
        assert_eq!(source.held(), 0);
        assert!(source.read_ahead(content.len() as u64 + 1, u64::MAX).is_err());
    }
}

#[test]
fn a_reader_that_fails_stays_failed() {
    struct Fails(u32);
    impl Read for Fails {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(io::ErrorKind::Interrupted.into()),
                2 => Ok(buffer.len().min(10)),
                3 => Err(io::Error::other("the compressor died")),
                _ => Ok(0),
            }
        }
    }
    let source = Source::reader(Fails(0), Algorithm::Sha256);
    for _ in 0..2 {
        let error = source.read_ahead(0, 100).unwrap_err();
        assert_eq!(error.to_string(), "cannot read from the reader: the compressor died");
    }
    assert!(source.rest(0).unwrap().next_piece().is_err());
    assert_eq!(source.ended(), None, "a failure is not an end");
}

#[test]
fn a_set_answers_by_key() {
    let sources: Sources<u32> = [(1, Source::bytes("one")), (2, Source::bytes("two"))].into_iter().collect();
    assert_eq!(all(sources.open(&2, 1..3).unwrap()).unwrap(), b"wo");
    assert_eq!(all(sources.rest(&1, 0).unwrap()).unwrap(), b"one");
    assert_eq!(sources.ended(&1).map(|ended| ended.digest), Some(digest(b"one")));
    assert!(matches!(sources.open(&3, 0..0), Err(SourceError::NoSource)));
    assert!(matches!(sources.read_ahead(&3, 0, 1), Err(SourceError::NoSource)));
}
