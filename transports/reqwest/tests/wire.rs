//! What goes over the wire, and what becomes of servers that misbehave.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use longshore_core::driver::{AskFailed, NoAnswer};
use longshore_core::{Algorithm, Blob, Digest, FailureKind, Manifest, Operation, Push, Receipt};
use longshore_reqwest::{Session, Sink};
use longshore_sources::{Environment, Source};
use support::{Server, attempts, http, json, session, tags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TAGS: &str = r#"{"name":"a","tags":["v1"]}"#;

#[tokio::test]
async fn no_header_is_sent_that_the_core_did_not_set() {
    let server = Server::answering(|_, _| json("200 OK", "Set-Cookie: a=b\r\n", TAGS)).await;
    let session = session(attempts(1));
    assert_eq!(tags(&session, server.address).await.unwrap(), ["v1"]);
    assert_eq!(tags(&session, server.address).await.unwrap(), ["v1"]);
    for head in server.heads.lock().unwrap().iter() {
        assert!(head.starts_with("GET /v2/a/tags/list HTTP/1.1\r\n"), "{head}");
        let fields = head.lines().skip(1).filter(|line| !line.is_empty());
        let mut names: Vec<_> = fields.map(|field| field.split(':').next().unwrap().to_lowercase()).collect();
        names.sort();
        assert_eq!(names, ["accept", "host"], "{head}");
    }
}

#[tokio::test]
async fn i20_a_location_is_sent_byte_for_byte() {
    let location = "/v2/a//%2E%41/%7E;(b)?x=%20%2f+&y=:@!$*,&z=a%3D%3D";
    let server = Server::answering(move |_, head| match head.split(' ').next().unwrap() {
        "POST" => json("202 Accepted", &format!("Location: {location}\r\n"), ""),
        "PUT" => json("201 Created", "", ""),
        _ => json("404 Not Found", "", "{}"),
    })
    .await;
    let session = session(attempts(1));
    let digest = Digest::of(Algorithm::Sha256, b"");
    session.add_source(digest, Source::bytes(""));
    let push = Push::new(server.address.to_string().parse().unwrap(), "a".parse().unwrap())
        .blob(Blob::known(digest, digest, 0));
    session.start(push).await.unwrap();
    let heads = server.heads.lock().unwrap();
    let put = heads.iter().find(|head| head.starts_with("PUT")).unwrap();
    assert!(put.starts_with(&format!("PUT {location}&digest=sha256%3A{} HTTP/1.1\r\n", digest.hex())), "{put}");
}

#[tokio::test]
async fn i02_a_redirect_is_not_followed_by_the_stack() {
    let elsewhere = Server::answering(|_, _| json("200 OK", "", TAGS)).await;
    let location = format!("Location: http://{}/v2/a/tags/list\r\n", elsewhere.address);
    let server = Server::answering(move |_, _| json("307 Temporary Redirect", &location, "{}")).await;
    let failure = tags(&session(attempts(3)), server.address).await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Refused(_)), "{failure}");
    assert_eq!((server.requests(), elsewhere.requests()), (1, 0));
}

#[tokio::test]
async fn i23_an_endless_answer_is_cut_at_the_limit() {
    let taken = Arc::new(AtomicU64::new(0));
    let server = Server::serving({
        let taken = Arc::clone(&taken);
        move |_, _, mut stream| {
            let taken = Arc::clone(&taken);
            async move {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n").await.unwrap();
                while let Ok(written) = stream.write(&[b' '; 4096]).await {
                    taken.fetch_add(written as u64, Ordering::SeqCst);
                }
            }
        }
    })
    .await;
    let mut options = attempts(3);
    options.manifest_body = 10_000;
    let failure = tags(&session(options), server.address).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLarge, "{failure}");
    assert_eq!(server.requests(), 1);
    assert!(taken.load(Ordering::SeqCst) < 64 << 20, "what the kernel buffers, and not the world");
}

#[tokio::test]
async fn i23_a_head_with_too_many_fields_or_bytes_is_no_answer() {
    let fields: String = (0..200).map(|i| format!("X-{i}: y\r\n")).collect();
    let bytes = format!("X: {}\r\n", "y".repeat(70_000));
    for headers in [fields, bytes] {
        let server = Server::answering(move |_, _| json("200 OK", &headers, TAGS)).await;
        let failure = tags(&session(attempts(1)), server.address).await.unwrap_err();
        assert!(matches!(failure.kind, FailureKind::NoAnswer(NoAnswer::Lost(_))), "{failure}");
    }
}

#[tokio::test]
async fn a_lost_connection_is_another_attempt_of_the_cores() {
    let server = Server::answering(|number, _| if number < 2 { Vec::new() } else { json("200 OK", "", TAGS) }).await;
    assert_eq!(tags(&session(attempts(3)), server.address).await.unwrap(), ["v1"]);
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_lost() {
    let server = Server::answering(|_, _| {
        let mut answer = json("200 OK", "", TAGS);
        answer.truncate(answer.len() - 5);
        answer
    })
    .await;
    let failure = tags(&session(attempts(1)), server.address).await.unwrap_err();
    assert!(
        matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Lost(why)) if why.contains("cut short")),
        "{failure}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_said_in_a_sentence() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let failure = tags(&session(attempts(1)), closed).await.unwrap_err();
    let why = NoAnswer::NotSent(format!("connection refused: nothing listens at {closed}"));
    assert_eq!(failure.kind, FailureKind::NoAnswer(why));

    let silent = Server::serving(|_, _, stream| async move { drop(stream) }).await;
    let failure = tags(&session(attempts(1)), silent.address).await.unwrap_err();
    assert!(matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Lost(_))), "{failure}");

    let session = session(attempts(1));
    let failure = session.start(support::list_tags("registry.invalid")).await.unwrap_err();
    let FailureKind::NoAnswer(NoAnswer::NotSent(why)) = &failure.kind else { panic!("{failure}") };
    assert!(why.starts_with("no address is known for registry.invalid: "), "{why}");
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_body_is_delivered_and_ends_the_body() {
    let received = Arc::new(AtomicU64::new(0));
    let done = Arc::new(tokio::sync::Notify::new());
    let server = Server::serving({
        let (received, done) = (Arc::clone(&received), Arc::clone(&done));
        move |_, head, mut stream| {
            let (received, done) = (Arc::clone(&received), Arc::clone(&done));
            async move {
                let answer = match head.split(' ').next().unwrap() {
                    "POST" => json("202 Accepted", "Location: /v2/a/blobs/uploads/1\r\n", ""),
                    "PUT" => json("403 Forbidden", "", r#"{"errors":[{"code":"DENIED","message":"quota"}]}"#),
                    "DELETE" => json("204 No Content", "", ""),
                    _ => json("404 Not Found", "", "{}"),
                };
                stream.write_all(&answer).await.unwrap();
                if head.starts_with("PUT") {
                    // The client breaks off: nothing here closes the connection first.
                    let mut buffer = vec![0; 1 << 16];
                    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
                        received.fetch_add(len as u64, Ordering::SeqCst);
                    }
                    done.notify_one();
                }
            }
        }
    })
    .await;
    let len = 256 << 20;
    let digest = Digest::of(Algorithm::Sha256, b"whatever: nobody hashes what is trusted");
    let source = Source::opened_by(len, |_| Ok(Box::new(std::io::repeat(7)))).with_digest(digest).trusted();
    let session = session(attempts(1));
    session.add_source(digest, source);
    let index = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let push = Push::new(server.address.to_string().parse().unwrap(), "a".parse().unwrap())
        .root(Manifest::parse(&index[..]).unwrap())
        .blob(Blob::known(digest, digest, len));
    let failure = session.start(push).await.unwrap_err();
    assert!(failure.to_string().contains("quota"), "{failure}");
    done.notified().await;
    assert!(received.load(Ordering::SeqCst) < len, "the rest of the body was not sent");
}

#[tokio::test]
async fn a_blob_is_poured_into_its_sink_and_no_further_than_its_size() {
    let content: &[u8] = b"some content";
    let digest = Digest::of(Algorithm::Sha256, content);
    let server = Server::answering(move |number, _| {
        let more: &[u8] = if number == 0 { b"" } else { b" and more" };
        let body = [content, more].concat();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        [head.as_bytes(), &body].concat()
    })
    .await;
    let session = session(attempts(1));
    let (sink, memory) = Sink::memory(100);
    session.add_sink(digest, sink);
    let pull = || Operation::PullBlob {
        registry: server.address.to_string().parse().unwrap(),
        repository: "a".parse().unwrap(),
        digest,
        size: Some(content.len() as u64),
        sink: digest,
    };
    let receipt = session.start(pull()).await.unwrap();
    assert_eq!(receipt, Receipt::Poured { blob: digest, len: content.len() as u64 });
    assert_eq!(memory.take(), content);
    let failure = session.start(pull()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::TooLarge, "{failure}");
}

#[tokio::test]
async fn a_sink_that_cannot_be_written_ends_the_pull_at_once() {
    let content: &[u8] = b"some content";
    let digest = Digest::of(Algorithm::Sha256, content);
    let server = Server::answering(move |_, _| json("200 OK", "", "some content")).await;
    let session = session(attempts(3));
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
        session.add_sink(digest, sink);
        let failure = session.start(pull()).await.unwrap_err();
        assert!(
            matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Sink(why)) if why.contains(expected)),
            "{failure}"
        );
        assert_eq!(server.requests(), number, "it is not tried again");
    }
    session.forget_sink(&digest);
    let failure = session.start(pull()).await.unwrap_err();
    assert!(
        matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Sink(why)) if why.contains("no sink was given")),
        "{failure}"
    );
}

#[tokio::test]
async fn a_dropped_operation_is_given_up_and_a_cancelled_one_says_so() {
    let server = Server::serving(|_, _, stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let session: Session<Digest> = Session::builder(http()).options(attempts(1)).start();
    drop(session.start(support::list_tags(&server.address.to_string())));
    let running = session.start(support::list_tags(&server.address.to_string()));
    running.cancel();
    assert_eq!(running.await.unwrap_err().kind, FailureKind::Cancelled);
}

#[tokio::test]
async fn credentials_are_asked_for_once_by_the_path_and_again_after_a_look_up_that_failed() {
    let answer = |_: usize, head: &str| {
        if head.contains("authorization: Basic dTpw\r\n") {
            json("200 OK", "", TAGS)
        } else {
            json("401 Unauthorized", "WWW-Authenticate: Basic realm=\"r\"\r\n", "{}")
        }
    };
    let server = Server::answering(answer).await;
    let asked = Arc::new(AtomicU64::new(0));
    let session: Session<Digest> = Session::builder(http())
        .options(attempts(1))
        .credentials({
            let (asked, registry) = (Arc::clone(&asked), server.address.to_string());
            move |of, repository, stale| {
                assert_eq!((of.to_string(), stale), (registry.clone(), false));
                if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                    return Err(AskFailed("the keychain is locked".to_owned()));
                }
                let mut stored = Environment::default();
                let config =
                    format!(r#"{{"auths":{{"{registry}/a":{{"auth":"dTpw"}},"{registry}":{{"auth":"eDp4"}}}}}}"#);
                stored.docker_auth_config = Some(config.into());
                stored.credentials(of, repository).map_err(|error| AskFailed(error.to_string()))
            }
        })
        .start();
    let failure = tags(&session, server.address).await.unwrap_err();
    assert!(failure.to_string().contains("the keychain is locked"), "{failure}");
    for _ in 0..2 {
        assert_eq!(tags(&session, server.address).await.unwrap(), ["v1"]);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);

    let session: Session<Digest> =
        Session::builder(http()).options(attempts(1)).credentials(|_, _, _| panic!("a broken helper")).start();
    let failure = tags(&session, server.address).await.unwrap_err();
    assert!(failure.to_string().contains("panicked"), "{failure}");
}

#[tokio::test]
async fn plain_http_spoken_to_a_server_of_tls_is_said_in_a_sentence_and_not_again() {
    // TLS's alert "protocol version", which is what plain HTTP gets from it.
    let server = Server::answering(|_, _| vec![0x15, 3, 1, 0, 2, 2, 70]).await;
    let failure = tags(&session(attempts(3)), server.address).await.unwrap_err();
    let said = format!("{} does not answer in HTTP: ", server.address);
    assert!(
        matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Untrusted(why)) if why.starts_with(&said)),
        "{failure}"
    );
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
#[should_panic(expected = "an `on_event` panicked")]
async fn an_on_event_that_panics_ends_the_operation_and_leaves_nobody_waiting() {
    let server = Server::answering(|_, _| json("200 OK", "", TAGS)).await;
    let session: Session<Digest> = Session::builder(http()).on_event(|_| panic!("what it shows on is gone")).start();
    drop(session.start(support::list_tags(&server.address.to_string())).await);
}
