//! What goes over the wire, and what becomes of servers that misbehave.

mod support;

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use longshore_core::driver::{AskFailed, NoAnswer};
use longshore_core::{Algorithm, Blob, Digest, FailureKind, Operation, Push, Receipt, Scheme};
use longshore_sources::{Environment, Source};
use longshore_ureq::{Http, HttpError, Session, Sink};
use support::{Server, attempts, http, json, registry, session, tags};

const TAGS: &str = r#"{"name":"a","tags":["v1"]}"#;

#[test]
fn no_header_is_sent_that_the_core_did_not_set() {
    let server = Server::answering(|_, _| json("200 OK", "Set-Cookie: a=b\r\n", TAGS));
    let mut session = session(attempts(1));
    for _ in 0..2 {
        assert_eq!(tags(&mut session, server.address).unwrap(), ["v1"]);
    }
    for head in server.heads.lock().unwrap().iter() {
        assert!(head.starts_with("GET /v2/a/tags/list HTTP/1.1\r\n"), "{head}");
        let fields = head.lines().skip(1).filter(|line| !line.is_empty());
        let mut names: Vec<_> = fields.map(|field| field.split(':').next().unwrap().to_lowercase()).collect();
        names.sort();
        names.retain(|name| name != "accept");
        assert_eq!(names, ["host"], "{head}");
    }
}

#[test]
fn i20_a_location_is_sent_byte_for_byte() {
    let location = "/v2/a//%2E%41/%7E;(b)?x=%20%2f+&y=:@!$*,&z=a%3D%3D";
    let server = Server::answering(move |_, head| match head.split(' ').next().unwrap() {
        "POST" => json("202 Accepted", &format!("Location: {location}\r\n"), ""),
        "PUT" => json("201 Created", "", ""),
        _ => json("404 Not Found", "", "{}"),
    });
    let mut session = session(attempts(1));
    let digest = Digest::of(Algorithm::Sha256, b"content");
    session.sources().insert(digest, Source::bytes("content"));
    let push = Push::new(server.address.to_string().parse().unwrap(), "a".parse().unwrap())
        .blob(Blob::known(digest, digest, 7));
    session.run(push).unwrap();
    let heads = server.heads.lock().unwrap();
    let put = heads.iter().find(|head| head.starts_with("PUT")).unwrap();
    assert!(put.starts_with(&format!("PUT {location}&digest=sha256%3A{} HTTP/1.1\r\n", digest.hex())), "{put}");
}

#[test]
fn i02_a_redirect_is_not_followed_by_the_stack() {
    let elsewhere = Server::answering(|_, _| json("200 OK", "", TAGS));
    let location = format!("Location: http://{}/v2/a/tags/list\r\n", elsewhere.address);
    let server = Server::answering(move |_, _| json("307 Temporary Redirect", &location, "{}"));
    let failure = tags(&mut session(attempts(3)), server.address).unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Refused(_)), "{failure}");
    assert_eq!((server.requests(), elsewhere.requests()), (1, 0));
}

#[test]
fn i23_bodies_and_heads_are_cut_at_their_limits() {
    // Whoever reads past the limit sees a connection that was cut.
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", 1_u64 << 40, " ".repeat(1 << 20));
    let server = Server::answering(move |_, _| long.clone().into_bytes());
    let mut options = attempts(3);
    options.manifest_body = 10_000;
    let failure = tags(&mut session(options), server.address).unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLarge, "{failure}");
    assert_eq!(server.requests(), 1);

    let fields: String = (0..200).map(|i| format!("X-{i}: y\r\n")).collect();
    let bytes = format!("X: {}\r\n", "y".repeat(70_000));
    for headers in [fields, bytes] {
        let server = Server::answering(move |_, _| json("200 OK", &headers, TAGS));
        let failure = tags(&mut session(attempts(1)), server.address).unwrap_err();
        assert!(matches!(failure.kind, FailureKind::NoAnswer(NoAnswer::Lost(_))), "{failure}");
    }
}

#[test]
fn a_lost_connection_is_another_attempt_of_the_cores() {
    let server = Server::answering(|number, _| if number < 2 { Vec::new() } else { json("200 OK", "", TAGS) });
    assert_eq!(tags(&mut session(attempts(3)), server.address).unwrap(), ["v1"]);
    assert_eq!(server.requests(), 3);

    let server = Server::answering(|_, _| {
        let mut answer = json("200 OK", "", TAGS);
        answer.truncate(answer.len() - 5);
        answer
    });
    let failure = tags(&mut session(attempts(1)), server.address).unwrap_err();
    assert!(
        matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Lost(why)) if why.contains("cut short")),
        "{failure}"
    );
}

#[test]
fn what_is_not_there_is_said_in_a_sentence() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = tags(&mut session(attempts(1)), closed).unwrap_err();
    let why = NoAnswer::NotSent(format!("connection refused: nothing listens at {closed}"));
    assert_eq!(failure.kind, FailureKind::NoAnswer(why));

    let failure = session(attempts(1)).run(support::list_tags("registry.invalid")).unwrap_err();
    assert!(matches!(failure.kind, FailureKind::NoAnswer(NoAnswer::NotSent(_))), "{failure}");
}

#[test]
fn a_source_that_fails_ends_the_push_and_leaves_no_blob() {
    let (address, shared) = registry();
    let digest = Digest::of(Algorithm::Sha256, b"what it should be");
    let mut session = session(attempts(3));
    let push =
        || Push::new(address.to_string().parse().unwrap(), "a".parse().unwrap()).blob(Blob::known(digest, digest, 17));
    let failure = session.run(push()).unwrap_err();
    assert!(failure.to_string().contains("no source was given"), "{failure}");
    session.sources().insert(digest, Source::bytes("what it really is").with_digest(digest));
    let failure = session.run(push()).unwrap_err();
    assert!(
        matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Source(why)) if why.contains("sha256:")),
        "{failure}"
    );
    assert!(shared.lock().state.repositories.values().all(|repository| repository.blobs.is_empty()));
}

/// Never ends, and says when it is first read.
struct Endless(Sender<()>);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // Who waits for the first time does not wait for more.
        let _ = self.0.send(());
        buffer.fill(7);
        Ok(buffer.len())
    }
}

#[test]
fn the_body_of_a_request_that_is_given_up_ends() {
    let (ended, has_ended) = channel();
    let server = Server::answering(move |number, head| match head.split(' ').next().unwrap() {
        "POST" => json("202 Accepted", &format!("Location: /v2/a/blobs/uploads/{number}\r\n"), ""),
        "PUT" if head.contains("1099511627776") => {
            ended.send(()).unwrap();
            Vec::new()
        }
        "PUT" => json("201 Created", "", ""),
        "DELETE" => json("204 No Content", "", ""),
        _ => json("404 Not Found", "", "{}"),
    });
    let [endless, broken] = [&b"endless"[..], b"broken"].map(|name| Digest::of(Algorithm::Sha256, name));
    let (begun, has_begun) = channel();
    let has_begun = Mutex::new(has_begun);
    let mut session = session(attempts(1));
    let source = Source::opened_by(1 << 40, move |_| Ok(Box::new(Endless(begun.clone()))));
    session.sources().insert(endless, source.with_digest(endless).trusted());
    // It fails when the other is on its way.
    let source = Source::opened_by(5, move |_| {
        has_begun.lock().unwrap().recv().unwrap();
        Err(std::io::Error::other("the disk is gone"))
    });
    session.sources().insert(broken, source.with_digest(broken).trusted());
    let push = || Push::new(server.address.to_string().parse().unwrap(), "a".parse().unwrap());
    // A registry's first upload goes alone: let it be another.
    let first = Digest::of(Algorithm::Sha256, b"first");
    session.sources().insert(first, Source::bytes("first"));
    session.run(push().blob(Blob::known(first, first, 5))).unwrap();
    let both = push().blob(Blob::known(endless, endless, 1 << 40)).blob(Blob::known(broken, broken, 5));
    let failure = session.run(both).unwrap_err();
    assert!(failure.to_string().contains("the disk is gone"), "{failure}");
    has_ended.recv().unwrap();
}

#[test]
fn a_blob_is_poured_into_its_sink_and_no_further_than_its_size() {
    let content: &[u8] = b"some content";
    let digest = Digest::of(Algorithm::Sha256, content);
    let server = Server::answering(move |number, _| {
        let more: &[u8] = if number == 0 { b"" } else { b" and more" };
        let body = [content, more].concat();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        [head.as_bytes(), &body].concat()
    });
    let mut session = session(attempts(1));
    let (sink, memory) = Sink::memory(100);
    session.sinks().insert(digest, sink);
    let pull = || Operation::PullBlob {
        registry: server.address.to_string().parse().unwrap(),
        repository: "a".parse().unwrap(),
        digest,
        size: Some(content.len() as u64),
        sink: digest,
    };
    let receipt = session.run(pull()).unwrap();
    assert_eq!(receipt, Receipt::Poured { blob: digest, len: content.len() as u64 });
    assert_eq!(memory.take(), content);
    let failure = session.run(pull()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLarge, "{failure}");
}

#[test]
fn a_sink_that_cannot_be_written_ends_the_pull_at_once() {
    let content: &[u8] = b"some content";
    let digest = Digest::of(Algorithm::Sha256, content);
    let server = Server::answering(move |_, _| json("200 OK", "", "some content"));
    let mut session = session(attempts(3));
    let pull = || Operation::PullBlob {
        registry: server.address.to_string().parse().unwrap(),
        repository: "a".parse().unwrap(),
        digest,
        size: Some(content.len() as u64),
        sink: digest,
    };
    let mut sinks =
        vec![(Sink::file("/nowhere/to/be/found"), "No such file"), (Sink::memory(5).0, "more than 5 bytes")];
    if cfg!(target_os = "linux") {
        sinks.push((Sink::file("/dev/full"), "No space left"));
    }
    for (number, (sink, expected)) in (1..).zip(sinks) {
        session.sinks().insert(digest, sink);
        let failure = session.run(pull()).unwrap_err();
        assert!(
            matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Sink(why)) if why.contains(expected)),
            "{failure}"
        );
        assert_eq!(server.requests(), number, "it is not tried again");
    }
    session.sinks().clear();
    let failure = session.run(pull()).unwrap_err();
    assert!(
        matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Sink(why)) if why.contains("no sink was given")),
        "{failure}"
    );
}

#[test]
fn credentials_are_asked_for_once_by_the_path_and_again_after_a_look_up_that_failed() {
    let server = Server::answering(|_, head| {
        if head.contains("authorization: Basic dTpw\r\n") {
            json("200 OK", "", TAGS)
        } else {
            json("401 Unauthorized", "WWW-Authenticate: Basic realm=\"r\"\r\n", "{}")
        }
    });
    let asked = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&asked);
    let mut session: Session<Digest> = Session::builder(http())
        .options(attempts(1))
        .credentials(move |registry, repository, _| {
            if counter.fetch_add(1, Ordering::SeqCst) == 0 {
                return Err(AskFailed("the keychain is locked".to_owned()));
            }
            let mut stored = Environment::default();
            let config = format!(r#"{{"auths":{{"{registry}/a":{{"auth":"dTpw"}},"{registry}":{{"auth":"eDp4"}}}}}}"#);
            stored.docker_auth_config = Some(config.into());
            stored.credentials(registry, repository).map_err(|error| AskFailed(error.to_string()))
        })
        .build();
    let failure = tags(&mut session, server.address).unwrap_err();
    assert!(failure.to_string().contains("the keychain is locked"), "{failure}");
    for _ in 0..2 {
        assert_eq!(tags(&mut session, server.address).unwrap(), ["v1"]);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);

    let mut session: Session<Digest> =
        Session::builder(http()).options(attempts(1)).credentials(|_, _, _| panic!("a broken helper")).build();
    let failure = tags(&mut session, server.address).unwrap_err();
    assert!(failure.to_string().contains("panicked"), "{failure}");
}

#[test]
fn tls_spoken_to_a_server_of_plain_http_is_said_in_a_sentence() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let talker = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        // Until the client goes away, in whatever way.
        drop(std::io::copy(&mut stream, &mut std::io::sink()));
    });
    let key = rcgen::KeyPair::generate().unwrap();
    let ca = rcgen::CertificateParams::new(["ca".to_owned()]).unwrap().self_signed(&key).unwrap();
    let http = Http::builder().no_proxy().ca_pem(ca.pem()).build().unwrap();
    let mut session: Session<Digest> = Session::builder(http).options(attempts(1)).build();
    let registry = address.to_string().parse::<longshore_core::Registry>().unwrap().with_scheme(Scheme::Https);
    let listing = Operation::ListTags { registry, repository: "a".parse().unwrap() };
    let failure = session.run(listing).unwrap_err();
    assert!(failure.to_string().contains("does not speak TLS"), "{failure}");
    talker.join().unwrap();
    assert!(matches!(Http::builder().ca_pem("no PEM").build(), Err(HttpError::Ca(_))));
}

#[test]
fn plain_http_spoken_to_a_server_of_tls_is_said_in_a_sentence_and_not_again() {
    // TLS's alert "protocol version", which is what plain HTTP gets from it.
    let server = Server::answering(|_, _| vec![0x15, 3, 1, 0, 2, 2, 70]);
    let failure = tags(&mut session(attempts(3)), server.address).unwrap_err();
    let said = format!("{} does not answer in HTTP: ", server.address);
    assert!(
        matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Untrusted(why)) if why.starts_with(&said)),
        "{failure}"
    );
    assert_eq!(server.requests(), 1);
}
