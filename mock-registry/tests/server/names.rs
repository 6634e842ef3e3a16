//! Under which names and ports a server is reached.

use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::auth::{Auth, Password, Rights};
use longshore_mock_registry::behaviour::LocationForm;
use longshore_mock_registry::server::Server;
use longshore_mock_registry::{Registry, RegistryOptions};
use tokio::sync::oneshot;

use crate::running::{ask, start_with};

#[test]
fn s7_where_nobody_says_otherwise_only_this_machine_reaches_it() {
    assert!(Server::LOOPBACK.ip().is_loopback());
}

#[tokio::test]
async fn a_storage_and_a_token_server_on_ports_of_their_own() {
    let auth = Auth::bearer().user("alice", Password::plain("wonderland"), Rights::all());
    let mut options = RegistryOptions::default().with_auth(auth);
    options.behaviour.read.blob_redirect = true;
    options.behaviour.start.location = LocationForm::Storage;
    let server = Server::bind(Server::LOOPBACK, Registry::new(options)).await.unwrap();
    let server = server.with_storage(Server::LOOPBACK).await.unwrap().with_tokens(Server::LOOPBACK).await.unwrap();
    let (address, shared) = (server.address().to_string(), server.shared());
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
    let (storage, tokens) = {
        let options = shared.lock().options.clone();
        assert_eq!(options.origin.unwrap().to_string(), format!("http://{address}"));
        assert_ne!(options.seed, [0; 32], "tokens would be guessed");
        (options.storage.unwrap(), options.auth.unwrap().tokens.unwrap())
    };

    let answer = ask(&address, "GET /v2/", "", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 401 ") && answer.contains(&format!("Bearer realm=\"{tokens}/token\"")),
        "{answer}"
    );
    let basic = "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\n";
    let answer = ask(&tokens.authority(), "GET /token?scope=repository:a:pull,push", basic, "").await;
    let token = &answer.split("\"token\":\"").nth(1).unwrap()[..64];
    let bearer = format!("Authorization: Bearer {token}\r\n");

    let location = |answer: &str| {
        let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
        location.strip_prefix(&storage.to_string()).unwrap_or_else(|| panic!("{location}")).to_owned()
    };
    let answer = ask(&address, "POST /v2/a/blobs/uploads/", &bearer, "").await;
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    let put = format!("PUT {}&digest={digest}", location(&answer));
    assert!(ask(&address, &put, &bearer, "hello").await.starts_with("HTTP/1.1 404 "));
    assert!(ask(&storage.authority(), &put, "", "hello").await.starts_with("HTTP/1.1 201 "));
    let answer = ask(&address, &format!("GET /v2/a/blobs/{digest}"), &bearer, "").await;
    assert!(answer.starts_with("HTTP/1.1 307 "), "{answer}");
    let answer = ask(&storage.authority(), &format!("GET {}", location(&answer)), "", "").await;
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    stop.send(()).unwrap();
    serving.await.unwrap();
}

#[tokio::test]
async fn s10_realms_and_locations_follow_the_own_name_that_was_used() {
    let auth = Auth::bearer().anonymous(Rights::all());
    let mut options = RegistryOptions::default().with_auth(auth);
    options.behaviour.start.location = LocationForm::Absolute;
    let server = start_with(options).await;
    let port = server.address.port();
    for name in ["localhost", "127.0.0.1", "[::1]", "LOCALHOST", "x"] {
        let known = if name == "x" { "127.0.0.1".to_owned() } else { name.to_lowercase() };
        let get = format!("GET /v2/ HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n");
        let answer = server.talk(get.as_bytes()).await;
        assert!(answer.contains(&format!("realm=\"http://{known}:{port}/token\"")), "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_health_path_is_neither_counted_nor_struck() {
    let options = RegistryOptions::default().with_faults("every: answer-lost".parse().unwrap());
    let server = start_with(options).await;
    let answer = server.request("GET /healthz HTTP/1.1", b"").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(server.shared.lock().struck.is_empty());
    server.stop().await;
}
