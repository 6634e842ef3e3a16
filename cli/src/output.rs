//! Standard output: results only, so that a script can read them. All else goes to standard error.
//!
//! Whatever was written by others, by then it is fit to be shown: here, nothing that steers a terminal passes but a line break.

use std::fmt;
use std::io::{ErrorKind, Write as _};

use longshore_core::text::is_unseen;
use serde_json::Value;

use crate::exit::Error;

/// Writes a line to standard output. A reader that has gone away has seen enough: that is no failure.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Error> {
    styled(visible(&text.to_string()))
}

/// The same for a text with styles in it, none of which others wrote.
pub(crate) fn styled(text: impl fmt::Display) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error. A closed standard error is not a failure, because nothing depends on this line.
pub(crate) fn say(text: impl fmt::Display) {
    drop(writeln!(std::io::stderr().lock(), "{}", visible(&text.to_string())));
}

/// JSON in a line, every character of which can be seen.
pub(crate) fn json(value: &Value) -> String {
    replaced(&value.to_string(), |character| {
        // JSON's own escape, two of them above U+FFFF.
        character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    })
}

fn visible(text: &str) -> String {
    replaced(text, |character| match character {
        '\n' => "\n".to_owned(),
        _ => character.escape_unicode().to_string(),
    })
}

fn replaced(text: &str, unseen: impl Fn(char) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unseen(character) { out.push_str(&unseen(character)) } else { out.push(character) }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn i30_nothing_steers_a_terminal() {
        let text = "a\u{1b}[2J\r\nb\u{202e}c\u{9b}d\u{e0041}é";
        assert_eq!(visible(text), r"a\u{1b}[2J\u{d}".to_owned() + "\n" + r"b\u{202e}c\u{9b}d\u{e0041}é");
        let printed = json(&json!({"text": text}));
        assert_eq!(printed, r#"{"text":"a\u001b[2J\r\nb\u202ec\u009bd\udb40\udc41é"}"#);
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), json!({"text": text}));
    }
}
