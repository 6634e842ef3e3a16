//! Digests, which name content, and the [`Digester`] that computes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256, Sha512};
use thiserror::Error;

/// A hash function that a [`Digest`] may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, which every registry accepts.
    Sha256,
    /// SHA-512: registered by the image spec, but accepted by few registries.
    Sha512,
}

impl Algorithm {
    /// The name in a digest: `sha256` or `sha512`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of a hash in bytes: 32 or 64.
    #[must_use]
    pub const fn hash_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The digest of some content, as `algorithm:lower-case-hex`.
///
/// A value of this type is always well formed: it can be used in a URL or a path without escaping. The grammar is the
/// [image spec's](https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests), checked strictly:
/// `sha256:` and 64 lower-case hex digits, or `sha512:` and 128.
///
/// ```
/// use longshore_core::{Algorithm, Digest};
///
/// let empty = Digest::of(Algorithm::Sha256, b"");
/// assert_eq!(empty.to_string(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
/// assert_eq!(empty.to_string().parse(), Ok(empty));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    /// The hash; bytes past the algorithm's length are zero.
    hash: [u8; 64],
}

impl Digest {
    /// The digest of `content`.
    #[must_use]
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        let mut digester = Digester::new(algorithm);
        digester.update(content);
        digester.finish()
    }

    /// The hash function.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The part after the colon: 64 or 128 lower-case hex digits.
    #[must_use]
    pub fn hex(&self) -> String {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        let hash = self.hash.iter().take(self.algorithm.hash_len());
        hash.flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
    }

    /// Whether `content` has this digest.
    #[must_use]
    pub fn matches(&self, content: &[u8]) -> bool {
        Self::of(self.algorithm, content) == *self
    }

    /// The first eight bytes of the hash, as a short key: different digests may share it.
    pub(crate) const fn beginning(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.hash;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn from_hash(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hash = [0; 64];
        for (to, from) in hash.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self { algorithm, hash }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a string is not a [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DigestError {
    /// Not `algorithm:encoded` as the image spec writes it.
    #[error("a digest is written as algorithm:hex, for example sha256:e3b0c4…")]
    Malformed,
    /// Well formed, but with an algorithm that this crate does not compute.
    #[error("digests of the algorithm {algorithm:?} are not supported: only sha256 and sha512 are")]
    Unsupported {
        /// The algorithm's name, as the image spec's grammar allows it, cut to 64 characters.
        algorithm: String,
    },
    /// A supported algorithm, but not that algorithm's number of lower-case hex digits.
    #[error("a {algorithm} digest has exactly {} lower-case hex digits", algorithm.hash_len().saturating_mul(2))]
    Encoding {
        /// The algorithm that was named.
        algorithm: Algorithm,
    },
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (name, encoded) = text.split_once(':').ok_or(DigestError::Malformed)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ if is_algorithm_name(name) && is_encoded(encoded) => {
                return Err(DigestError::Unsupported { algorithm: name.chars().take(64).collect() });
            }
            _ => return Err(DigestError::Malformed),
        };
        let hash = decode_hex(encoded).ok_or(DigestError::Encoding { algorithm })?;
        if hash.len() != algorithm.hash_len() {
            return Err(DigestError::Encoding { algorithm });
        }
        Ok(Self::from_hash(algorithm, &hash))
    }
}

/// `algorithm-component [algorithm-separator algorithm-component]*`: lower-case letters and digits, joined by one of
/// `+._-`.
fn is_algorithm_name(name: &str) -> bool {
    name.split(['+', '.', '_', '-'])
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// `encoded ::= [a-zA-Z0-9=_-]+`.
fn is_encoded(encoded: &str) -> bool {
    !encoded.is_empty() && encoded.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-'))
}

/// Decodes lower-case hex, at most 64 bytes. `None` if the text is anything else.
fn decode_hex(text: &str) -> Option<Vec<u8>> {
    fn nibble(byte: u8) -> Option<u8> {
        match byte {
            b'0'..=b'9' => byte.checked_sub(b'0'),
            b'a'..=b'f' => byte.checked_sub(b'a')?.checked_add(10),
            _ => None,
        }
    }
    if text.len() > 128 || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
            _ => None,
        })
        .collect()
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes a [`Digest`] piece by piece: give it all bytes of the content, once and in order.
#[derive(Clone)]
pub struct Digester {
    state: State,
    len: u64,
}

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Digester {
    /// A digester that was given no bytes yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Box::new(Sha512::new())),
        };
        Self { state, len: 0 }
    }

    /// Takes the next bytes of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        self.len = self.len.saturating_add(bytes.len() as u64);
        match &mut self.state {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// How many bytes it was given.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether it was given no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The digest of all bytes that it was given.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.state {
            State::Sha256(state) => Digest::from_hash(Algorithm::Sha256, &state.finalize()),
            State::Sha512(state) => Digest::from_hash(Algorithm::Sha512, &state.finalize()),
        }
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digester").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // FIPS 180-4's own examples, and lengths around the block size in two pieces.
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(Algorithm::Sha256, b"abc").to_string(), abc);
        let abc = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                   2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        assert_eq!(Digest::of(Algorithm::Sha512, b"abc").to_string(), abc);
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            for len in 0..=3 * 128 {
                let content: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
                let mut digester = Digester::new(algorithm);
                let (first, second) = content.split_at(len / 3);
                digester.update(first);
                digester.update(second);
                assert_eq!(digester.len(), len as u64);
                assert_eq!(digester.finish(), Digest::of(algorithm, &content));
            }
        }
    }

    #[test]
    fn content_matches_its_own_digest_only() {
        let digest = Digest::of(Algorithm::Sha256, b"abc");
        assert!(digest.matches(b"abc") && !digest.matches(b"abd"));
        assert_eq!(digest.beginning(), 0xba78_16bf_8f01_cfea);
        assert_eq!(format!("{digest:?}"), digest.to_string());
        let mut digester = Digester::new(Algorithm::Sha256);
        assert!(digester.is_empty());
        digester.update(b"abc");
        assert!(!digester.is_empty());
        assert_eq!(format!("{digester:?}"), "Digester { len: 3, .. }");
    }

    #[test]
    fn i13_only_the_strict_grammar_is_a_digest() {
        let hex = "a".repeat(64);
        let malformed = ["", "sha256", ":", "sha256/../..", "SHA256:aa", "a b:cc", "sha256-:aa", "x:", "x:a/b", "..:a"];
        for text in malformed {
            assert_eq!(text.parse::<Digest>(), Err(DigestError::Malformed), "{text}");
        }
        for encoded in
            ["", &hex[1..], &hex.to_uppercase(), &format!("{hex}a"), "../../etc/passwd", &format!("{}/.", &hex[2..])]
        {
            let text = format!("sha256:{encoded}");
            assert_eq!(text.parse::<Digest>(), Err(DigestError::Encoding { algorithm: Algorithm::Sha256 }), "{text}");
        }
        for text in ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564"]
        {
            assert!(matches!(text.parse::<Digest>(), Err(DigestError::Unsupported { .. })), "{text}");
        }
    }
}
