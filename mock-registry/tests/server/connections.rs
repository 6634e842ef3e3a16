//! How long connections stay, and how they end.

use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::RegistryOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::running::{Running, start, start_with};

#[tokio::test]
async fn stopping_lets_a_running_request_end() {
    let running = start().await;
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = format!(
        "POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhe"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    while running.shared.lock().state.uploads.is_empty() {
        tokio::task::yield_now().await;
    }
    let Running { stop, serving, .. } = running;
    stop.send(()).unwrap();
    tokio::task::yield_now().await;
    assert!(!serving.is_finished());
    stream.write_all(b"llo").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    serving.await.unwrap();
}

/// Time stands still but for waits: what waits for five minutes waits for nothing here.
#[tokio::test(start_paused = true)]
async fn s1_whoever_sends_no_more_is_let_go() {
    let server = start().await;
    for begun in ["GET /v2/ HTTP/1.1\r\nHo", "POST /v2/a/blobs/uploads/?digest="] {
        let digest = Digest::of(Algorithm::Sha256, b"hello");
        let rest = format!("{digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
        let sent = if begun.ends_with('=') { format!("{begun}{rest}") } else { begun.to_owned() };
        let answer = server.talk(sent.as_bytes()).await;
        assert!(!answer.contains(" 201 "), "{answer}");
    }
    server.shared.lock().advance(server.shared.now());
    assert!(server.shared.lock().state.uploads.is_empty());
    // Nothing that stopped is waited for.
    server.stop().await;
}

/// Where all places are taken, whoever asks nothing gives way; whoever is being answered does not.
#[tokio::test]
async fn s1_one_more_connection_takes_the_place_of_an_idle_one() {
    let mut options = RegistryOptions::default();
    options.limits.connections = 2;
    let server = start_with(options).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    let mut busy = TcpStream::connect(server.address).await.unwrap();
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    let post = format!("POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
    busy.write_all(post.as_bytes()).await.unwrap();
    while server.shared.lock().state.uploads.is_empty() {
        tokio::task::yield_now().await;
    }
    let answer = server.request("GET /v2/ HTTP/1.1", b"").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(idle.read(&mut [0; 9]).await.unwrap_or(0), 0, "the idle one was closed");
    busy.write_all(b"llo").await.unwrap();
    let mut answer = [0; 12];
    busy.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 201");
    drop(busy);
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn s1_a_head_that_drips_is_given_ten_seconds() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let begin = tokio::time::Instant::now();
    for byte in b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    assert!(answer.is_empty(), "{answer:?}");
    assert!(begin.elapsed().as_secs() >= 10);
    let log = server.log.clone();
    server.stop().await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a head took longer than 10 s"), "{log}");
}
