//! Helpers for a peer's text: comma-separated lists, and cutting to a length.

use http::HeaderMap;

/// The longest single text of a peer that is kept, in bytes.
pub(crate) const MAX_TEXT: usize = 1024;

/// The longest prefix of at most `max` bytes that ends between two characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.split_at_checked(end).map_or("", |(prefix, _)| prefix)
}

/// The elements of the comma-separated list in all headers with this name, without empty ones.
pub(crate) fn list<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|element| element.trim_matches([' ', '\t'])).filter(|e| !e.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_goes_between_characters() {
        // (text, bytes, expected)
        let table = [("abc", 4, "abc"), ("abc", 3, "abc"), ("abc", 2, "ab"), ("aé", 2, "a"), ("é", 1, ""), ("", 0, "")];
        for (text, max, expected) in table {
            assert_eq!(cut(text, max), expected);
        }
    }
}
