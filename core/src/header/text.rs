//! A peer's text: lists of words, and whole texts made safe to show.

use std::fmt;

use http::HeaderMap;

/// The most bytes of a peer's text that are kept or shown in one piece: 1 KiB.
pub(crate) const MAX_TEXT: usize = 1024;

/// Shows `text` with everything escaped that moves a terminal's cursor, changes the order of letters or cannot be seen,
/// cut at 1 KiB.
pub(crate) fn escape(text: &str) -> Escaped<'_> {
    Escaped(text)
}

/// See [`escape`].
#[derive(Clone, Copy)]
pub(crate) struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let shown = cut(self.0, MAX_TEXT);
        for c in shown.chars() {
            if is_unsafe(c) { write!(f, "{}", c.escape_unicode())? } else { f.write_char(c)? }
        }
        if shown.len() < self.0.len() { f.write_char('…') } else { Ok(()) }
    }
}

/// The longest prefix of at most `max` bytes that ends between two characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.split_at_checked(end).map_or("", |(prefix, _)| prefix)
}

/// The elements of a comma-separated list that stands in any number of headers of one name; empty ones left out.
pub(crate) fn list<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|element| element.trim_matches([' ', '\t'])).filter(|e| !e.is_empty())
}

/// C0, DEL, C1; line and paragraph separators; marks that change direction; characters of no width; tags.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}' | '\u{1160}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i30_what_acts_on_a_terminal_is_escaped() {
        let table = [
            ("plain text, ümläut and 船", "plain text, ümläut and 船"),
            ("\x1b[2Jgone", "\\u{1b}[2Jgone"),
            ("\x1b]8;;http://evil\x07click", "\\u{1b}]8;;http://evil\\u{7}click"),
            ("over\rwritten\n", "over\\u{d}written\\u{a}"),
            ("\u{9b}2J\x7f\0\t", "\\u{9b}2J\\u{7f}\\u{0}\\u{9}"),
            ("\u{202e}gpj.exe\u{2066}\u{200f}", "\\u{202e}gpj.exe\\u{2066}\\u{200f}"),
            ("a\u{200b}b\u{feff}c\u{2028}", "a\\u{200b}b\\u{feff}c\\u{2028}"),
            ("\u{e0041}", "\\u{e0041}"),
        ];
        for (text, expected) in table {
            assert_eq!(escape(text).to_string(), expected);
        }
    }

    #[test]
    fn i30_long_text_is_cut_between_characters() {
        assert_eq!(escape(&"a".repeat(1024)).to_string(), "a".repeat(1024));
        assert_eq!(escape(&"a".repeat(1025)).to_string(), format!("{}…", "a".repeat(1024)));
        // 1024 is no multiple of 3.
        assert_eq!(escape(&"船".repeat(1024)).to_string(), format!("{}…", "船".repeat(341)));
        assert_eq!(cut("é", 1), "");
        assert_eq!(cut("", 0), "");
    }
}
