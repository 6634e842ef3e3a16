//! Which bytes a request says it carries.

use http::header::CONTENT_RANGE;

use crate::refusal::{Code, Refusal};
use crate::request::Asked;

/// The offset of the first byte and the number of bytes, from a `Content-Range` of the spec's form `first-last`.
pub(crate) struct Chunk {
    pub(crate) first: u64,
    pub(crate) len: u64,
}

impl Chunk {
    /// The chunk that a request announces, if it does.
    pub(crate) fn of(asked: &Asked) -> Result<Option<Self>, Refusal> {
        let Some(header) = asked.headers.get(CONTENT_RANGE) else { return Ok(None) };
        let malformed = || {
            let message = "Content-Range is written as first-last, in bytes, both inclusive, without a unit";
            Refusal::bad_request(Code::BlobUploadInvalid, message)
        };
        let chunk = header.to_str().ok().and_then(Self::parse).ok_or_else(malformed)?;
        match asked.content_length() {
            Some(len) if len != chunk.len => {
                let message = format!("Content-Range has {} bytes and Content-Length {len}", chunk.len);
                Err(Refusal::bad_request(Code::SizeInvalid, message))
            }
            _ => Ok(Some(chunk)),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if digits { text.parse::<u64>().ok() } else { None }
        };
        let (first, last) = (number(first)?, number(last)?);
        Some(Self { first, len: last.checked_sub(first)?.checked_add(1)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specs_expression() {
        let chunk = Chunk::parse("3-9").unwrap();
        assert_eq!((chunk.first, chunk.len), (3, 7));
        for bad in ["", "-", "1-", "-1", "+1-2", "bytes 0-1/2", "0-1/2", "0--1", "5-4", "0-18446744073709551615", "a-b"]
        {
            assert!(Chunk::parse(bad).is_none(), "{bad}");
        }
    }
}
