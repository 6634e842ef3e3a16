//! What the kit does not ask: words for what went wrong, credentials, and operations that are given up.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use longshore_core::driver::{AskFailed, NoAnswer};
use longshore_core::{Digest, FailureKind};
use longshore_reqwest::Session;
use longshore_sources::Environment;
use support::{Server, attempts, http, json, session, tags};

const TAGS: &str = r#"{"name":"a","tags":["v1"]}"#;

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
#[should_panic(expected = "an `on_event` panicked")]
async fn an_on_event_that_panics_ends_the_operation_and_leaves_nobody_waiting() {
    let server = Server::answering(|_, _| json("200 OK", "", TAGS)).await;
    let session: Session<Digest> = Session::builder(http()).on_event(|_| panic!("what it shows on is gone")).start();
    drop(session.start(support::list_tags(&server.address.to_string())).await);
}
