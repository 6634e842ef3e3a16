//! `OCI-Tag`: the tags that a registry set when it stored a manifest that was pushed by digest.

use std::collections::BTreeSet;

use http::HeaderMap;

use super::text;
use crate::Tag;

/// The header's name, in lower case.
pub const TAG: &str = "oci-tag";

/// The tags that the answer names, comma-separated in any number of headers. Anything that is not a tag is ignored.
#[must_use]
pub fn accepted_tags(headers: &HeaderMap) -> BTreeSet<Tag> {
    text::list(headers, TAG).filter_map(|tag| tag.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn lists_in_several_headers() {
        let long = "a".repeat(129);
        let table: [(&[&str], &[&str]); 6] = [
            (&[], &[]),
            (&["1.2.3, 1.2, 1", "latest"], &["1", "1.2", "1.2.3", "latest"]),
            (&["a,,b ,\tc", ""], &["a", "b", "c"]),
            (&["a,a", "a"], &["a"]),
            (&["-bad, good, ../x, a b"], &["good"]),
            (&[&long, "b"], &["b"]),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(TAG, HeaderValue::from_str(value).unwrap());
            }
            let tags: Vec<String> = accepted_tags(&headers).iter().map(Tag::to_string).collect();
            assert_eq!(tags, expected, "{values:?}");
        }
    }
}
