use super::*;

/// The offset of the first invalid line and the reason; the same for all sizes of the pieces in which the bytes arrive.
fn refused(bytes: &[u8]) -> Option<(usize, &'static str)> {
    let whole = HeadWatch::default().watch(bytes).err().map(|malformed| (malformed.at, malformed.why));
    let mut watch = HeadWatch::default();
    let single = bytes.iter().enumerate().find_map(|(at, byte)| Some((at, watch.watch(&[*byte]).err()?.why)));
    assert_eq!(whole, single, "{:?}", String::from_utf8_lossy(bytes));
    whole
}

#[test]
fn a_bare_line_feed_is_found_in_heads_only() {
    let cases: [(&[u8], Option<usize>); 9] = [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\n", Some(41)),
        (b"GET / HTTP/1.1\nHost: x\r\n\r\n", Some(14)),
        (b"\n", Some(0)),
        (b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\n\n\n\nGET / HTTP/1.1\n", Some(55)),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n", None),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb;a=b\r\n0\r\n\r\nGET /\n\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\n", Some(91)),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n\n\n", None),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\n", None),
    ];
    for (bytes, found) in cases {
        assert_eq!(refused(bytes), found.map(|at| (at, BARE_LF)), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_bare_line_feed_is_found_behind_a_long_line() {
    let long = "x".repeat(2 * KEPT);
    assert_eq!(refused(format!("GET /{long}\n").as_bytes()), Some((5 + long.len(), BARE_LF)));
    assert_eq!(refused(format!("GET /{long}\r\n\n").as_bytes()), Some((7 + long.len(), BARE_LF)));
}

#[test]
fn a_body_has_one_length() {
    let spaces = " ".repeat(KEPT);
    let zeros = "0".repeat(KEPT);
    let cases = [
        ("Content-Length: 5", "Transfer-Encoding: chunked", Some(TWO_LENGTHS)),
        ("Transfer-Encoding: chunked", "Content-Length: 5", Some(TWO_LENGTHS)),
        ("TRANSFER-ENCODING:chunked", "content-length:5", Some(TWO_LENGTHS)),
        ("Content-Length: 5", "Content-Length: 6", Some(UNEQUAL_LENGTHS)),
        ("Content-Length: 5", "Content-Length: 5", None),
        ("Content-Length: 5", "Content-Length: 05", None),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", Some(OTHER_CODING)),
        ("X: y", "Transfer-Encoding: gzip, chunked", Some(OTHER_CODING)),
        ("X: y", "Transfer-Encoding: chunked, identity", Some(OTHER_CODING)),
        ("X: y", "Transfer-Encoding: identity", Some(OTHER_CODING)),
        ("X: y", "Transfer-Encoding:", Some(OTHER_CODING)),
        ("X: y", "Transfer-Encoding: \tChunked ", None),
        ("Content-Length: 5", &format!("Transfer-Encoding:{spaces}chunked"), Some(LONG_FIELD)),
        ("X: y", &format!("Content-Length: {zeros}5"), Some(LONG_FIELD)),
        ("X: y", &format!("X-Content-Length: {zeros}5"), None),
    ];
    for (first, second, why) in cases {
        let head = format!("PUT / HTTP/1.1\r\n{first}\r\n{second}\r\n");
        let expected = why.map(|why| (head.len() - 1, why));
        assert_eq!(refused(format!("{head}\r\n").as_bytes()), expected, "{head}");
        // A request before it changes nothing.
        let before = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let expected = expected.map(|(at, why)| (before.len() + at, why));
        assert_eq!(refused(format!("{before}{head}\r\n").as_bytes()), expected, "{head}");
    }
}

#[test]
fn it_knows_when_a_head_is_on_its_way_in() {
    let mut watch = HeadWatch::default();
    let mut is_in_head = |bytes: &[u8]| {
        assert_eq!(watch.watch(bytes), Ok(()));
        watch.is_in_head()
    };
    assert!(!is_in_head(b""));
    assert!(is_in_head(b"G"));
    assert!(is_in_head(b"ET / HTTP/1.1\r\n"));
    assert!(is_in_head(b"Transfer-Encoding: chunked\r\n"));
    assert!(!is_in_head(b"\r\n3\r\nGET"));
    assert!(!is_in_head(b"\r\n0\r\n"));
    assert!(!is_in_head(b"\r\n"));
    assert!(is_in_head(b"GET"));
}
