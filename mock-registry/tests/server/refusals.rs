//! What is no request as HTTP wants it is refused, and the log says so.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::running::start;

#[tokio::test]
async fn s10_requests_without_one_host_or_with_bare_line_feeds_are_refused() {
    let server = start().await;
    let end = "Connection: close\r\n\r\n";
    for (sent, status) in [
        (format!("GET /v2/ HTTP/1.1\r\n{end}"), 400),
        (format!("GET /v2/ HTTP/1.1\r\nHost: x\r\nHost: x\r\n{end}"), 400),
        (format!("GET /v2/ HTTP/1.1\r\nHost: x\nX: y\r\n{end}"), 400),
        (format!("GET /v2/ HTTP/1.1\nHost: x\r\n{end}"), 400),
        (format!("GET /v2/ HTTP/1.1\r\nHost: evil.test\r\n{end}"), 421),
        (format!("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.test\r\n{end}"), 403),
        (format!("GET /v2/ HTTP/1.1\r\nHost: x\r\n{end}"), 200),
    ] {
        let answer = server.talk(sent.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{sent:?}: {answer}");
    }
    assert!(server.shared.lock().state.uploads.is_empty());
    let log = server.log.clone();
    server.stop().await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let refused = log.lines().filter(|line| line.contains("\"refused\":")).count();
    assert_eq!((refused, log.lines().count()), (6, 7), "{log}");
    assert_eq!(log.matches("bare LF").count(), 2, "{log}");
}

/// A head that is too long is refused, and is not kept.
#[tokio::test]
async fn s1_heads_are_bounded() {
    let server = start().await;
    let many: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    let answer = server.talk(format!("GET /v2/ HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let answer =
        server.talk(format!("GET /v2/{} HTTP/1.1\r\nConnection: close\r\n\r\n", "a".repeat(1 << 16)).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 414") || answer.starts_with("HTTP/1.1 404"), "{answer}");
    let long = "a".repeat(1 << 20);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server closes while this is written.
    drop(stream.write_all(format!("GET /v2/ HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n").as_bytes()).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    assert!(!String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 200"));
    server.stop().await;
}

/// Whoever reads a request in another way than the server behind it can be made to send one that nobody asked for (request
/// smuggling): RFC 9112, sections 5, 6.1, 6.3 and 11.2.
#[tokio::test]
async fn requests_that_two_readers_read_in_two_ways_are_refused() {
    let server = start().await;
    let put = "PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    let hidden = "0\r\n\r\nDELETE /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\n\r\n";
    let refused = [
        (format!("{put}Content-Length: 5\r\n{chunked}\r\n{hidden}"), "never both"),
        (format!("{put}{chunked}Content-Length: 5\r\n\r\n{hidden}"), "never both"),
        (format!("{put}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), "several Content-Length"),
        (format!("{put}Content-Length: 5, 5\r\n\r\nhello"), "content-length"),
        (format!("{put}Content-Length: +5\r\n\r\nhello"), "content-length"),
        (format!("{put}Content-Length: -1\r\n\r\n"), "content-length"),
        (format!("{put}Transfer-Encoding: gzip, chunked\r\n\r\n{hidden}"), "is chunked, once"),
        (format!("{put}Transfer-Encoding: identity\r\n\r\n{hidden}"), "is chunked, once"),
        (format!("{put}{chunked}{chunked}\r\n{hidden}"), "is chunked, once"),
        (format!("{put}Transfer-Encoding:{}chunked\r\n\r\n{hidden}", " ".repeat(90)), "longer than any"),
        (format!("{put}Transfer-Encoding : chunked\r\n\r\n{hidden}"), "header"),
        (format!("{put}X: a\r\n b\r\n\r\n"), "header"),
        (format!("{put}X: a\0b\r\n\r\n"), "header"),
        (format!("{put}X: a\rb\r\n\r\n"), "header"),
        (format!("PUT /v2/a/manifests/v1 HTTP/1.0\r\nHost: x\r\n{chunked}\r\n{hidden}"), "transfer-encoding"),
    ];
    for (sent, why) in &refused {
        // Behind a request that is none of these, as within a connection of a proxy.
        let before = format!("POST /v2/ HTTP/1.1\r\nHost: x\r\n{chunked}\r\n3\r\nabc\r\n0\r\n\r\n");
        for (before, first) in [("", "400"), (before.as_str(), "405")] {
            server.log.0.lock().unwrap().clear();
            let answer = server.talk(format!("{before}{sent}").as_bytes()).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {first} ")), "{sent:?}: {answer}");
            let statuses: Vec<&str> =
                answer.match_indices("HTTP/1.1 ").map(|(at, _)| &answer[at + 9..at + 12]).collect();
            assert_eq!(statuses.last(), Some(&"400"), "{sent:?}: {answer}");
            let log = String::from_utf8(server.log.0.lock().unwrap().clone()).unwrap().to_lowercase();
            let line =
                log.lines().find(|line| line.contains("\"refused\":")).unwrap_or_else(|| panic!("{sent:?}: {log}"));
            assert!(line.contains(&why.to_lowercase()), "{sent:?}: {line}");
            assert!(!log.contains("\"delete\""), "{log}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn the_host_of_a_target_in_absolute_form_counts() {
    let server = start().await;
    let end = "Host: x\r\nConnection: close\r\n\r\n";
    let status = async |target: &str| {
        let answer = server.talk(format!("GET {target} HTTP/1.1\r\n{end}").as_bytes()).await;
        answer[9..12].to_owned()
    };
    assert_eq!(status("http://x/v2/").await, "200");
    assert_eq!(status(&format!("http://{}/v2/", server.address)).await, "200");
    assert_eq!(status("http://evil.test/v2/").await, "421");
    assert_eq!(status("http://x@evil.test/v2/").await, "421");
    assert_eq!(status("*").await, "404");
    server.stop().await;
}
