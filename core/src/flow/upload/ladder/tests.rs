use super::*;
use crate::{Algorithm, Digest};

const MIB: u64 = 1024 * 1024;

fn known(size: u64) -> Content {
    Content::new(Algorithm::Sha256, Some((Digest::of(Algorithm::Sha256, b"blob"), size)), false)
}

/// A one-shot source of which so many bytes are in hand, and that goes on.
fn pipe(in_hand: u64) -> Content {
    let mut content = Content::new(Algorithm::Sha256, None, true);
    content.filled(in_hand);
    content
}

fn learned(change: impl FnOnce(&mut Learned)) -> Learned {
    let mut learned = Learned::default();
    change(&mut learned);
    learned
}

#[test]
fn the_rung_by_size_and_by_what_was_learned() {
    use Rung::{Chunks, SinglePost, StreamedPatch, WholePut};
    let table: [(Content, Learned, Rung); 14] = [
        (known(1000), learned(|_| {}), SinglePost),
        (known(0), learned(|_| {}), SinglePost),
        (known(0), learned(|l| l.single_post = Some(false)), WholePut),
        (known(MIB), learned(|_| {}), WholePut),
        (known(MIB), learned(|l| l.single_post = Some(true)), SinglePost),
        (known(5 * MIB), learned(|l| l.single_post = Some(true)), WholePut),
        (known(MIB), learned(|l| l.whole_put = Some(false)), StreamedPatch),
        (known(MIB), learned(|l| (l.whole_put, l.streamed_patch) = (Some(false), Some(false))), Chunks),
        (known(MIB), learned(|l| l.body_limit = Some(MIB - 1)), Chunks),
        // What was learned counts for nothing where nothing is left.
        (
            known(MIB),
            learned(|l| (l.whole_put, l.streamed_patch, l.chunks) = (Some(false), Some(false), Some(false))),
            WholePut,
        ),
        (pipe(MIB), learned(|_| {}), Chunks),
        (pipe(MIB), learned(|l| l.chunks = Some(false)), StreamedPatch),
        (known(1000), learned(|l| l.body_limit = Some(10)), Chunks),
        (known(0), learned(|l| (l.single_post, l.whole_put) = (Some(false), Some(false))), WholePut),
    ];
    for (content, learned, rung) in table {
        let chosen = Ladder::default().rung(&content, &learned, &Options::default());
        assert_eq!(chosen, Some(rung), "{content:?} {learned:?}");
    }
}

#[test]
fn a_rung_that_failed_falls_to_the_next_until_none_is_left() {
    let (mut ladder, content, mut fallen) = (Ladder::default(), known(1000), Vec::new());
    while let Some(rung) = ladder.rung(&content, &Learned::default(), &Options::default()) {
        fallen.push(rung);
        ladder.bar(rung);
    }
    assert_eq!(fallen, [Rung::SinglePost, Rung::WholePut, Rung::StreamedPatch, Rung::Chunks]);
}

#[test]
fn a_rung_with_trouble_is_left_for_another_and_comes_back_where_no_other_is() {
    let (mut ladder, content) = (Ladder::default(), known(MIB));
    let rung = |ladder: &Ladder| ladder.rung(&content, &Learned::default(), &Options::default());
    ladder.trouble(Rung::WholePut);
    assert_eq!(rung(&ladder), Some(Rung::WholePut));
    ladder.trouble(Rung::WholePut);
    assert_eq!(rung(&ladder), Some(Rung::StreamedPatch));
    ladder.bar(Rung::StreamedPatch);
    ladder.bar(Rung::Chunks);
    assert_eq!(rung(&ladder), Some(Rung::WholePut));
}

#[test]
fn large_blobs_whose_bodies_are_lost_go_in_chunks() {
    let mut ladder = Ladder::default();
    let rung = |ladder: &Ladder, size| ladder.rung(&known(size), &Learned::default(), &Options::default());
    ladder.lost();
    ladder.lost();
    assert_eq!(rung(&ladder, 100 * MIB), Some(Rung::Chunks));
    assert_eq!(rung(&ladder, MIB), Some(Rung::WholePut));
}

#[test]
fn what_was_refused_as_too_large_is_not_sent_again_in_any_way() {
    let (mut ladder, mut learned) = (Ladder::default(), Learned::default());
    ladder.too_large(Some(10 * MIB), &mut learned, Instant::ZERO);
    assert_eq!(learned.body_limit, Some(5 * MIB));
    let options = Options::default();
    assert_eq!(ladder.rung(&known(10 * MIB), &Learned::default(), &options), Some(Rung::Chunks));
    // 5 MiB is a guess; 4 MiB is known to work elsewhere.
    assert_eq!(ladder.chunk_len(None, &learned, &options), 4 * MIB);
    // A small body that is refused says nothing of lengths.
    ladder.too_large(Some(1000), &mut learned, Instant::ZERO);
    assert_eq!(learned.body_limit, Some(5 * MIB));
    assert_eq!(ladder.rung(&known(1000), &Learned::default(), &options), None);
}

#[test]
fn an_announced_maximum_has_a_floor_that_only_a_413_lowers() {
    let (options, mut learned) = (Options::default(), Learned::default());
    let mut ladder = Ladder::default();
    for (announced, chunk) in [(5 * MIB, 5 * MIB), (64 * 1024, 64 * 1024), (1, 64 * 1024), (u64::MAX, 8 * MIB)] {
        ladder.opened(Some(announced));
        assert_eq!(ladder.chunk_len(None, &learned, &options), chunk, "{announced}");
    }
    ladder.opened(Some(1));
    ladder.too_large(Some(64 * 1024), &mut learned, Instant::ZERO);
    assert_eq!(ladder.chunk_len(None, &learned, &options), 4096);
    assert_eq!(learned.body_limit, None);
}

#[test]
fn a_first_chunk_that_is_out_of_order_is_made_smaller_once() {
    let mut ladder = Ladder::default();
    assert!(!ladder.try_modest_chunk(MODEST_CHUNK));
    assert!(ladder.try_modest_chunk(8 * MIB));
    assert!(!ladder.try_modest_chunk(8 * MIB));
    let mut learned = Learned::default();
    assert_eq!(ladder.chunk_len(None, &learned, &Options::default()), MODEST_CHUNK);
    ladder.chunk_taken(&mut learned, Instant::ZERO);
    assert_eq!(learned.chunk_limit, Some(MODEST_CHUNK));
}
