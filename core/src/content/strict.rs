//! JSON that every reader understands the same way.
//!
//! Go's decoder folds the case of keys and takes the last of two equal ones; other decoders do not. A document in which that
//! matters could mean one thing to us and another to the registry, so it is refused before it is looked at.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// How deep a document may nest.
const MAX_DEPTH: u8 = 64;

/// Keys that the image spec gives a meaning in manifests, indexes and descriptors.
const KNOWN: [&str; 22] = [
    "annotations",
    "architecture",
    "artifactType",
    "blobs",
    "config",
    "data",
    "digest",
    "features",
    "fsLayers",
    "history",
    "layers",
    "manifests",
    "mediaType",
    "name",
    "os",
    "platform",
    "schemaVersion",
    "signatures",
    "size",
    "subject",
    "tag",
    "urls",
];

/// Why a JSON document is ambiguous, or not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct StrictError(
    /// What is wrong and where, in words.
    pub String,
);

/// Checks that `document` is one JSON object that all readers understand alike.
pub(super) fn check(document: &[u8]) -> Result<(), StrictError> {
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let is_object = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(|e| StrictError(e.to_string()))?;
    deserializer.end().map_err(|e| StrictError(e.to_string()))?;
    if is_object { Ok(()) } else { Err(StrictError("the document is not a JSON object".to_owned())) }
}

/// Reads one value and says whether it was an object.
#[derive(Clone, Copy)]
struct Strict {
    depth: u8,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_add(1) {
            Some(depth) if depth <= MAX_DEPTH => Ok(Self { depth }),
            _ => Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if let Some(known) = KNOWN.iter().find(|known| **known != key && folds_to(&key, known)) {
                return Err(A::Error::custom(format_args!("the key {key:?} is read as {known:?} by some")));
            }
            map.next_value_seed(self.deeper()?)?;
            if let Some(key) = seen.replace(key) {
                return Err(A::Error::custom(format_args!("the key {key:?} stands twice in one object")));
            }
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let inner = self.deeper()?;
        while seq.next_element_seed(inner)?.is_some() {}
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// Whether Go reads `key` as `known`: the same but for case, where U+017F folds to `s` and U+212A to `k`.
fn folds_to(key: &str, known: &str) -> bool {
    let folded = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => c.to_ascii_lowercase(),
    };
    key.chars().map(folded).eq(known.chars().map(folded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i16_ambiguous_documents_are_refused() {
        let nested = |depth: usize| format!("{}{}", "{\"a\":".repeat(depth), "1") + &"}".repeat(depth);
        assert_eq!(check(nested(64).as_bytes()), Ok(()));
        let bad = [
            "",
            "1",
            "[]",
            "null",
            "{} {}",
            "{}x",
            "\u{feff}{}",
            r#"{"a":1,"a":2}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"x":[{"a":1,"\u0061":2}]}"#,
            r#"{"MediaType":1}"#,
            r#"{"mediatype":1}"#,
            "{\"\u{17f}ize\":1}",
            r#"{"layer\u017f":[]}"#,
            r#"{"a":{"Digest":1}}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            &nested(65),
            &nested(4000),
        ];
        for document in bad {
            assert!(check(document.as_bytes()).is_err(), "{document}");
        }
        assert!(check(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn plain_documents_pass() {
        for good in ["{}", r#" {"mediaType":"x","custom":{"Anything":[1,2.5,-3,null,true,"x"]}} "#] {
            assert_eq!(check(good.as_bytes()), Ok(()));
        }
    }
}
