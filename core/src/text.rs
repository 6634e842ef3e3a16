//! Escapes text that a peer sent, so that it can be shown.

use std::fmt::Write as _;

/// The longest text that [`shown`] returns, in bytes.
pub const MAX_SHOWN_LEN: usize = 1024;

/// Escapes a peer's text, so that it is safe on a terminal, in a log line and in an error.
///
/// Characters that control a terminal or are invisible (control characters, including those of Latin-1, marks that
/// change the writing direction, characters without width, line and paragraph separators) are written in the form
/// `\u{1b}`. A result longer than [`MAX_SHOWN_LEN`] bytes is cut, and ends in `…`.
///
/// ```
/// use longshore_core::text::shown;
///
/// assert_eq!(shown("denied:\u{1b}[2J gone"), r"denied:\u{1b}[2J gone");
/// ```
#[must_use]
pub fn shown(text: &str) -> String {
    let room = MAX_SHOWN_LEN.saturating_sub('…'.len_utf8());
    let mut out = String::new();
    // How many bytes of `out` are kept if an ellipsis has to follow.
    let mut fits = 0;
    for character in text.chars() {
        if is_unseen(character) {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}", character.escape_unicode());
        } else {
            out.push(character);
        }
        if out.len() <= room {
            fits = out.len();
        } else if out.len() > MAX_SHOWN_LEN {
            out.truncate(fits);
            out.push('…');
            break;
        }
    }
    out
}

/// [`shown`] for bytes: every sequence that is not UTF-8 becomes `U+FFFD`.
#[must_use]
pub fn shown_bytes(bytes: &[u8]) -> String {
    // Only what can be shown is decoded. If this cut splits a character, `shown` cuts before it.
    let bytes = bytes.get(..MAX_SHOWN_LEN.saturating_mul(4)).unwrap_or(bytes);
    shown(&String::from_utf8_lossy(bytes))
}

/// Whether a character is invisible or moves other characters. Such a character can control a terminal or hide other
/// text.
#[must_use]
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'                        // soft hyphen
            | '\u{34f}'                     // combining grapheme joiner
            | '\u{61c}'                     // Arabic letter mark
            | '\u{115f}' | '\u{1160}'       // Hangul fillers
            | '\u{17b4}' | '\u{17b5}'       // Khmer inherent vowels
            | '\u{180b}'..='\u{180f}'       // Mongolian selectors and vowel separator
            | '\u{200b}'..='\u{200f}'       // zero width, direction marks
            | '\u{2028}'..='\u{202e}'       // line and paragraph separators, direction embeddings and overrides
            | '\u{2060}'..='\u{206f}'       // joiners, invisible operators, direction isolates
            | '\u{3164}' | '\u{ffa0}'       // Hangul fillers
            | '\u{fe00}'..='\u{fe0f}'       // variation selectors
            | '\u{feff}'                    // byte order mark
            | '\u{fff0}'..='\u{fffb}'       // interlinear annotations and their unassigned neighbours
            | '\u{1d173}'..='\u{1d17a}'     // musical formatting
            | '\u{e0000}'..='\u{e0fff}'     // tags, more variation selectors
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn i30_what_steers_a_terminal_is_escaped() {
        let table = [
            ("plain, é and 漢字", "plain, é and 漢字"),
            ("\x1b[31mred", r"\u{1b}[31mred"),
            ("\x1b]8;;http://evil\x07here\x1b]8;;\x07", r"\u{1b}]8;;http://evil\u{7}here\u{1b}]8;;\u{7}"),
            ("one\rtwo\nthree\t", r"one\u{d}two\u{a}three\u{9}"),
            ("\u{9b}2J\u{7f}\0", r"\u{9b}2J\u{7f}\u{0}"),
            ("\u{202e}gnp.exe", r"\u{202e}gnp.exe"),
            ("a\u{200b}b\u{feff}c\u{2066}d", r"a\u{200b}b\u{feff}c\u{2066}d"),
            ("a\u{2028}b\u{e0041}", r"a\u{2028}b\u{e0041}"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown_bytes(b"\xff\x1b"), "\u{fffd}\\u{1b}");
    }

    #[test]
    fn i30_text_is_cut_at_one_kibibyte() {
        assert_eq!(shown(&"a".repeat(MAX_SHOWN_LEN)), "a".repeat(MAX_SHOWN_LEN));
        let cut = shown(&"a".repeat(MAX_SHOWN_LEN + 1));
        assert_eq!(cut, format!("{}…", "a".repeat(MAX_SHOWN_LEN - 3)));
        assert!(shown_bytes(&vec![0x1b; 1 << 20]).len() <= MAX_SHOWN_LEN);
    }

    proptest! {
        #[test]
        fn i30_shown_text_is_short_and_visible(text in ".*", bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            for out in [shown(&text.repeat(40)), shown(&text), shown_bytes(&bytes)] {
                prop_assert!(out.len() <= MAX_SHOWN_LEN);
                prop_assert!(!out.chars().any(is_unseen));
            }
        }
    }
}
