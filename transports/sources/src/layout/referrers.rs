//! Finds the referrers of an image in a layout: by `subject`, or, as `cosign` writes them, by a tag that is made from
//! the image's digest or by an annotation in the layout's index.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::{Descriptor, Digest, Manifest, Tag};

use super::closure::{Closure, Companion, LeftBehind};
use super::index::{is_manifest, names};
use super::walk::{Neighbours, Walk};
use super::{Layout, LayoutError};

/// The annotation with which `cosign save` marks the kind of an entry of `index.json`.
const KIND: &str = "kind";

/// The prefix of the values of [`KIND`].
const KIND_PREFIX: &str = "dev.cosignproject.cosign/";

/// The annotation in an index with which BuildKit names the image that an attestation is about.
const ATTESTED: &str = "vnd.docker.reference.digest";

/// Referrers by subject.
struct References {
    by_subject: BTreeMap<Digest, Vec<Manifest>>,
    by_tag: BTreeMap<Digest, Vec<(Tag, Descriptor)>>,
    warnings: Vec<String>,
}

impl Layout {
    /// Adds the referrers of a walk's manifests. Returns those with a tag of their own, and warnings about manifests
    /// that could not be read.
    pub(super) fn take_referrers(&self, walk: &mut Walk<'_>) -> Result<(Vec<Companion>, Vec<String>), LayoutError> {
        let mut references = self.references(&walk.seen);
        let mut subjects: Vec<Digest> = walk.manifests.iter().map(Manifest::digest).collect();
        let (mut companions, mut next) = (Vec::new(), 0);
        while let Some(subject) = subjects.get(next).copied() {
            next += 1;
            for referrer in references.by_subject.remove(&subject).unwrap_or_default() {
                let known = walk.manifests.len();
                walk.visit_root(&referrer.descriptor(), "index.json")?;
                subjects.extend(walk.manifests.iter().skip(known).map(Manifest::digest));
            }
            for (tag, root) in references.by_tag.remove(&subject).unwrap_or_default() {
                let mut own = Walk::new(self);
                own.visit_root(&root, &format!("index.json ({tag})"))?;
                subjects.extend(own.manifests.iter().map(Manifest::digest));
                companions.push(Companion { tag, closure: self.with_blobs(root, own)? });
            }
        }
        Ok((companions, references.warnings))
    }

    /// Lists the referrers of a closure's manifests in [`Closure::left_behind`].
    pub(super) fn leave_referrers(&self, closure: &mut Closure) {
        let mut subjects: Vec<Digest> = closure.manifests.iter().map(Manifest::digest).collect();
        let mut seen: BTreeSet<Digest> = subjects.iter().copied().collect();
        let mut references = self.references(&seen);
        let mut next = 0;
        while let Some(subject) = subjects.get(next).copied() {
            next += 1;
            let by_subject = references.by_subject.remove(&subject).unwrap_or_default().into_iter();
            let by_subject = by_subject.map(|manifest| LeftBehind {
                digest: manifest.digest(),
                artifact_type: manifest.artifact_type().map(str::to_owned),
                tag: None,
            });
            let by_tag = references.by_tag.remove(&subject).unwrap_or_default().into_iter();
            let by_tag = by_tag.map(|(tag, root)| LeftBehind {
                digest: root.digest,
                artifact_type: root.artifact_type,
                tag: Some(tag),
            });
            for left in by_subject.chain(by_tag) {
                if seen.insert(left.digest) {
                    subjects.push(left.digest);
                    closure.left_behind.push(left);
                }
            }
        }
        closure.warnings.append(&mut references.warnings);
    }

    /// The attestations that BuildKit lists beside an image in an index, if the image is pushed without that index.
    pub(super) fn attestations(&self, closure: &Closure) -> Vec<Digest> {
        if closure.manifests.iter().any(|manifest| manifest.media_type().is_index()) {
            return Vec::new();
        }
        let root = closure.root.digest.to_string();
        let is_about = |child: &&Descriptor| child.annotations.get(ATTESTED) == Some(&root);
        let indexes = self.neighbours(&BTreeSet::new(), |manifest| manifest.media_type().is_index()).manifests;
        let found = indexes.iter().flat_map(Manifest::children).filter(is_about).map(|child| child.digest);
        found.collect::<BTreeSet<Digest>>().into_iter().collect()
    }

    fn references(&self, known: &BTreeSet<Digest>) -> References {
        let mut by_tag: BTreeMap<Digest, Vec<(Tag, Descriptor)>> = BTreeMap::new();
        for entry in self.manifests() {
            if let Some((subject, Some(tag))) = self.companion(entry) {
                by_tag.entry(subject).or_default().push((tag, entry.clone()));
            }
        }
        let Neighbours { manifests, warnings } = self.neighbours(known, |manifest| manifest.subject().is_some());
        let mut by_subject: BTreeMap<Digest, Vec<Manifest>> = BTreeMap::new();
        for manifest in manifests {
            if let Some(subject) = manifest.subject() {
                by_subject.entry(subject.digest).or_default().push(manifest);
            }
        }
        References { by_subject, by_tag, warnings }
    }

    /// The digest that an entry is about, by its name or annotation, and its tag. A list of referrers, whose tag is
    /// only the subject's digest, has no tag here, because the push itself updates such lists.
    pub(super) fn companion(&self, entry: &Descriptor) -> Option<(Digest, Option<Tag>)> {
        names(entry).find_map(about).or_else(|| self.companion_by_kind(entry))
    }

    /// The same for a layout of `cosign save`, which has an image and the manifests about it.
    fn companion_by_kind(&self, entry: &Descriptor) -> Option<(Digest, Option<Tag>)> {
        let suffix = match kind(entry)? {
            "sigs" => "sig",
            "atts" => "att",
            "sboms" => "sbom",
            _ => return None,
        };
        let is_image = |other: &&Descriptor| matches!(kind(other), Some("image" | "imageIndex"));
        let images: Vec<&Descriptor> = self.entries().iter().filter(|it| is_manifest(it)).filter(is_image).collect();
        let is_of_same_name = |image: &&&Descriptor| names(image).eq(names(entry));
        let image = match images.as_slice() {
            [image] => image,
            several => several.iter().find(is_of_same_name)?,
        };
        let digest = image.digest;
        let tag = format!("{}-{}.{suffix}", digest.algorithm(), digest.hex()).parse().ok()?;
        Some((digest, Some(tag)))
    }
}

fn kind(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(KIND)?.strip_prefix(KIND_PREFIX)
}

/// The digest in a name such as `sha256-HEX` or `sha256-HEX.sig`, and the tag if it has the second form. The name may
/// be a whole reference with such a tag.
fn about(name: &str) -> Option<(Digest, Option<Tag>)> {
    let tag = name.rsplit_once(':').map_or(name, |(_, tag)| tag);
    let (digest, suffix) = tag.split_once('.').map_or((tag, None), |(digest, suffix)| (digest, Some(suffix)));
    let digest = digest.replacen('-', ":", 1).parse().ok()?;
    Some((digest, suffix.and_then(|_| tag.parse().ok())))
}
