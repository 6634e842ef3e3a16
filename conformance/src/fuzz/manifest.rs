//! Manifests as bytes: what is accepted means the same to every reader of JSON.

use std::fmt;

use longshore_core::{Descriptor, Digest, Manifest, MediaType};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::assert_harmless;

/// A manifest or index.
///
/// # Panics
/// Where a reader that folds keys, or takes the first or the last of equal ones, would see other content than was accepted
/// (security invariant I16), or where the bytes are not kept (I17).
pub fn manifest_strict(bytes: &[u8]) {
    let manifest = match Manifest::parse(bytes.to_vec()) {
        Ok(manifest) => manifest,
        Err(error) => return assert_harmless(&error.to_string()),
    };
    assert_eq!(manifest.bytes(), bytes);
    assert!(manifest.digest().matches(bytes));
    let value: Value = serde_json::from_slice(bytes).expect("what is accepted is JSON");
    assert!(depth(&value) <= 65, "nested too deep");
    let again = Manifest::parse_as(manifest.media_type().clone(), bytes.to_vec());
    assert_eq!(again.as_ref(), Ok(&manifest), "its own media type is refused");

    for reader in [Reader { takes_first: true }, Reader { takes_first: false }] {
        let document: &RawValue = serde_json::from_slice(bytes).unwrap();
        if let Some(media_type) = reader.text(document, "mediaType").filter(|text| !text.is_empty()) {
            assert_eq!(media_type.parse().as_ref(), Ok(manifest.media_type()));
        }
        let (config, layers) = (reader.field(document, "config"), reader.list(document, "layers"));
        let referred = if manifest.media_type().is_index() {
            assert!(config.is_none() && layers.is_empty(), "an index that is an image too");
            reader.list(document, "manifests")
        } else if manifest.media_type().is_image() {
            assert!(reader.list(document, "manifests").is_empty(), "an image that is an index too");
            config.into_iter().chain(layers).collect()
        } else if manifest.media_type().as_str() == MediaType::OCI_ARTIFACT {
            reader.list(document, "blobs")
        } else {
            Vec::new()
        };
        let (blobs, children) = (manifest.blobs(), manifest.children());
        // An index keeps its order, and its few blobs among it.
        let mut read: Vec<&Descriptor> = blobs.chain(children).collect();
        assert_eq!(read.len(), referred.len(), "others see {} references", referred.len());
        for seen in referred {
            let at = read.iter().position(|descriptor| reader.sees(seen, descriptor));
            read.remove(at.unwrap_or_else(|| panic!("others see {seen}, and not {read:?}")));
        }
        if let Some(subject) = manifest.subject() {
            assert!(reader.sees(reader.field(document, "subject").unwrap(), subject), "another subject is seen");
        }
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(array) => 1 + array.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        _ => 1,
    }
}

/// A reader that does not care for the case of keys, as Go's.
#[derive(Clone, Copy)]
struct Reader {
    takes_first: bool,
}

impl Reader {
    /// A field of an object; nothing where it is `null`.
    fn field<'a>(self, object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
        let Members(members) = serde_json::from_str(object.get()).ok()?;
        let mut found = members.into_iter().filter(|(key, _)| folded(key) == folded(name)).map(|(_, value)| value);
        let value = if self.takes_first { found.next() } else { found.next_back() };
        value.filter(|value| value.get() != "null")
    }

    fn text(self, object: &RawValue, name: &str) -> Option<String> {
        serde_json::from_str(self.field(object, name)?.get()).ok()
    }

    fn list<'a>(self, object: &'a RawValue, name: &str) -> Vec<&'a RawValue> {
        self.field(object, name).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
    }

    /// Whether it sees the same descriptor.
    fn sees(self, object: &RawValue, descriptor: &Descriptor) -> bool {
        let digest = self.text(object, "digest").and_then(|text| text.parse::<Digest>().ok());
        let media_type = self.text(object, "mediaType").and_then(|text| text.parse::<MediaType>().ok());
        let media_type = media_type.unwrap_or_else(MediaType::absent);
        let size = self.field(object, "size").and_then(|value| value.get().parse().ok());
        digest == Some(descriptor.digest) && media_type == descriptor.media_type && size == Some(descriptor.size)
    }
}

/// Without regard to case, a character at a time.
fn folded(text: &str) -> String {
    let upper = |c: char| {
        let mut upper = c.to_uppercase();
        if upper.len() == 1 { upper.next().unwrap_or(c) } else { c }
    };
    text.chars().map(upper).flat_map(char::to_lowercase).collect()
}

/// The members of an object, in order, with all that stand twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AllOfThem;
        impl<'de> Visitor<'de> for AllOfThem {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(AllOfThem)
    }
}
