//! The bytes of HTTP/1 heads, watched on their way in: how lines end, and where a head ends and the next one begins.

/// How much of a line is kept: enough for the fields that say how long a body is.
const KEPT: usize = 64;
/// How HTTP/2 begins.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n";

/// Where the bytes that come next belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    /// A body, of which so many bytes are still to come.
    Body(u64),
    /// A body whose end only its reader knows.
    Chunked,
    Http2,
}

/// Watches the bytes of one connection.
#[derive(Debug)]
pub(super) struct HeadWatch {
    place: Place,
    /// The beginning of the line that is on its way in, and its whole length.
    line: Vec<u8>,
    length: usize,
    /// Whether a line of the head that is on its way in came to its end.
    begun: bool,
    /// What the head says of its body.
    body: Place,
}

impl Default for HeadWatch {
    fn default() -> Self {
        Self { place: Place::Head, line: Vec::new(), length: 0, begun: false, body: Place::Body(0) }
    }
}

impl HeadWatch {
    /// Whether a part of a head came, and its end did not.
    pub(super) fn is_in_head(&self) -> bool {
        self.place == Place::Head && (self.begun || self.length > 0)
    }

    /// The body that was on its way in is over.
    pub(super) fn body_ended(&mut self) {
        if self.place == Place::Chunked {
            self.place = Place::Head;
        }
    }

    /// Watches bytes that came. Gives the offset of a line's end that lacks its CR, which a head must not have.
    pub(super) fn watch(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            match self.place {
                Place::Http2 | Place::Chunked => return None,
                Place::Body(left) => {
                    let here = (bytes.len() - at) as u64;
                    self.place = if left > here { Place::Body(left - here) } else { Place::Head };
                    at += usize::try_from(left.min(here)).unwrap_or(bytes.len());
                }
                Place::Head => {
                    if bytes[at] == b'\n' {
                        if self.line_ended() {
                            return Some(at);
                        }
                    } else {
                        self.length += 1;
                        if self.line.len() < KEPT {
                            self.line.push(bytes[at]);
                        }
                    }
                    at += 1;
                }
            }
        }
        None
    }

    /// Reads a line; says whether it lacks its CR.
    fn line_ended(&mut self) -> bool {
        let (line, length) = (std::mem::take(&mut self.line), std::mem::take(&mut self.length));
        // Of a longer line only the beginning is here, which is no field that matters.
        let whole = line.len() == length;
        if whole && line.last() != Some(&b'\r') {
            return true;
        }
        if !self.begun && line == HTTP2[..HTTP2.len() - 1] {
            self.place = Place::Http2;
        } else if line == b"\r" {
            if std::mem::take(&mut self.begun) {
                self.place = std::mem::replace(&mut self.body, Place::Body(0));
                if self.place == Place::Body(0) {
                    self.place = Place::Head;
                }
            }
        } else {
            self.begun = true;
            self.field(&line);
        }
        false
    }

    fn field(&mut self, line: &[u8]) {
        let Ok(line) = std::str::from_utf8(line) else { return };
        let Some((name, value)) = line.split_once(':') else { return };
        if name.eq_ignore_ascii_case("transfer-encoding") {
            self.body = Place::Chunked;
        } else if name.eq_ignore_ascii_case("content-length") && self.body != Place::Chunked {
            // Where it is no number, the request is refused anyway.
            self.body = Place::Body(value.trim().parse().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_line_feed_is_found_in_heads_only() {
        let cases: [(&[u8], Option<usize>); 7] = [
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\n", Some(41)),
            (b"GET / HTTP/1.1\nHost: x\r\n\r\n", Some(14)),
            (b"\n", Some(0)),
            (b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", None),
            (b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\n\n\n\n\nGET / HTTP/1.1\n", Some(55)),
            (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\n\n", None),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\n", None),
        ];
        for (bytes, found) in cases {
            assert_eq!(HeadWatch::default().watch(bytes), found, "{:?}", String::from_utf8_lossy(bytes));
            // Whatever the pieces, it is found at the same place.
            let mut watch = HeadWatch::default();
            let at = bytes.iter().position(|byte| watch.watch(&[*byte]).is_some());
            assert_eq!(at, found, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn it_knows_when_a_head_is_on_its_way_in() {
        let mut watch = HeadWatch::default();
        let mut is_in_head = |bytes: &[u8]| {
            assert_eq!(watch.watch(bytes), None);
            watch.is_in_head()
        };
        assert!(!is_in_head(b""));
        assert!(is_in_head(b"G"));
        assert!(is_in_head(b"ET / HTTP/1.1\r\n"));
        assert!(is_in_head(b"Transfer-Encoding: chunked\r\n"));
        assert!(!is_in_head(b"\r\nGET"));
        watch.body_ended();
        assert_eq!(watch.watch(b"GET"), None);
        assert!(watch.is_in_head());
    }
}
