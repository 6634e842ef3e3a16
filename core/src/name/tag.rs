//! Tags, including the one under which the referrers of a subject are listed.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::Digest;

/// A tag: the spec's `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// `latest`, the tag that is meant when none is written.
    #[must_use]
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// The tag under which the referrers of `subject` are listed if the registry has no referrers API.
    ///
    /// It is the spec's [referrers tag schema](https://github.com/opencontainers/distribution-spec/blob/967efdc079b91785ad18c77cc4f8991a47feefbf/spec.md#referrers-tag-schema).
    #[must_use]
    pub fn of_referrers(subject: &Digest) -> Self {
        Self::of_referrers_to(subject.algorithm().as_str(), &subject.hex())
    }

    /// [`Tag::of_referrers`] for a digest of any algorithm, given as the parts before and after its colon.
    ///
    /// The algorithm is cut to 32 characters and the encoded part to 64; each character that a tag cannot contain
    /// becomes `-`.
    #[must_use]
    pub fn of_referrers_to(algorithm: &str, encoded: &str) -> Self {
        let allowed = |c: char| if is_tag_char(c) { c } else { '-' };
        let mut tag: String = algorithm.chars().take(32).map(allowed).collect();
        if !tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            // The image spec's grammar allows no such algorithm, but this function takes any text and must return a
            // valid tag.
            tag.insert(0, '_');
        }
        tag.push('-');
        tag.extend(encoded.chars().take(64).map(allowed));
        Self(tag)
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_tag_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Why a string is not a [`Tag`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a tag has 1 to 128 of the characters a-z A-Z 0-9 . _ - and does not begin with . or -")]
#[non_exhaustive]
pub struct TagError;

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let begins_well = !text.starts_with(['.', '-']);
        if begins_well && (1..=128).contains(&text.len()) && text.chars().all(is_tag_char) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TagError)
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specs_expression() {
        for good in ["a", "_", "latest", "v1.2.3-rc_1", &"a".repeat(128)] {
            assert_eq!(good.parse::<Tag>().map(|t| t.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", ".a", "-a", "a/b", "a:b", "a b", "é", "a%", &"a".repeat(129)] {
            assert_eq!(bad.parse::<Tag>(), Err(TagError), "{bad}");
        }
    }

    /// The three rows of the spec's own table.
    #[test]
    fn the_specs_referrers_tags() {
        let a64 = "a".repeat(64);
        assert_eq!(Tag::of_referrers_to("sha256", &a64).as_str(), format!("sha256-{a64}"));
        assert_eq!(Tag::of_referrers_to("sha512", &"a".repeat(128)).as_str(), format!("sha512-{a64}"));
        let tag = Tag::of_referrers_to(
            "test+algorithm+using+algorithm+separators+and+lots+of+characters+to+excercise+overall+truncation",
            "alsoSome=InTheEncodedSectionToShowHyphenReplacementAndLotsAndLotsOfCharactersToExcerciseEncodedTruncation",
        );
        let expected =
            "test-algorithm-using-algorithm-s-alsoSome-InTheEncodedSectionToShowHyphenReplacementAndLotsAndLot";
        assert_eq!(tag.as_str(), expected);
        assert_eq!(expected.parse(), Ok(tag));
    }
}
