//! Duties about the bodies of requests.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use longshore_core::driver::NoAnswer;
use longshore_core::{Algorithm, Blob, Digest, Digester, Push};

use super::requests::empty_registry;
use super::{Duty, Over};
use crate::failure::{no_answer, shown};
use crate::server::plan::SeenRequest;
use crate::trial::{Bench, Trial, ensure, options, repository};
use crate::work::{Content, Work};

pub(super) const DUTIES: &[Duty] = &[
    Duty {
        name: "bodies",
        what: "A body of any size is sent with exactly its bytes, and its length is stated if it is known",
        over: Over::Any,
        needs: None,
        check: bodies,
    },
    Duty {
        name: "chunks",
        what: "A body that is a part of a blob is sent with exactly the bytes of its range",
        over: Over::Any,
        needs: None,
        check: chunks,
    },
    Duty {
        name: "one-shot",
        what: "A blob that can be read only once is read ahead as the core requests, its end is reported, and it is sent once and completely",
        over: Over::Any,
        needs: None,
        check: one_shot,
    },
    Duty {
        name: "slow-source",
        what: "A slow source is not reported as silence of the server",
        over: Over::Sockets,
        needs: None,
        check: slow_source,
    },
    Duty {
        name: "broken-source",
        what: "A source that fails or has too few bytes makes the request fail, and its body does not end like a complete one",
        over: Over::Sockets,
        needs: None,
        check: broken_source,
    },
];

/// Sizes around those of buffers, pieces and frames.
const SIZES: &[u64] = &[0, 1, 2, 1023, 16_383, 16_384, 16_385, 32_768, 65_535, 65_536, 65_537, 131_073, 1_000_003];

fn push(bench: &Bench, blob: Blob<u32>, content: Content) -> Work {
    let push = Push::new(bench.registry.clone(), repository()).blob(blob);
    Work::new(options()).operation(push).content(1, content)
}

fn bodies(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut bench = trial.serve(empty_registry);
    for size in SIZES {
        let (content, before) = (Content::made(*size), bench.seen().len());
        let digest = content.digest();
        let work = push(&bench, Blob::known(1, digest, *size), content);
        let ended = bench.run_one(work)?;
        ensure!(ended.is_ok(), "a blob of {size} bytes came to {}", shown(&ended));
        let seen = bench.seen().split_off(before);
        let Some(sent) = seen.iter().find(|seen| seen.target.contains(&digest.hex()) && seen.method != "HEAD") else {
            return Err(format!("no request brought the blob of {size} bytes"));
        };
        let (body, stated) = (&sent.body, sent.field("content-length"));
        ensure!(body.is_whole && body.len == *size, "{} bytes of a blob of {size} arrived", body.len);
        let is_right = body.digest.is_none_or(|found| found == digest);
        ensure!(is_right, "a blob of {size} bytes arrived with other bytes");
        ensure!(stated == Some(size.to_string()), "the length of a blob of {size} bytes was stated as {stated:?}");
        let coding = sent.field("transfer-encoding");
        ensure!(coding.is_none(), "a body of known length was sent with the coding {coding:?}");
    }
    Ok(())
}

fn chunks(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    for (size, chunk) in [(10_001, 1000), (200_000, 65_536), (131_072, 65_536)] {
        let mut bench = trial.serve(empty_registry);
        let content = Content::made(size);
        let mut work = push(&bench, Blob::known(1, content.digest(), size), content);
        (work.options.chunk, work.options.chunk_above, work.options.single_post) = (chunk, 0, 0);
        let ended = bench.run_one(work)?;
        ensure!(ended.is_ok(), "a blob of {size} bytes in chunks of {chunk} came to {}", shown(&ended));
        let sent = bench.seen().into_iter().filter(|seen| seen.body.len > 0).collect::<Vec<_>>();
        ensure!(sent.len() > 1, "chunks of {chunk} were asked for, and one body came");
        whole(&sent, size)?;
    }
    Ok(())
}

/// Compares the bodies, one after another, with the bytes of the blob.
fn whole(sent: &[SeenRequest], size: u64) -> Result<(), String> {
    let mut at = 0;
    for request in sent {
        let part = at..at + request.body.len;
        ensure!(request.body.is_whole, "the body with the bytes {part:?} did not end");
        let is_right = request.body.digest.is_none_or(|found| found == digest_of(part.start, part.end));
        ensure!(is_right, "the body that should have the bytes {part:?} has others");
        at = part.end;
    }
    ensure!(at == size, "{at} bytes of {size} arrived");
    Ok(())
}

fn digest_of(from: u64, to: u64) -> Digest {
    let mut digester = Digester::new(Algorithm::Sha256);
    let mut reader = Content::made(to).open(from).expect("made content opens");
    let mut buffer = vec![0; 1 << 16];
    while let Ok(len @ 1..) = reader.read(&mut buffer) {
        digester.update(&buffer[..len]);
    }
    digester.finish()
}

fn one_shot(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    // At, before and after the end of a chunk.
    for (size, chunk_above) in
        [0, 1, 65_535, 65_536, 65_537, 300_000].into_iter().flat_map(|size| [(size, 0), (size, u64::MAX)])
    {
        let mut bench = trial.serve(empty_registry);
        let content = Content::made(size);
        let digest = content.digest();
        let mut work = push(&bench, Blob::unknown(1, Algorithm::Sha256), content.one_shot());
        (work.options.chunk, work.options.chunk_above) = (65_536, chunk_above);
        let ended = bench.run_one(work)?;
        ensure!(ended.is_ok(), "a one-shot blob of {size} bytes came to {}", shown(&ended));
        let sent = bench.seen().into_iter().filter(|seen| seen.body.len > 0).collect::<Vec<_>>();
        whole(&sent, size).map_err(|why| format!("a one-shot blob of {size} bytes: {why}"))?;
        let is_named = bench.seen().iter().any(|seen| seen.target.contains(&digest.hex()));
        ensure!(is_named, "no request named the digest of a one-shot blob of {size} bytes");
    }
    Ok(())
}

/// A reader that pauses before its last byte.
struct Pausing<R> {
    reader: R,
    left: u64,
    pause: Duration,
}

impl<R: Read> Read for Pausing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 1 {
            std::thread::sleep(self.pause);
        }
        let most = buffer.len().min(usize::try_from(self.left.saturating_sub(1)).unwrap_or(usize::MAX).max(1));
        let len = self.reader.read(&mut buffer[..most])?;
        self.left -= len as u64;
        Ok(len)
    }
}

fn slow_source(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const SIZE: u64 = 10_000;
    let mut bench = trial.serve(empty_registry);
    let made = Content::made(SIZE);
    let digest = made.digest();
    let pausing = move |from| {
        let pause = Duration::from_millis(200);
        Ok(Box::new(Pausing { reader: made.open(from)?, left: SIZE - from, pause }) as Box<dyn Read + Send>)
    };
    let mut work = push(&bench, Blob::known(1, digest, SIZE), Content::opened_by(SIZE, pausing));
    work.options.limits.silence = Duration::from_millis(100);
    let ended = bench.run_one(work)?;
    ensure!(ended.is_ok(), "a source that paused for longer than the limit of silence came to {}", shown(&ended));
    Ok(())
}

fn broken_source(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    const SIZE: u64 = 200_000;
    for cut in [0, 1, 65_536, SIZE - 1] {
        for is_short in [true, false] {
            let mut bench = trial.serve(empty_registry);
            let made = Content::made(SIZE);
            let digest = made.digest();
            let made = Arc::new(made);
            let broken = move |from: u64| {
                let part = made.open(from)?.take(cut.saturating_sub(from));
                Ok(if is_short { Box::new(part) as Box<dyn Read + Send> } else { Box::new(part.chain(Broken)) })
            };
            let work = push(&bench, Blob::known(1, digest, SIZE), Content::opened_by(SIZE, broken));
            let ended = bench.run_one(work)?;
            let how = if is_short { "ends" } else { "breaks" };
            let is_told = matches!(no_answer(&ended), Some(NoAnswer::Source(_)));
            ensure!(is_told, "a source that {how} after {cut} bytes of {SIZE} came to {}", shown(&ended));
            let whole = bench.seen().into_iter().find(|seen| seen.body.is_whole && seen.body.len > 0);
            ensure!(whole.is_none(), "a body ended as if it were whole, though its source {how}: {whole:?}");
        }
    }
    Ok(())
}

/// A reader that fails.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}
