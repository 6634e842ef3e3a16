//! `Warning` (RFC 7234, section 5.5), in the only form that the spec allows.

use http::HeaderMap;
use http::header::WARNING;

/// The longest `Warning` headers that are read, all of one answer together, in bytes. The spec allows no more.
const MAX_LEN: usize = 4096;

/// The texts of the warnings in an answer, in order, without quotes and escapes. The form is `299 - "text"`.
///
/// Warnings with another code, an agent or a date are ignored, and so is everything after 4096 bytes. The registry
/// chooses the texts: they are for people only, and must be escaped with [`shown`](crate::text::shown) before they are
/// shown.
#[must_use]
pub fn warnings(headers: &HeaderMap) -> Vec<String> {
    let mut left = MAX_LEN;
    let mut texts = Vec::new();
    for value in headers.get_all(WARNING) {
        let Some(rest) = left.checked_sub(value.len()) else { break };
        left = rest;
        let value = String::from_utf8_lossy(value.as_bytes());
        let mut list = value.trim_matches([' ', '\t', ',']);
        while let Some((text, rest)) = first(list) {
            texts.push(text);
            list = rest;
        }
    }
    texts
}

/// The text of the first warning of a list, and the rest of the list.
fn first(list: &str) -> Option<(String, &str)> {
    let mut chars = list.strip_prefix("299 - \"")?.chars();
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
    let rest = chars.as_str().trim_start_matches([' ', '\t']);
    if rest.is_empty() {
        return Some((text, rest));
    }
    Some((text, rest.strip_prefix(',')?.trim_start_matches([' ', '\t', ','])))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WARNING, HeaderValue::from_bytes(value).unwrap());
        }
        warnings(&headers)
    }

    #[test]
    fn the_specs_form_and_no_other() {
        let table: [(&[&[u8]], &[&str]); 14] = [
            (&[], &[]),
            (
                &[br#"299 - "Your auth token will expire in 30 seconds.""#, br#"299 - "Another.""#],
                &["Your auth token will expire in 30 seconds.", "Another."],
            ),
            (&[br#"299 - "one", 299 - "two""#], &["one", "two"]),
            (&[br#"299 - "a \"quoted\" \\ word, with a comma""#], &[r#"a "quoted" \ word, with a comma"#]),
            (&[br#"299 - """#], &[""]),
            (&["299 - \"größer\"".as_bytes()], &["größer"]),
            (&[b"299 - \"\xff\""], &["\u{fffd}"]),
            (&[br#"199 - "other code""#], &[]),
            (&[br#"299 example.com "an agent""#], &[]),
            (&[br#"299 - "dated" "Sat, 01 Jan 2000 00:00:00 GMT""#], &[]),
            (&[br#"299 - "open"#], &[]),
            (&[br#"299 - "open\"#], &[]),
            (&[b"299 - bare"], &[]),
            (&[b"garbage", br#"299 - "good""#], &["good"]),
        ];
        for (values, expected) in table {
            assert_eq!(read(values), expected, "{values:?}");
        }
    }

    #[test]
    fn no_more_than_4096_bytes() {
        let of_len = |len: usize| format!("299 - \"{}\"", "a".repeat(len - 8));
        assert_eq!(read(&[of_len(4096).as_bytes()]).len(), 1);
        assert_eq!(read(&[of_len(4097).as_bytes()]).len(), 0);
        assert_eq!(read(&[of_len(4000).as_bytes(), of_len(96).as_bytes(), of_len(9).as_bytes()]).len(), 2);
    }
}
