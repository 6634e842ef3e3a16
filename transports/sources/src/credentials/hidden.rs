//! Reads secrets from the JSON of a file or a helper, without leaving copies in memory.

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

/// Reads `null` as the empty value.
pub(super) fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a JSON object. An error has only the position, because `serde_json`'s own error quotes the text.
pub(super) fn read_object<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, NotAnObject> {
    // Serde would accept a JSON array for a struct.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(NotAnObject { line: 1, column: 1 });
    }
    serde_json::from_slice(text).map_err(|error| NotAnObject { line: error.line(), column: error.column() })
}

/// The position at which a text is not the expected JSON object. Both numbers count from 1.
pub(super) struct NotAnObject {
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
