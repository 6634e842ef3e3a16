//! `OCI-Subject`: the registry has processed a manifest's `subject` and lists the manifest among its referrers.

use http::HeaderMap;

use crate::Digest;

/// The header's name, in lower case.
pub const SUBJECT: &str = "oci-subject";

/// The subject that the answer to a manifest's PUT names. `None` if it names none or several, or if it is not a digest:
/// then the client must update the referrers tag.
#[must_use]
pub fn subject(headers: &HeaderMap) -> Option<Digest> {
    let mut values = headers.get_all(SUBJECT).iter();
    let digest = values.next()?.to_str().ok()?.trim_matches([' ', '\t']).parse().ok()?;
    values.next().is_none().then_some(digest)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::Algorithm;

    #[test]
    fn one_digest_or_none() {
        let digest = Digest::of(Algorithm::Sha512, b"subject");
        let text = digest.to_string();
        let table: [(&[&str], Option<Digest>); 6] = [
            (&[], None),
            (&[&text], Some(digest)),
            (&["true"], None),
            (&[""], None),
            (&["md5:d41d8cd98f00b204e9800998ecf8427e"], None),
            (&[&text, &text], None),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(SUBJECT, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(subject(&headers), expected, "{values:?}");
        }
    }
}
