use longshore_core::driver::{End, Output};
use longshore_core::{Algorithm, Client, Digest, Instant, Operation, Options};

use super::*;
use crate::sink::Memory;

/// A request that a client has sent.
fn sent() -> RequestId {
    let mut client: Client<u32> = Client::new(Options::default());
    let (registry, repository) = ("registry.example".parse().unwrap(), "a".parse().unwrap());
    client.start(Operation::ListTags { registry, repository });
    loop {
        if let Output::Send { id, .. } = client.poll(Instant::ZERO) {
            return id;
        }
    }
}

fn answer(status: u16, keep: Keep<u32>, sink: Option<Sink>) -> Result<IncomingAnswer<u32>, NoAnswer> {
    let head = Response::builder().status(status).body(()).unwrap();
    IncomingAnswer::new(sent(), head, keep, Limits::default(), |_| sink)
}

fn into(size: Option<u64>) -> Keep<u32> {
    Keep::Into { key: 1, algorithm: Algorithm::Sha256, size, if_error: 4 }
}

/// A sink that holds something of an earlier attempt.
fn sink() -> (Sink, Memory) {
    let (sink, memory) = Sink::memory(100);
    sink.open().unwrap().write_all(b"of an earlier attempt").unwrap();
    (sink, memory)
}

fn body_and_end(input: Input<u32>) -> (Vec<u8>, End) {
    match input {
        Input::Answered { response, end, .. } => (response.body().to_vec(), end),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_body_that_is_kept_ends_at_its_length_its_limit_or_where_it_is_cut() {
    let keep = |body: &[u8], len| body_and_end(answer(200, Keep::UpTo(5), None).unwrap().read(body, len).unwrap());
    assert_eq!(keep(b"hello", Some(5)), (b"hello".to_vec(), End::Complete));
    assert_eq!(keep(b"hello", None), (b"hello".to_vec(), End::Complete));
    assert_eq!(keep(b"hel", Some(5)), (b"hel".to_vec(), End::Cut));
    assert_eq!(keep(b"hello you", None), (b"hello".to_vec(), End::OverLimit));
    assert_eq!(keep(b"of the next answer", Some(0)), (Vec::new(), End::Complete));
    let broken = b"hel".chain(Broken);
    assert_eq!(
        body_and_end(answer(200, Keep::UpTo(5), None).unwrap().read(broken, None).unwrap()),
        (b"hel".to_vec(), End::Cut)
    );
}

#[test]
fn a_body_that_is_poured_is_all_in_the_sink_and_an_empty_one_empties_it() {
    for content in [&b"hello"[..], b""] {
        let (sink, memory) = sink();
        let answer = answer(200, into(Some(content.len() as u64)), Some(sink)).unwrap();
        assert!(answer.is_poured());
        let (kept, end) = body_and_end(answer.read(content, None).unwrap());
        let digest = Digest::of(Algorithm::Sha256, content);
        assert_eq!((kept, end), (Vec::new(), End::Poured { len: content.len() as u64, digest }));
        assert_eq!(memory.take(), content);
    }
}

#[test]
fn an_error_is_kept_and_leaves_the_sink_alone() {
    let (sink, memory) = sink();
    let answer = answer(404, into(None), Some(sink)).unwrap();
    assert!(!answer.is_poured());
    assert_eq!(body_and_end(answer.read(&b"not here"[..], None).unwrap()), (b"not ".to_vec(), End::OverLimit));
    assert_eq!(memory.take(), b"of an earlier attempt");
}

#[test]
fn a_sink_that_is_missing_or_broken_is_told_as_that() {
    assert!(matches!(answer(200, into(None), None), Err(NoAnswer::Sink(_))));
    let broken = Sink::opened_by(|| Err(io::Error::other("the disk is gone")));
    for body in [&b"hello"[..], b""] {
        let told = answer(200, into(None), Some(broken.clone())).unwrap().read(body, None);
        assert!(matches!(told, Err(NoAnswer::Sink(why)) if why == "the disk is gone"));
    }
    let (small, _) = Sink::memory(3);
    assert!(matches!(answer(200, into(None), Some(small)).unwrap().take(b"hello"), Err(NoAnswer::Sink(_))));
}

/// A connection that breaks.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::ConnectionReset.into())
    }
}
