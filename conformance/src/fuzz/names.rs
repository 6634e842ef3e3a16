//! Names that people and peers write: references and digests.

use longshore_core::{Algorithm, Digest, DigestError, Digester, Reference, Registry, Repository, Tag};

use super::assert_harmless;
use super::urls::judge_host;

/// A reference as people type it: what is accepted has one meaning, and can stand in a path.
///
/// # Panics
/// Where that does not hold (security invariant I18).
pub fn reference(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<Reference>() {
        Ok(reference) => {
            let again = reference.to_string();
            assert_eq!(again.parse().as_ref(), Ok(&reference), "{text:?} was written as {again:?}");
            assert_segments(reference.repository.as_str());
            judge_registry(&reference.registry);
        }
        Err(error) => assert_harmless(&error.to_string()),
    }
    if let Ok(repository) = text.parse::<Repository>() {
        assert_segments(repository.as_str());
        assert_eq!(repository.as_str(), text);
    }
    if let Ok(tag) = text.parse::<Tag>() {
        assert!(tag.as_str() == text && text.len() <= 128 && !text.starts_with(['.', '-']));
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)));
    }
    if let Ok(registry) = text.parse::<Registry>() {
        judge_registry(&registry);
    }
}

/// No path is left, no segment is empty, and nothing is encoded.
fn assert_segments(path: &str) {
    for segment in path.split('/') {
        assert!(segment.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()), "{path}");
        assert!(segment.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()), "{path}");
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        assert!(segment.bytes().all(allowed) && !segment.contains(".."), "{path}");
    }
}

/// It is written as it is read, and `url` sees the same host.
fn judge_registry(registry: &Registry) {
    assert_eq!(registry.to_string().parse().as_ref(), Ok(registry));
    assert_harmless(&format!("{registry:?}"));
    let origin = registry.origin();
    let url: url::Url = origin.to_string().parse().unwrap();
    judge_host(&url, origin.host());
    assert_eq!(url.port_or_known_default(), Some(origin.port()));
}

/// A digest in its grammar and no other, and the same digest of these bytes, however they are cut.
///
/// # Panics
/// Where that does not hold (security invariant I13).
pub fn digest(bytes: &[u8]) {
    let at = bytes.first().map_or(0, |first| usize::from(*first) % bytes.len());
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let mut digester = Digester::new(algorithm);
        digester.update(&bytes[..at]);
        digester.update(&bytes[at..]);
        let whole = Digest::of(algorithm, bytes);
        assert_eq!(digester.finish(), whole);
        assert_eq!(whole.to_string().parse(), Ok(whole));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let is_hex = |text: &str, len| text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let expected = text.strip_prefix("sha256:").is_some_and(|hex| is_hex(hex, 64))
        || text.strip_prefix("sha512:").is_some_and(|hex| is_hex(hex, 128));
    match text.parse::<Digest>() {
        Ok(digest) => assert!(expected && digest.to_string() == text, "{text:?} was taken for {digest}"),
        Err(error) => {
            assert!(!expected, "{text:?} was refused: {error}");
            assert_harmless(&error.to_string());
            if let DigestError::Unsupported { algorithm } = error {
                assert!(text.starts_with(&algorithm) && algorithm.len() <= 64, "{text:?} names {algorithm:?}");
            }
        }
    }
}
