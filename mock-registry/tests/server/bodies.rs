//! Bodies on their way in and out, whole and broken.

use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::RegistryOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::running::{start, start_with};

#[tokio::test]
async fn a_big_blob_goes_in_and_out() {
    let running = start().await;
    let content: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    let digest = Digest::of(Algorithm::Sha256, &content);
    let answer = running.request(&format!("POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1"), &content).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");

    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let get = format!("GET /v2/a/blobs/{digest} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert!(answer[body..] == content);

    let answer = running.request(&format!("HEAD /v2/a/blobs/{digest} HTTP/1.1"), b"").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("content-length: 5000000"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"));

    let log = String::from_utf8(running.log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let facts = |line: &serde_json::Value| {
        (line["row"].clone(), line["status"].clone(), line["received"].clone(), line["sent"].clone())
    };
    let expected = [
        ("end-4b".into(), 201.into(), 5_000_000.into(), 0.into()),
        ("end-2".into(), 200.into(), 0.into(), 5_000_000.into()),
        ("end-2".into(), 200.into(), 0.into(), 0.into()),
    ];
    assert_eq!(lines.iter().map(facts).collect::<Vec<_>>(), expected);
    running.stop().await;
}

#[tokio::test]
async fn an_early_answer_arrives_although_the_body_is_big() {
    let running = start().await;
    let answer = running.request("PUT /v2/a/manifests/v1 HTTP/1.1", &vec![b' '; 6 << 20]).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_what_came() {
    let running = start().await;
    let answer = running.request("POST /v2/a/blobs/uploads/ HTTP/1.1", b"").await;
    let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
    {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let head = format!("PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello");
        stream.write_all(head.as_bytes()).await.unwrap();
        while !running.shared.lock().state.uploads.values().any(|upload| upload.len() == 5) {
            tokio::task::yield_now().await;
        }
    }
    while running.shared.lock().state.uploads.values().any(|upload| upload.busy) {
        tokio::task::yield_now().await;
    }
    let answer = running.request(&format!("GET {location} HTTP/1.1"), b"").await;
    assert!(answer.starts_with("HTTP/1.1 204 ") && answer.contains("range: 0-4\r\n"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn faults_are_delivered() {
    let faults = "#1: answer-lost; #2: answer-cut 4; #3: answer-cut 0; #4: latency 1us; #5: request-lost; #6: status 503 retry-after 7".parse().unwrap();
    let running = start_with(RegistryOptions::default().with_faults(faults)).await;
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    assert_eq!(running.request(&format!("POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1"), b"hello").await, "");
    let get = format!("GET /v2/a/blobs/{digest} HTTP/1.1");
    let cut = running.request(&get, b"").await;
    assert!(cut.starts_with("HTTP/1.1 200 ") && cut.ends_with("\r\n\r\nhell"), "{cut}");
    let cut = running.request(&get, b"").await;
    assert!(cut.starts_with("HTTP/1.1 200 ") && cut.ends_with("\r\n\r\n"), "{cut}");
    let whole = running.request(&get, b"").await;
    assert!(whole.ends_with("\r\n\r\nhello"), "{whole}");
    assert_eq!(running.request(&get, b"").await, "");
    let busy = running.request(&get, b"").await;
    assert!(busy.starts_with("HTTP/1.1 503 ") && busy.contains("retry-after: 7\r\n"), "{busy}");
    assert_eq!(running.shared.lock().struck.len(), 6);
    running.stop().await;
}
