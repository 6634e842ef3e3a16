//! Checks that every JSON reader understands the structure of a document in the same way.
//!
//! Go's decoder ignores the case of keys and uses the last of two equal ones; other decoders do not. If a key that the
//! specs define (a *structural* key) is affected, the document could mean one thing to this client and another to the
//! registry, so it is refused. All other keys are data: annotations, and members that the specs do not define, may have
//! any name and may occur twice.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// How many levels a document may nest, inclusive.
const MAX_DEPTH: u8 = 64;

/// The role of an object in a manifest or an index, which decides which of its keys are structural.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The whole document: an image manifest, an index, an artifact manifest, or Docker's schema 1.
    Document,
    /// A descriptor, or a layer of Docker's schema 1.
    Descriptor,
    /// The platform of a descriptor.
    Platform,
    /// Data: none of its keys is structural.
    Data,
}

impl Shape {
    /// The keys that the specs define for this object.
    const fn structural(self) -> &'static [&'static str] {
        match self {
            Self::Document => &[
                "annotations",
                "architecture",
                "artifactType",
                "blobs",
                "config",
                "fsLayers",
                "history",
                "layers",
                "manifests",
                "mediaType",
                "name",
                "schemaVersion",
                "signatures",
                "subject",
                "tag",
            ],
            Self::Descriptor => {
                &["annotations", "artifactType", "blobSum", "data", "digest", "mediaType", "platform", "size", "urls"]
            }
            Self::Platform => &["architecture", "features", "os", "os.features", "os.version", "variant"],
            Self::Data => &[],
        }
    }

    /// The role of the object that is the value of a key, or of the objects in the list that is its value.
    fn behind(self, key: &str) -> Self {
        match (self, key) {
            (Self::Document, "blobs" | "config" | "fsLayers" | "layers" | "manifests" | "subject") => Self::Descriptor,
            (Self::Descriptor, "platform") => Self::Platform,
            _ => Self::Data,
        }
    }
}

/// Why a document is not JSON, or is ambiguous JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct StrictError(
    /// What is wrong, and where.
    pub String,
);

/// Checks that `document` is one JSON object whose structure all readers understand alike.
pub(super) fn check(document: &[u8]) -> Result<(), StrictError> {
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let is_object = Strict { depth: 0, shape: Shape::Document }
        .deserialize(&mut deserializer)
        .map_err(|e| StrictError(e.to_string()))?;
    deserializer.end().map_err(|e| StrictError(e.to_string()))?;
    if is_object { Ok(()) } else { Err(StrictError("the document is not a JSON object".to_owned())) }
}

/// Reads one value and says whether it was an object.
#[derive(Clone, Copy)]
struct Strict {
    depth: u8,
    shape: Shape,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self, shape: Shape) -> Result<Self, E> {
        match self.depth.checked_add(1) {
            Some(depth) if depth <= MAX_DEPTH => Ok(Self { depth, shape }),
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
            if let Some(known) = self.shape.structural().iter().find(|known| folds_to(&key, known)) {
                if **known != key {
                    return Err(A::Error::custom(format_args!("some readers read the key {key:?} as {known:?}")));
                }
                if !seen.insert(*known) {
                    return Err(A::Error::custom(format_args!("the key {key:?} occurs twice in one object")));
                }
            }
            map.next_value_seed(self.deeper(self.shape.behind(&key))?)?;
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        let inner = self.deeper(self.shape)?;
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

/// Whether Go reads `key` as `known`: the two are equal without case. Go folds U+017F to `s` and U+212A to `k` too.
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
            r#"{"layers":1,"layers":2}"#,
            r#"{"config":{"size":1,"size":2}}"#,
            r#"{"layers":[{"size":1,"\u0073ize":2}]}"#,
            r#"{"manifests":[{"platform":{"os":1,"os":2}}]}"#,
            r#"{"MediaType":1}"#,
            r#"{"mediatype":1}"#,
            r#"{"blobs":[{"\u017fize":1}]}"#,
            r#"{"layer\u017f":[]}"#,
            r#"{"subject":{"Digest":1}}"#,
            r#"{"fsLayers":[{"blobsum":1}]}"#,
            r#"{"manifests":[{"Platform":{}}]}"#,
            r#"{"manifests":[{"platform":{"OS":1}}]}"#,
            r#"{"manifests":[[{"Digest":1}]]}"#,
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
    fn keys_that_are_data_pass() {
        for good in [
            "{}",
            r#" {"mediaType":"x","custom":{"Anything":[1,2.5,-3,null,true,"x"]}} "#,
            r#"{"annotations":{"Name":"a","OS":"b","Size":"c","size":"d","k":"e","k":"f"}}"#,
            r#"{"layers":[{"annotations":{"Digest":"a","digest":"b"}}]}"#,
            r#"{"x":1,"x":2,"y":{"Digest":1,"digest":2},"os":1,"OS":2}"#,
            r#"{"history":[{"Config":1,"config":2}]}"#,
        ] {
            assert_eq!(check(good.as_bytes()), Ok(()));
        }
    }
}
