//! Requests as they stand: what a plain socket sees of them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use http::Request;
use longshore_core::driver::{Limits, NoAnswer};
use longshore_reqwest::{Framing, Http};

/// Reads until the request's end is here or the peer closes, then answers; gives what was read.
fn server(end: &'static [u8]) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let reading = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut all, mut piece) = (Vec::new(), [0; 1024]);
        while !all.ends_with(end) {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return all,
                Ok(len) => all.extend_from_slice(&piece[..len]),
            }
        }
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok").unwrap();
        all
    });
    (address, reading)
}

async fn send(
    address: SocketAddr,
    framing: Framing,
    length: Option<&str>,
    limit: usize,
) -> Result<http::Response<Bytes>, NoAnswer> {
    let mut request = Request::patch(format!("http://{address}/v2/a/blobs/uploads/1?_state=%2F"));
    if let Some(length) = length {
        request = request.header("content-length", length);
    }
    let request = request.body(Bytes::from("hello")).unwrap();
    Http::default().send(request, framing, &Limits::default(), limit).await
}

#[tokio::test]
async fn a_whole_body_has_its_length_announced_and_the_path_is_sent_byte_for_byte() {
    let (address, reading) = server(b"hello");
    let response = send(address, Framing::Whole, Some("5"), 100).await.unwrap();
    assert_eq!((response.status().as_u16(), response.body().as_ref()), (202, b"ok".as_ref()));
    let sent = String::from_utf8(reading.join().unwrap()).unwrap();
    assert!(sent.starts_with("PATCH /v2/a/blobs/uploads/1?_state=%2F HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("content-length: 5\r\n") && !sent.contains("transfer-encoding"), "{sent}");
}

#[tokio::test]
async fn a_streamed_body_is_in_the_chunked_coding() {
    let (address, reading) = server(b"0\r\n\r\n");
    send(address, Framing::Streamed, None, 100).await.unwrap();
    let sent = String::from_utf8(reading.join().unwrap()).unwrap();
    assert!(sent.contains("transfer-encoding: chunked\r\n") && !sent.contains("content-length"), "{sent}");
    assert!(sent.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{sent}");
}

#[tokio::test]
async fn a_body_that_is_broken_off_reaches_the_peer_as_far_as_it_goes() {
    let (address, reading) = server(b"never");
    let lost = send(address, Framing::BrokenOff, Some("1000"), 100).await.unwrap_err();
    assert!(matches!(lost, NoAnswer::Lost(_)), "{lost:?}");
    let sent = String::from_utf8(reading.join().unwrap()).unwrap();
    assert!(sent.contains("content-length: 1000\r\n") && sent.ends_with("\r\n\r\nhello"), "{sent}");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_lost() {
    let (address, _reading) = server(b"hello");
    let lost = send(address, Framing::Whole, Some("5"), 1).await.unwrap_err();
    assert!(lost.to_string().contains("more than 1 bytes"), "{lost}");
}
