//! Reads secrets from the JSON of a file or a helper, without leaving copies in memory.

use std::io::{self, Read};

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A text whose memory is overwritten when it is dropped. `Debug` does not print it.
#[derive(Default)]
pub(super) struct Hidden(pub(super) Zeroizing<String>);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Reads to the end, but at most one byte more than `limit`, in bytes.
pub(super) fn read_bounded(reader: impl Read, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // The buffer has its full size from the start: a reallocation would leave a part of the secret in freed memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
    reader.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads JSON. An error has only the position, because `serde_json`'s own error quotes the text.
pub(super) fn read_json<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Unexpected> {
    serde_json::from_slice(text).map_err(|error| Unexpected { line: error.line(), column: error.column() })
}

/// The position at which a text is not the expected JSON. Both numbers count from 1.
pub(super) struct Unexpected {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Whether the text can be a user name or a token: no control character, so no line break.
pub(super) fn is_printable(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// Whether the text can be a password: of the control characters, only line breaks and tabs are allowed.
pub(super) fn is_password(text: &str) -> bool {
    !text.contains(|character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a buffer held before it grew would stay in freed memory.
    #[test]
    fn the_buffer_of_a_secret_never_grows() {
        for len in [0, 1, 100, 4096, 4097, 10_000] {
            let bytes = read_bounded(io::repeat(b'x').take(len), 4096).unwrap();
            assert_eq!((bytes.len() as u64, bytes.capacity()), (len.min(4097), 4097));
        }
    }
}
