//! Faults as clients on a port meet them, over HTTP/1.1 and HTTP/2: the same as in the pure registry.

use bytes::Bytes;
use http::{Method, Request};
use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::fault::EFFECTS;
use longshore_mock_registry::server::Server;
use longshore_mock_registry::{Delivery, Instant, Registry, RegistryOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a client has in the end.
#[derive(Debug, PartialEq, Eq)]
enum Got {
    /// A whole answer: its status, and how many bytes its body has.
    Whole(u16, usize),
    /// An answer that broke off in its body.
    Broken(u16),
    Nothing,
}

struct Asked {
    method: Method,
    path: String,
    body: &'static str,
}

fn registry(fault: &str) -> Registry {
    let mut registry = Registry::new(RegistryOptions::default().with_seed([7; 32]));
    let post = Request::post(format!("/v2/a/blobs/uploads/?digest={}", digest("hello")));
    registry.answer(Instant::default(), post.body(Bytes::from("hello")).unwrap()).unwrap();
    registry.inject_faults(format!("#1: {fault}").parse().unwrap());
    registry
}

fn digest(content: &str) -> Digest {
    Digest::of(Algorithm::Sha256, content.as_bytes())
}

fn purely(fault: &str, asked: &Asked) -> Got {
    let mut request = Request::builder().method(asked.method.clone()).uri(&asked.path);
    request = request.header("content-length", asked.body.len());
    match registry(fault).answer(Instant::default(), request.body(asked.body.into()).unwrap()) {
        Ok(answer) => Got::Whole(answer.status().as_u16(), answer.body().len()),
        Err(undelivered) => match (undelivered.delivery, undelivered.arrived) {
            (Delivery::CutAfter(_), Some(arrived)) => Got::Broken(arrived.status().as_u16()),
            _ => Got::Nothing,
        },
    }
}

async fn over_http1(address: std::net::SocketAddr, asked: &Asked) -> Got {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (method, path, length) = (&asked.method, &asked.path, asked.body.len());
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{}", asked.body).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Got::Nothing };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let Some(status) = head.strip_prefix("HTTP/1.1 ").map(|rest| rest[..3].parse().unwrap()) else {
        return Got::Nothing;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map(|len| len.parse().unwrap());
    let came = answer.len() - end - 4;
    let expected = if asked.method == Method::HEAD { 0 } else { length.unwrap_or(0) };
    if came == expected { Got::Whole(status, came) } else { Got::Broken(status) }
}

async fn over_http2(address: std::net::SocketAddr, asked: &Asked) -> Got {
    let stream = TcpStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let running = tokio::spawn(connection);
    let got = exchange(client, address, asked).await;
    running.abort();
    got
}

async fn exchange(client: h2::client::SendRequest<Bytes>, address: std::net::SocketAddr, asked: &Asked) -> Got {
    let Ok(mut client) = client.ready().await else { return Got::Nothing };
    let request = Request::builder().method(asked.method.clone()).uri(format!("http://{address}{}", asked.path));
    let request = request.header("content-length", asked.body.len()).body(()).unwrap();
    let (answer, mut body) = client.send_request(request, asked.body.is_empty()).unwrap();
    if !asked.body.is_empty() {
        drop(body.send_data(asked.body.into(), true));
    }
    let Ok(answer) = answer.await else { return Got::Nothing };
    let (status, mut body) = (answer.status().as_u16(), answer.into_body());
    let mut came = 0;
    while let Some(piece) = body.data().await {
        match piece {
            Ok(piece) => {
                came += piece.len();
                body.flow_control().release_capacity(piece.len()).unwrap();
            }
            Err(_) => return Got::Broken(status),
        }
    }
    Got::Whole(status, came)
}

/// Serves a registry in which this goes wrong with the first request.
async fn serve(fault: &str) -> std::net::SocketAddr {
    let server = Server::bind(Server::LOOPBACK, registry(fault)).await.unwrap();
    let address = server.address();
    tokio::spawn(server.serve(std::future::pending()));
    address
}

#[tokio::test]
async fn every_fault_is_the_same_in_the_pure_registry_and_over_both_versions_of_http() {
    let requests = || {
        let blob = format!("/v2/a/blobs/{}", digest("hello"));
        let post = format!("/v2/a/blobs/uploads/?digest={}", digest("world"));
        [
            Asked { method: Method::HEAD, path: blob.clone(), body: "" },
            Asked { method: Method::GET, path: blob, body: "" },
            Asked { method: Method::POST, path: post, body: "world" },
        ]
    };
    for (form, _) in EFFECTS {
        let fault = form.split(" [").next().unwrap();
        let bytes = if fault.starts_with("drip") || fault.starts_with("band") { "1000" } else { "4" };
        let fault = fault.replace("BYTES", bytes).replace("TIME", "1ms").replace("CODE", "503").replace("URL", "/x");
        for asked in requests() {
            let expected = purely(&fault, &asked);
            let what = format!("{fault}: {} {}", asked.method, asked.path);
            assert_eq!(over_http1(serve(&fault).await, &asked).await, expected, "{what} over HTTP/1.1");
            assert_eq!(over_http2(serve(&fault).await, &asked).await, expected, "{what} over HTTP/2");
        }
    }
}

#[tokio::test]
async fn a_reset_is_a_real_one_and_a_lost_answer_is_none() {
    let asked = Asked { method: Method::GET, path: "/v2/".to_owned(), body: "" };
    let end = async |fault: &str| {
        let mut stream = TcpStream::connect(serve(fault).await).await.unwrap();
        let address = stream.peer_addr().unwrap();
        let head = format!("GET {} HTTP/1.1\r\nHost: {address}\r\n\r\n", asked.path);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.read(&mut [0; 100]).await.map_err(|error| error.kind())
    };
    assert_eq!(end("answer-reset").await, Err(std::io::ErrorKind::ConnectionReset));
    assert_eq!(end("request-reset").await, Err(std::io::ErrorKind::ConnectionReset));
    assert_eq!(end("answer-lost").await, Ok(0));
    assert_eq!(end("request-lost").await, Ok(0));
}

#[tokio::test]
async fn a_stream_that_was_not_sent_is_refused_over_http_2() {
    let stream = TcpStream::connect(serve("not-sent").await).await.unwrap();
    let address = stream.peer_addr().unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = |path: &str| Request::get(format!("http://{address}{path}")).body(()).unwrap();
    let error = client.send_request(request("/v2/"), true).unwrap().0.await.unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::REFUSED_STREAM));
    // Only that stream is refused.
    assert_eq!(client.send_request(request("/v2/"), true).unwrap().0.await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn drips_and_latency_take_their_time() {
    for (fault, least) in [("latency 9s", 9), ("drip-answer 1", 4), ("bandwidth 1", 4)] {
        let blob = Asked { method: Method::GET, path: format!("/v2/a/blobs/{}", digest("hello")), body: "" };
        let address = serve(fault).await;
        let begin = tokio::time::Instant::now();
        assert_eq!(over_http1(address, &blob).await, Got::Whole(200, 5));
        assert!(begin.elapsed().as_secs() >= least, "{fault}: {:?}", begin.elapsed());
    }
    let path = format!("/v2/a/blobs/uploads/?digest={}", digest("world"));
    let post = Asked { method: Method::POST, path, body: "world" };
    let address = serve("drip-request 1").await;
    let begin = tokio::time::Instant::now();
    assert_eq!(over_http1(address, &post).await, Got::Whole(201, 0));
    assert!(begin.elapsed().as_secs() >= 4);
}

#[tokio::test]
async fn a_dated_retry_after_is_of_today() {
    let address = serve("status 503 retry-after date+100").await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET /v2/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let date = |name: &str| {
        let text = answer.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        httpdate::parse_http_date(text).unwrap()
    };
    let (now, later) = (date("date: "), date("retry-after: "));
    assert_eq!(later.duration_since(now).unwrap().as_secs(), 100);
    assert!(std::time::SystemTime::now().duration_since(now).unwrap().as_secs() < 60);
}
