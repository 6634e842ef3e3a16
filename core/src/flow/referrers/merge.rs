//! Merges entries into a list of referrers. All other entries keep their bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Descriptor, Digest, Manifest, MediaType};

/// The list cannot be parsed or serialised.
#[derive(Debug)]
pub(super) struct Unreadable;

/// The list with all entries of `wanted`, or `None` if it has them already.
pub(super) fn with(standing: Option<&Manifest>, wanted: &[Descriptor]) -> Result<Option<Manifest>, Unreadable> {
    let mut list = List::read(standing)?;
    let by_digest: BTreeMap<Digest, &Descriptor> = wanted.iter().map(|entry| (entry.digest, entry)).collect();
    let (mut placed, mut is_changed) = (BTreeSet::new(), false);
    // An entry with other content is replaced at its position. A duplicate is removed.
    for entry in std::mem::take(&mut list.entries) {
        match entry.digest.and_then(|digest| by_digest.get(&digest)) {
            None => list.entries.push(entry),
            Some(wanted) if !placed.insert(wanted.digest) => is_changed = true,
            Some(wanted) if entry.says(wanted) => list.entries.push(entry),
            Some(wanted) => {
                list.entries.push(Entry::of(wanted)?);
                is_changed = true;
            }
        }
    }
    for new in wanted {
        if placed.insert(new.digest) {
            list.entries.push(Entry::of(new)?);
            is_changed = true;
        }
    }
    if is_changed { list.write().map(Some) } else { Ok(None) }
}

/// The list without the entry of this digest, or `None` if it has none.
pub(super) fn without(standing: Option<&Manifest>, digest: Digest) -> Result<Option<Manifest>, Unreadable> {
    let mut list = List::read(standing)?;
    let before = list.entries.len();
    list.entries.retain(|entry| entry.digest != Some(digest));
    if list.entries.len() == before { Ok(None) } else { list.write().map(Some) }
}

/// Whether a list has no entry.
pub(super) fn is_empty(list: &Manifest) -> bool {
    list.children().chain(list.blobs()).next().is_none()
}

/// An index: its entries in order, and every other member unchanged.
struct List {
    entries: Vec<Entry>,
    others: BTreeMap<String, Box<RawValue>>,
}

struct Entry {
    digest: Option<Digest>,
    raw: Box<RawValue>,
}

impl Entry {
    fn of(descriptor: &Descriptor) -> Result<Self, Unreadable> {
        let raw = serde_json::value::to_raw_value(descriptor).map_err(|_| Unreadable)?;
        Ok(Self { digest: Some(descriptor.digest), raw })
    }

    fn says(&self, descriptor: &Descriptor) -> bool {
        serde_json::from_str::<Descriptor>(self.raw.get()).is_ok_and(|said| said == *descriptor)
    }
}

#[derive(Deserialize)]
struct EntryDigest {
    digest: Digest,
}

impl List {
    fn read(standing: Option<&Manifest>) -> Result<Self, Unreadable> {
        let Some(standing) = standing else { return Ok(Self { entries: Vec::new(), others: BTreeMap::new() }) };
        let mut others: BTreeMap<String, Box<RawValue>> =
            serde_json::from_slice(standing.bytes()).map_err(|_| Unreadable)?;
        let entries: Vec<Box<RawValue>> = match others.remove("manifests") {
            Some(entries) if entries.get() != "null" => serde_json::from_str(entries.get()).map_err(|_| Unreadable)?,
            _ => Vec::new(),
        };
        let entries = entries.into_iter().map(|raw| {
            let digest = serde_json::from_str::<EntryDigest>(raw.get()).ok().map(|entry| entry.digest);
            Entry { digest, raw }
        });
        Ok(Self { entries: entries.collect(), others })
    }

    fn write(self) -> Result<Manifest, Unreadable> {
        let entries: Vec<&str> = self.entries.iter().map(|entry| entry.raw.get()).collect();
        let mut document = format!(
            r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{}]"#,
            MediaType::OCI_INDEX,
            entries.join(",")
        );
        let others = self.others.iter().filter(|(key, _)| !matches!(key.as_str(), "schemaVersion" | "mediaType"));
        for (key, value) in others {
            let key = serde_json::to_string(key).map_err(|_| Unreadable)?;
            document.push_str(&format!(",{key}:{}", value.get()));
        }
        document.push('}');
        Manifest::parse(document).map_err(|_| Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::Algorithm;

    fn entry(name: &str) -> Descriptor {
        let mut entry = Descriptor::new(MediaType::oci_manifest(), Digest::of(Algorithm::Sha256, name.as_bytes()), 1);
        entry.annotations.insert("name".to_owned(), name.to_owned());
        entry
    }

    fn digests(list: &Manifest) -> Vec<Digest> {
        list.children().map(|child| child.digest).collect()
    }

    #[test]
    fn entries_are_added_once_and_in_order() {
        let (a, b) = (entry("a"), entry("b"));
        let one = with(None, from_ref(&a)).unwrap().unwrap();
        let two = with(Some(&one), from_ref(&b)).unwrap().unwrap();
        assert_eq!(digests(&two), [a.digest, b.digest]);
        assert!(with(Some(&two), from_ref(&a)).unwrap().is_none());
        assert_eq!(digests(&without(Some(&two), a.digest).unwrap().unwrap()), [b.digest]);
        assert!(without(Some(&one), b.digest).unwrap().is_none());
        assert!(is_empty(&without(Some(&one), a.digest).unwrap().unwrap()));
    }

    #[test]
    fn many_entries_go_in_together_and_each_stays_once() {
        let entries: Vec<Descriptor> = ["a", "b", "c"].map(entry).into();
        let [a, b, c] = entries.as_slice() else { unreachable!() };
        let two = with(None, &[a.clone(), c.clone(), a.clone()]).unwrap().unwrap();
        assert_eq!(digests(&two), [a.digest, c.digest]);
        let all = with(Some(&two), &entries).unwrap().unwrap();
        assert_eq!(digests(&all), [a.digest, c.digest, b.digest]);
        assert!(with(Some(&all), &entries).unwrap().is_none());
        assert!(with(None, &[]).unwrap().is_none());
    }

    #[test]
    fn what_others_wrote_keeps_its_bytes() {
        let foreign = r#"{ "mediaType":"application/vnd.oci.image.manifest.v1+json", "digest":"sha256:AA", "size":7.0, "x":[1] }"#;
        let bytes = format!(
            r#"{{"schemaVersion":2,"annotations":{{"k" : "v"}},"mediaType":"{}","manifests":[{foreign}]}}"#,
            MediaType::OCI_INDEX
        );
        // Such an index is no `Manifest` of ours to push, but may stand in a registry; only its shape is read here.
        let list =
            List::read(Some(&Manifest::parse_as(MediaType::known(MediaType::OCTET_STREAM), bytes).unwrap())).unwrap();
        assert_eq!(list.entries.len(), 1);
        assert_eq!(list.entries[0].raw.get(), foreign);
        assert_eq!(list.others["annotations"].get(), r#"{"k" : "v"}"#);
    }

    #[test]
    fn an_entry_that_says_something_else_is_repaired_in_its_place() {
        let (a, b) = (entry("a"), entry("b"));
        let list = with(None, &[a.clone(), b.clone()]).unwrap().unwrap();
        let mut better = a.clone();
        better.artifact_type = Some("application/vnd.example".to_owned());
        let repaired = with(Some(&list), from_ref(&better)).unwrap().unwrap();
        assert_eq!(digests(&repaired), [a.digest, b.digest]);
        assert!(with(Some(&repaired), from_ref(&better)).unwrap().is_none());
    }
}
