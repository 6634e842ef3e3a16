//! Secrets on their way from the JSON of a file or a helper into a [`longshore_core::Secret`].

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Text that is wiped when it is dropped. It does not print.
#[derive(Default)]
pub(super) struct Hidden(pub(super) Zeroizing<String>);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Reads `null` as nothing said.
pub(super) fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a JSON object, and on failure says only where: what `serde_json` says quotes what it found.
pub(super) fn read_object<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, NotAnObject> {
    // To serde, a list of the right values is a struct too.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(NotAnObject { line: 1, column: 1 });
    }
    serde_json::from_slice(text).map_err(|error| NotAnObject { line: error.line(), column: error.column() })
}

/// Where a text stops being the JSON object that it should be, each counted from 1.
pub(super) struct NotAnObject {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Whether the text can be a user name or a token: no control character, so no line break.
pub(super) fn is_printable(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// Whether the text can be a password: of the control characters, line breaks and tabs alone.
pub(super) fn is_password(text: &str) -> bool {
    !text.contains(|character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
}
