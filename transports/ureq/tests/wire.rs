//! What the kit does not ask: words for what went wrong, credentials, and sources that are not what they were said to be.

mod support;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use longshore_core::driver::{AskFailed, NoAnswer};
use longshore_core::{Algorithm, Blob, Digest, FailureKind, Operation, Push, Scheme};
use longshore_sources::{Environment, Source};
use longshore_ureq::{Http, Session, TlsError};
use support::{Server, attempts, http, json, registry, session, tags};

const TAGS: &str = r#"{"name":"a","tags":["v1"]}"#;

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
    assert!(matches!(Http::builder().ca_pem("no PEM").build(), Err(TlsError::Ca(_))));
}
