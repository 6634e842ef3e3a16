//! `OCI-Chunk-Min-Length`, and `OCI-Chunk-Max-Length`, which some registries send too.

use http::HeaderMap;

use super::content_range::number;

/// The header's name, in lower case: the smallest size of a chunk.
pub const CHUNK_MIN_LENGTH: &str = "oci-chunk-min-length";
/// The header's name, in lower case: the largest size of a chunk. The spec does not define it ([quirk](crate::quirks)
/// `oci-chunk-min-length`).
pub const CHUNK_MAX_LENGTH: &str = "oci-chunk-max-length";

/// The smallest size in bytes, inclusive, that every chunk but the last should have. `None` if it is absent, zero or
/// not a number.
///
/// The registry chooses the number, so allocate nothing by it.
#[must_use]
pub fn chunk_min_length(headers: &HeaderMap) -> Option<u64> {
    read(headers, CHUNK_MIN_LENGTH, u64::max)
}

/// The largest size in bytes, inclusive, that a chunk may have. `None` if it is absent, zero or not a number.
#[must_use]
pub fn chunk_max_length(headers: &HeaderMap) -> Option<u64> {
    read(headers, CHUNK_MAX_LENGTH, u64::min)
}

fn read(headers: &HeaderMap, name: &str, stricter: fn(u64, u64) -> u64) -> Option<u64> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.filter_map(|value| number(value.trim_matches([' ', '\t']))).filter(|length| *length > 0).reduce(stricter)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn numbers_and_what_is_none() {
        let table: [(&[&str], Option<u64>, Option<u64>); 11] = [
            (&[], None, None),
            (&["5242880"], Some(5_242_880), Some(5_242_880)),
            (&[" 1 "], Some(1), Some(1)),
            (&["0"], None, None),
            (&[""], None, None),
            (&["-1"], None, None),
            (&["+1"], None, None),
            (&["5 MiB"], None, None),
            (&["18446744073709551615"], Some(u64::MAX), Some(u64::MAX)),
            (&["18446744073709551616"], None, None),
            (&["100", "x", "200"], Some(200), Some(100)),
        ];
        for (values, min, max) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CHUNK_MIN_LENGTH, HeaderValue::from_str(value).unwrap());
                headers.append(CHUNK_MAX_LENGTH, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!((chunk_min_length(&headers), chunk_max_length(&headers)), (min, max), "{values:?}");
        }
    }
}
