//! `OCI-Filters-Applied`: the filters that the registry applied to a list of referrers.

use http::HeaderMap;

use super::text;

/// The header's name, in lower case.
pub const FILTERS_APPLIED: &str = "oci-filters-applied";

/// Whether the registry applied the filter with this name. If not, the client must filter.
#[must_use]
pub fn filters_applied(headers: &HeaderMap, filter: &str) -> bool {
    text::list(headers, FILTERS_APPLIED).any(|applied| applied.eq_ignore_ascii_case(filter))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn lists_in_several_headers() {
        let table: [(&[&str], bool); 7] = [
            (&[], false),
            (&["artifactType"], true),
            (&["artifacttype"], true),
            (&["other, artifactType"], true),
            (&["other", "artifactType"], true),
            (&["artifactTypes"], false),
            (&[""], false),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(FILTERS_APPLIED, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(filters_applied(&headers, "artifactType"), expected, "{values:?}");
        }
    }
}
