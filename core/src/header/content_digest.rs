//! `Docker-Content-Digest`: the digest that the registry reports. It is compared, and never used in place of a known
//! one.

use http::HeaderMap;

use crate::Digest;

/// The header's name, in lower case.
pub const CONTENT_DIGEST: &str = "docker-content-digest";

/// How the digest that an answer reports compares with the one that the client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportedDigest {
    /// There is none, or none that can be read.
    Absent,
    /// It is the same digest.
    Same,
    /// It has another algorithm, so it is neither equal nor different (security invariant I14).
    NotComparable,
    /// It has the same algorithm, and differs.
    Different(Digest),
}

/// Compares the digest that an answer reports with `expected`. If there are several headers, one that differs decides.
#[must_use]
pub fn reported_digest(headers: &HeaderMap, expected: &Digest) -> ReportedDigest {
    let compared = headers.get_all(CONTENT_DIGEST).iter().map(|value| compare(value.to_str().ok(), expected));
    compared.fold(ReportedDigest::Absent, |so_far, next| match (so_far, next) {
        (ReportedDigest::Different(digest), _) | (_, ReportedDigest::Different(digest)) => {
            ReportedDigest::Different(digest)
        }
        (ReportedDigest::Same, _) | (_, ReportedDigest::Same) => ReportedDigest::Same,
        (ReportedDigest::Absent, next) => next,
        (so_far, _) => so_far,
    })
}

fn compare(value: Option<&str>, expected: &Digest) -> ReportedDigest {
    match value.map(|value| value.trim_matches([' ', '\t']).parse::<Digest>()) {
        Some(Ok(reported)) if reported == *expected => ReportedDigest::Same,
        Some(Ok(reported)) if reported.algorithm() == expected.algorithm() => ReportedDigest::Different(reported),
        Some(Ok(_) | Err(crate::DigestError::Unsupported { .. })) => ReportedDigest::NotComparable,
        Some(Err(_)) | None => ReportedDigest::Absent,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::Algorithm::{Sha256, Sha512};

    #[test]
    fn i12_i14_compared_and_never_adopted() {
        use ReportedDigest as R;
        let ours = Digest::of(Sha256, b"ours");
        let other = Digest::of(Sha256, b"other");
        let (same, different, long) = (ours.to_string(), other.to_string(), Digest::of(Sha512, b"other").to_string());
        let md5 = "md5:d41d8cd98f00b204e9800998ecf8427e";
        let upper = same.to_uppercase();
        let table: [(&[&str], R); 13] = [
            (&[], R::Absent),
            (&[&same], R::Same),
            (&[&different], R::Different(other)),
            (&[&long], R::NotComparable),
            (&[md5], R::NotComparable),
            (&[""], R::Absent),
            (&["garbage"], R::Absent),
            (&["sha256:../../etc/passwd"], R::Absent),
            (&[&upper], R::Absent),
            (&[&same, &different], R::Different(other)),
            (&[&different, &same], R::Different(other)),
            (&[&long, &same], R::Same),
            (&["garbage", &long], R::NotComparable),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_DIGEST, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(reported_digest(&headers, &ours), expected, "{values:?}");
        }
    }
}
