//! Checks the bytes of HTTP/1 heads before the parser reads them: how lines end, which fields state the length of the
//! body, and where one head ends and the next one begins.
//!
//! The parser accepts all that the RFC allows a server to accept. A mock registry accepts less: a head that two parsers
//! could read in different ways is refused here, so that the fault in the client is found.

/// The number of bytes of a line that are kept: enough for the fields that state the length of a body.
const KEPT: usize = 64;
/// The first line of HTTP/2.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n";

const BARE_LF: &str = "a line of the head ends with a bare LF (RFC 9112, section 2.2)";
const TWO_LENGTHS: &str =
    "a request has Content-Length or Transfer-Encoding, never both (RFC 9112, sections 6.1 and 6.3)";
const UNEQUAL_LENGTHS: &str = "a request has several Content-Length headers (RFC 9112, section 6.3)";
const OTHER_CODING: &str =
    "the one Transfer-Encoding that a request may have is chunked, once (RFC 9112, sections 6.1 and 6.3)";
const LONG_FIELD: &str = "a Content-Length or Transfer-Encoding header is longer than any that a client needs";

/// An error in a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The offset of the line feed that ends the line.
    pub(super) at: usize,
    pub(super) why: &'static str,
}

/// The part of a message that the next bytes belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    /// A body, of which this many bytes are missing.
    Body(u64),
    /// The line with the length of a chunk.
    ChunkSize,
    /// A chunk and the end of its line, of which this many bytes are missing.
    Chunk(u64),
    /// The trailers after the last chunk, up to an empty line.
    Trailers,
    /// HTTP/2, or bytes that are not HTTP.
    Unwatched,
}

/// How a head states the length of its body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Framing {
    #[default]
    Absent,
    Length(u64),
    Chunked,
}

/// The checks of one connection.
#[derive(Debug)]
pub(super) struct HeadWatch {
    place: Place,
    /// The beginning of the line that is being received, its length so far, and its last byte.
    line: Vec<u8>,
    length: usize,
    last: u8,
    /// Whether at least one line of the head that is being received is complete.
    begun: bool,
    framing: Framing,
}

impl Default for HeadWatch {
    fn default() -> Self {
        Self { place: Place::Head, line: Vec::new(), length: 0, last: 0, begun: false, framing: Framing::Absent }
    }
}

impl HeadWatch {
    /// Whether a head was received in part.
    pub(super) fn is_in_head(&self) -> bool {
        self.place == Place::Head && (self.begun || self.length > 0)
    }

    /// Checks received bytes, up to the first invalid end of a line.
    pub(super) fn watch(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut at = 0;
        while at < bytes.len() {
            match self.place {
                Place::Unwatched => return Ok(()),
                Place::Body(left) | Place::Chunk(left) => {
                    let here = left.min((bytes.len() - at) as u64);
                    self.place = match self.place {
                        Place::Body(_) if left == here => Place::Head,
                        Place::Body(_) => Place::Body(left - here),
                        _ if left == here => Place::ChunkSize,
                        _ => Place::Chunk(left - here),
                    };
                    at += usize::try_from(here).unwrap_or(bytes.len());
                }
                Place::Head | Place::ChunkSize | Place::Trailers => {
                    if bytes[at] == b'\n' {
                        self.line_ended().map_err(|why| Malformed { at, why })?;
                    } else {
                        self.length += 1;
                        self.last = bytes[at];
                        if self.line.len() < KEPT {
                            self.line.push(bytes[at]);
                        }
                    }
                    at += 1;
                }
            }
        }
        Ok(())
    }

    fn line_ended(&mut self) -> Result<(), &'static str> {
        let (line, length) = (std::mem::take(&mut self.line), std::mem::take(&mut self.length));
        let is_whole = line.len() == length;
        match self.place {
            Place::ChunkSize => self.place = after_chunk_size(&line),
            Place::Trailers if line == b"\r" => self.place = Place::Head,
            Place::Trailers => {}
            _ if length == 0 || self.last != b'\r' => return Err(BARE_LF),
            _ if !self.begun && line == HTTP2[..HTTP2.len() - 1] => self.place = Place::Unwatched,
            // Empty lines before a head are skipped.
            _ if line == b"\r" && !self.begun => {}
            _ if line == b"\r" => self.head_ended(),
            _ => {
                self.begun = true;
                self.field(&line, is_whole)?;
            }
        }
        Ok(())
    }

    fn head_ended(&mut self) {
        self.begun = false;
        self.place = match std::mem::take(&mut self.framing) {
            Framing::Absent | Framing::Length(0) => Place::Head,
            Framing::Length(length) => Place::Body(length),
            Framing::Chunked => Place::ChunkSize,
        };
    }

    /// Reads a field. Of a long line only the beginning is available.
    fn field(&mut self, line: &[u8], is_whole: bool) -> Result<(), &'static str> {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return Ok(()) };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let is_coding = name.eq_ignore_ascii_case(b"transfer-encoding");
        if !(is_coding || name.eq_ignore_ascii_case(b"content-length")) {
            return Ok(());
        }
        if !is_whole {
            return Err(LONG_FIELD);
        }
        let given = if is_coding {
            if !value.eq_ignore_ascii_case(b"chunked") || self.framing == Framing::Chunked {
                return Err(OTHER_CODING);
            }
            Framing::Chunked
        } else {
            // If it is not a number, the parser refuses it.
            Framing::Length(std::str::from_utf8(value).ok().and_then(|value| value.parse().ok()).unwrap_or_default())
        };
        match (self.framing, given) {
            (Framing::Absent, _) => self.framing = given,
            (Framing::Length(before), Framing::Length(after)) if before == after => {}
            (Framing::Length(_), Framing::Length(_)) => return Err(UNEQUAL_LENGTHS),
            _ => return Err(TWO_LENGTHS),
        }
        Ok(())
    }
}

/// The part of the message after the line with the length of a chunk.
fn after_chunk_size(line: &[u8]) -> Place {
    let digits = line.split(|byte| matches!(byte, b';' | b'\r' | b' ' | b'\t')).next().unwrap_or_default();
    let size = std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match size {
        // The parser refuses it and ends the connection.
        None => Place::Unwatched,
        Some(0) => Place::Trailers,
        Some(size) => Place::Chunk(size.saturating_add(2)),
    }
}

#[cfg(test)]
mod tests;
