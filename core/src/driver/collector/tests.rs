use proptest::prelude::*;

use super::*;
use crate::Algorithm;

fn head(status: u16) -> Response<()> {
    Response::builder().status(status).body(()).unwrap()
}

fn collect(keep: Keep<u8>, status: u16, pieces: &[&[u8]], is_whole: bool) -> (Response<Bytes>, End, Vec<u8>) {
    let mut collector = Collector::new(keep, Limits::default());
    let sink = collector.head(head(status)).unwrap();
    let mut poured = Vec::new();
    for piece in pieces {
        if !collector.take(piece) {
            break;
        }
        if sink.is_some() {
            poured.extend_from_slice(piece);
        }
    }
    let (answer, end) = collector.finish(is_whole);
    (answer, end, poured)
}

fn into(size: Option<u64>) -> Keep<u8> {
    Keep::Into { key: 1, algorithm: Algorithm::Sha256, size, if_error: 4 }
}

#[test]
fn an_errors_body_is_kept_and_not_poured() {
    let (answer, end, poured) = collect(into(None), 404, &[b"gone"], true);
    assert_eq!((answer.status().as_u16(), &answer.body()[..], end), (404, &b"gone"[..], End::Complete));
    assert!(poured.is_empty());
    let (answer, end, _) = collect(into(None), 500, &[b"to", b"o long"], true);
    assert_eq!((&answer.body()[..], end), (&b"too "[..], End::OverLimit));
}

#[test]
fn a_body_is_poured_as_far_as_its_size_and_no_piece_past_it() {
    let digest = crate::Digest::of(Algorithm::Sha256, b"blob");
    let (answer, end, poured) = collect(into(Some(4)), 200, &[b"bl", b"ob"], true);
    assert_eq!((answer.body().len(), end, &poured[..]), (0, End::Poured { len: 4, digest }, &b"blob"[..]));
    let (_, end, poured) = collect(into(Some(4)), 200, &[b"bl", b"obs"], true);
    assert_eq!((end, &poured[..]), (End::OverLimit, &b"bl"[..]));
    let (_, end, _) = collect(into(None), 206, &[b"bl"], false);
    assert_eq!(end, End::Cut);
}

#[test]
fn i23_a_head_past_its_limits_is_no_answer() {
    let mut limits = Limits::default();
    (limits.head_bytes, limits.head_fields) = (20, 2);
    for (fields, is_right) in [
        (vec![("a", "b")], true),
        (vec![("a", "b"), ("a", "c")], true),
        (vec![("a", "b"), ("a", "c"), ("d", "e")], false),
        (vec![("a", "123456789012345")], true),
        (vec![("a", "1234567890123456")], false),
    ] {
        let mut head = Response::builder();
        for (name, value) in &fields {
            head = head.header(*name, *value);
        }
        let mut collector = Collector::new(Keep::<u8>::UpTo(0), limits);
        assert_eq!(collector.head(head.body(()).unwrap()).is_ok(), is_right, "{fields:?}");
    }
}

proptest! {
    #[test]
    fn however_a_body_comes_in_pieces_the_same_is_kept(
        body in proptest::collection::vec(any::<u8>(), 0..40),
        limit in 0..50_usize,
        at in 1..10_usize,
    ) {
        let pieces: Vec<&[u8]> = body.chunks(at).collect();
        let (answer, end, _) = collect(Keep::UpTo(limit), 200, &pieces, true);
        prop_assert_eq!(&answer.body()[..], &body[..limit.min(body.len())]);
        prop_assert_eq!(end, if body.len() > limit { End::OverLimit } else { End::Complete });
    }
}
