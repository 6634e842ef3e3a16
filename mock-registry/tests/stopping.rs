//! The end of a server: it waits for answers, and for no client.

use std::time::Duration;

use longshore_mock_registry::fault::Faults;
use longshore_mock_registry::server::Server;
use longshore_mock_registry::{Registry, RegistryOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Sends this on a connection each, and stops the server; gives what came back on each, and how long the end took.
async fn stopped(options: RegistryOptions, sent: &[&[u8]]) -> (Vec<String>, Duration) {
    let server = Server::bind(Server::LOOPBACK, Registry::new(options)).await.unwrap().with_host("x");
    let address = server.address();
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async { drop(stopping.await) }));
    let mut streams = Vec::new();
    for bytes in sent {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        streams.push(stream);
    }
    // They are taken in.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begin = Instant::now();
    drop(stop);
    serving.await.unwrap();
    let time = begin.elapsed();
    let mut answers = Vec::new();
    for mut stream in streams {
        let mut answer = Vec::new();
        // What a server closes in the midst of a head may be a reset.
        drop(stream.read_to_end(&mut answer).await);
        answers.push(String::from_utf8_lossy(&answer).into_owned());
    }
    (answers, time)
}

#[tokio::test]
async fn clients_that_ask_nothing_keep_no_server_alive() {
    let head = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n";
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let whole = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n";
    let (answers, time) = stopped(RegistryOptions::default(), &[b"", head, http2, whole]).await;
    assert!(time < Duration::from_secs(1), "{time:?}");
    assert!(answers[3].starts_with("HTTP/1.1 200 OK\r\n"), "{answers:?}");
}

#[tokio::test]
async fn an_answer_that_is_late_is_waited_for_and_nothing_else() {
    let faults: Faults = "every: latency 1500ms".parse().unwrap();
    let whole = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n";
    let (answers, time) = stopped(RegistryOptions::default().with_faults(faults), &[b"G", whole]).await;
    assert!(answers[1].starts_with("HTTP/1.1 200 OK\r\n"), "{answers:?}");
    assert!(time > Duration::from_secs(1) && time < Duration::from_millis(2500), "{time:?}");
}
