//! Whom a connection trusts, and what it shows of itself.

mod support;

use longshore_core::driver::NoAnswer;
use longshore_core::target::Policy;
use longshore_core::{Digest, Failure, FailureKind, Operation, Origin, Receipt, Registry, Scheme};
use longshore_ureq::{Http, HttpBuilder, Session, TlsError};
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
    Session::builder(http.no_proxy().build().unwrap()).options(options).build()
}

fn tags(session: &mut Session<Digest>, server: &TlsServer) -> Result<usize, Box<Failure>> {
    let operation = Operation::ListTags { registry: https(server), repository: "a".parse().unwrap() };
    match session.run(operation)? {
        Receipt::Tags(tags) => Ok(tags.len()),
        other => panic!("{other:?}"),
    }
}

fn untrusted(failure: &Failure, server: &TlsServer) -> bool {
    let start = format!("the certificate of {} is not trusted: ", server.address);
    matches!(&failure.kind, FailureKind::NoAnswer(NoAnswer::Untrusted(why)) if why.starts_with(&start))
}

#[test]
fn i08_a_ca_that_is_named_is_trusted_and_no_other() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let (a, b) = (ours.server(json("200 OK", "", TAGS)), theirs.server(json("200 OK", "", TAGS)));
    let mut session = session(Http::builder().ca_pem(ours.pem()), Policy::default());
    assert_eq!(tags(&mut session, &a).unwrap(), 1);
    let failure = tags(&mut session, &b).unwrap_err();
    assert!(untrusted(&failure, &b), "{failure}");
    assert!(b.seen.lock().unwrap().is_empty());
}

#[test]
fn i08_the_very_certificate_that_was_named_is_trusted_though_it_is_a_cas() {
    let (ours, theirs) = (Ca::new(), Ca::new());
    let (a, b) = (ours.server_of_its_own(json("200 OK", "", TAGS)), theirs.server_of_its_own(json("200 OK", "", TAGS)));
    let mut session = session(Http::builder().ca_pem(ours.pem()), Policy::default());
    assert_eq!(tags(&mut session, &a).unwrap(), 1);
    let failure = tags(&mut session, &b).unwrap_err();
    assert!(untrusted(&failure, &b) && !failure.to_string().contains("EndEntity"), "{failure}");
}

#[test]
fn i08_skipping_the_check_holds_for_one_origin_and_not_for_where_it_redirects() {
    let (ca, other) = (Ca::new(), Ca::new());
    let b = other.server(json("200 OK", "", TAGS));
    let a = ca.server(json("200 OK", "", TAGS));
    let mut listing = session(Http::builder().insecure_skip_verify(origin(&a)), Policy::default());
    assert_eq!(tags(&mut listing, &a).unwrap(), 1);

    let location = format!("Location: https://{}/v2/a/tags/list\r\n", b.address);
    let a = ca.server(json("307 Temporary Redirect", &location, "{}"));
    let policy = Policy::default().allow_origin(origin(&b));
    let mut redirected = session(Http::builder().insecure_skip_verify(origin(&a)), policy);
    let failure = tags(&mut redirected, &a).unwrap_err();
    assert!(untrusted(&failure, &b), "{failure}");
    assert_eq!((a.seen.lock().unwrap().len(), b.seen.lock().unwrap().len()), (1, 0));
}

#[test]
fn i08_a_client_certificate_is_shown_to_its_origin_alone() {
    let ca = Ca::new();
    let (a, b) = (ca.server(json("200 OK", "", TAGS)), ca.server(json("200 OK", "", TAGS)));
    let client = ca.certificate("client.example");
    let key = client.key.serialize_pem();
    let http = Http::builder().ca_pem(ca.pem()).client_certificate(origin(&a), client.chain.clone(), key);
    let mut session = session(http, Policy::default());
    for (server, shown) in [(&a, true), (&b, false)] {
        tags(&mut session, server).unwrap();
        assert_eq!(*server.seen.lock().unwrap(), [shown]);
    }
}

#[test]
fn what_is_no_certificate_or_key_is_told_before_anything_is_connected() {
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no PEM", no_certificate] {
        assert!(matches!(Http::builder().ca_pem(pem).build(), Err(TlsError::Ca(_))), "{pem}");
    }
    let ca = Ca::new();
    let (client, other) = (ca.certificate("client.example"), ca.certificate("other.example"));
    let origin = "localhost:1".parse::<Registry>().unwrap().with_scheme(Scheme::Https).origin();
    for key in [other.key.serialize_pem(), "no PEM".to_owned()] {
        let built = Http::builder().client_certificate(origin.clone(), client.chain.clone(), key).build();
        assert!(matches!(built, Err(TlsError::Identity { .. })));
    }
}
