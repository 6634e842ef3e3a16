//! Whom a connection trusts, and what it shows of itself.

mod support;

use longshore_core::driver::NoAnswer;
use longshore_core::target::Policy;
use longshore_core::{Digest, Failure, FailureKind, Operation, Origin, Receipt, Registry, Scheme};
use longshore_reqwest::{Http, HttpBuilder, Session, TlsError};
use support::tls::{Ca, TlsServer};
use support::{attempts, json};

const TAGS: &str = r#"{"name":"a","tags":["v1"]}"#;

fn https(server: &TlsServer) -> Registry {
    server.address.to_string().parse::<Registry>().unwrap().with_scheme(Scheme::Https)
}

fn origin(server: &TlsServer) -> Origin {
    https(server).origin()
}

fn session(http: HttpBuilder, policy: Policy) -> Session<Digest> {
    let mut options = attempts(1);
    options.policy = policy;
    Session::builder(http.no_proxy().build().unwrap()).options(options).start()
}

async fn tags(session: &Session<Digest>, server: &TlsServer) -> Result<usize, Box<Failure>> {
    let operation = Operation::ListTags { registry: https(server), repository: "a".parse().unwrap() };
    match session.start(operation).await? {
        Receipt::Tags(tags) => Ok(tags.len()),
        other => panic!("{other:?}"),
    }
}

fn untrusted(failure: &Failure, server: &TlsServer) -> bool {
    let start = format!("the certificate of {} is not trusted: ", server.address);
    matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Untrusted(why)) if why.starts_with(&start))
}

#[tokio::test]
async fn i08_a_ca_that_is_named_is_trusted_and_no_other() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let (a, b) = (ours.server(json("200 OK", "", TAGS)).await, theirs.server(json("200 OK", "", TAGS)).await);
    let session = session(Http::builder().ca_pem(ours.pem()), Policy::default());
    assert_eq!(tags(&session, &a).await.unwrap(), 1);
    let failure = tags(&session, &b).await.unwrap_err();
    assert!(untrusted(&failure, &b), "{failure}");
    assert!(b.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn i08_the_very_certificate_that_was_named_is_trusted_though_it_is_a_cas() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let a = ours.server_of_its_own(json("200 OK", "", TAGS)).await;
    let b = theirs.server_of_its_own(json("200 OK", "", TAGS)).await;
    let session = session(Http::builder().ca_pem(ours.pem()), Policy::default());
    assert_eq!(tags(&session, &a).await.unwrap(), 1);
    let failure = tags(&session, &b).await.unwrap_err();
    assert!(untrusted(&failure, &b) && !failure.to_string().contains("EndEntity"), "{failure}");
}

#[tokio::test]
async fn i08_skipping_the_check_holds_for_one_origin_and_not_for_where_it_redirects() {
    let (ca, other) = (Ca::new(), Ca::new());
    let b = other.server(json("200 OK", "", TAGS)).await;
    let location = format!("Location: https://{}/v2/a/tags/list\r\n", b.address);
    let a = ca.server(json("200 OK", "", TAGS)).await;
    let http = || Http::builder().insecure_skip_verify(origin(&a)).http1_only();
    assert_eq!(tags(&session(http(), Policy::default()), &a).await.unwrap(), 1);

    let a = ca.server(json("307 Temporary Redirect", &location, "{}")).await;
    let http = Http::builder().insecure_skip_verify(origin(&a)).http1_only();
    let session = session(http, Policy::default().allow_origin(origin(&b)));
    let failure = tags(&session, &a).await.unwrap_err();
    assert!(untrusted(&failure, &b), "{failure}");
    assert_eq!((a.seen.lock().unwrap().len(), b.seen.lock().unwrap().len()), (1, 0));
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_its_origin_alone() {
    let ca = Ca::new();
    let (a, b) = (ca.server(json("200 OK", "", TAGS)).await, ca.server(json("200 OK", "", TAGS)).await);
    let client = ca.certificate("client.example");
    let http = Http::builder().ca_pem(ca.pem()).client_certificate(
        origin(&a),
        client.chain.clone(),
        client.key.serialize_pem(),
    );
    let session = session(http, Policy::default());
    for (server, shown) in [(&a, true), (&b, false)] {
        tags(&session, server).await.unwrap();
        assert_eq!(server.seen.lock().unwrap()[0].client_certificate, shown);
    }
    let other = ca.certificate("other.example");
    let mismatched = Http::builder().client_certificate(origin(&a), client.chain, other.key.serialize_pem()).build();
    assert!(matches!(mismatched, Err(TlsError::Identity { .. })));
}

#[test]
fn what_is_no_ca_is_told_before_anything_is_connected() {
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no PEM", no_certificate] {
        assert!(matches!(Http::builder().ca_pem(pem).build(), Err(TlsError::Ca(_))), "{pem}");
    }
}

#[tokio::test]
async fn http2_is_spoken_where_alpn_agrees_on_it() {
    let ca = Ca::new();
    for (http, protocol) in [(Http::builder(), "h2"), (Http::builder().http1_only(), "http/1.1")] {
        let server = ca.server(json("200 OK", "", TAGS)).await;
        let session = session(http.ca_pem(ca.pem()), Policy::default());
        assert_eq!(tags(&session, &server).await.unwrap(), 1);
        assert_eq!(server.seen.lock().unwrap()[0].protocol, protocol);
    }
}

#[tokio::test]
async fn tls_spoken_to_a_server_of_plain_http_is_said_in_a_sentence() {
    let listening = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listening.local_addr().unwrap();
    let talker = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listening.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let mut rest = Vec::new();
        drop(std::io::Read::read_to_end(&mut stream, &mut rest));
    });
    let server = TlsServer { address, seen: Default::default() };
    let ca = Ca::new();
    let session = session(Http::builder().ca_pem(ca.pem()), Policy::default());
    let failure = tags(&session, &server).await.unwrap_err();
    assert!(failure.to_string().contains("does not speak TLS"), "{failure}");
    talker.join().unwrap();
}
