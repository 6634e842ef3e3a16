//! Which image of a layout is meant.

use std::collections::BTreeSet;

use longshore_core::content::{Document, Platform};
use longshore_core::{Descriptor, Digest, Manifest, Reference};
use serde::Deserialize;

use super::{Layout, LayoutError};

/// The tag, or whatever else an image is called in a layout (image spec, annotations).
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The full reference, as containerd and Docker write it beside the tag.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// Which image of a layout is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The only one. What refers to another manifest of the layout (a signature, an SBOM) does not count: it goes with that.
    Only,
    /// The one of this name: a tag or reference as the layout's annotations say it.
    Name(String),
    /// The one of this digest, in the index or below it.
    Digest(Digest),
}

impl Layout {
    /// Finds the manifest that is meant; with a platform, the image for it in the index that is meant.
    ///
    /// # Errors
    /// Where nothing or more than one thing is meant. The error lists what can be chosen.
    pub fn select(&self, selection: &Selection, platform: Option<&Platform>) -> Result<Descriptor, LayoutError> {
        let found = match selection {
            Selection::Only => self.roots()?,
            Selection::Name(name) => self.named(name)?,
            Selection::Digest(digest) => vec![self.by_digest(digest)?],
        };
        match (found.as_slice(), platform) {
            ([], _) => Err(LayoutError::Empty),
            ([root], None) => Ok(root.clone()),
            ([root], Some(platform)) => self.for_platform(root, platform),
            (several, Some(platform)) if several.iter().any(|entry| entry.platform.is_some()) => {
                pick(several, platform).cloned()
            }
            (several, _) => Err(LayoutError::Several { names: several.iter().flat_map(names_or_digest).collect() }),
        }
    }

    /// What can be chosen: every name, and the digest of what has none, in the order of the index.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.manifests().flat_map(names_or_digest).collect();
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    fn manifests(&self) -> impl Iterator<Item = &Descriptor> {
        self.entries.iter().filter(|entry| entry.media_type.is_manifest())
    }

    /// What stands for itself: no referrer of another manifest here, and no list of such referrers.
    fn roots(&self) -> Result<Vec<Descriptor>, LayoutError> {
        let mut roots = distinct(self.manifests());
        if roots.len() > 1 {
            let mut kept = Vec::new();
            for root in roots {
                if !self.is_referrer(&root)? {
                    kept.push(root);
                }
            }
            roots = kept;
        }
        Ok(if roots.is_empty() { distinct(self.manifests()) } else { roots })
    }

    fn is_referrer(&self, entry: &Descriptor) -> Result<bool, LayoutError> {
        // A list of referrers stands under its subject's digest as a tag where it was copied from a registry without API.
        let listed = names(entry).filter_map(|name| name.replacen('-', ":", 1).parse::<Digest>().ok()).next();
        let subject = self.find_manifest(entry)?.as_ref().and_then(Manifest::subject).map(|subject| subject.digest);
        for subject in listed.into_iter().chain(subject) {
            if self.store.find_blob(&subject)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn named(&self, name: &str) -> Result<Vec<Descriptor>, LayoutError> {
        let mut found = distinct(self.manifests().filter(|entry| names(entry).any(|it| it == name)));
        if found.is_empty()
            && let Ok(wanted) = name.parse::<Reference>()
        {
            let same = |it: &str| it.parse::<Reference>().is_ok_and(|it| with_tag(it) == with_tag(wanted.clone()));
            found = distinct(self.manifests().filter(|entry| names(entry).any(same)));
        }
        if found.is_empty() {
            return Err(LayoutError::NoSuch { wanted: name.to_owned(), names: self.names() });
        }
        Ok(found)
    }

    fn by_digest(&self, digest: &Digest) -> Result<Descriptor, LayoutError> {
        if let Some(entry) = self.manifests().find(|entry| entry.digest == *digest) {
            return Ok(entry.clone());
        }
        let below = self.walk()?.into_iter().find(|manifest| manifest.digest() == *digest);
        below
            .map(|manifest| manifest.descriptor())
            .ok_or_else(|| LayoutError::NoSuch { wanted: digest.to_string(), names: self.names() })
    }

    fn for_platform(&self, root: &Descriptor, platform: &Platform) -> Result<Descriptor, LayoutError> {
        let manifest = self.manifest(root)?;
        match manifest.document() {
            Document::Index(index) => pick(&index.manifests, platform).cloned(),
            Document::Image(image) => {
                let mut root = root.clone();
                if root.platform.is_none() {
                    root.platform = self.platform_in(&image.config)?;
                }
                pick(std::slice::from_ref(&root), platform).cloned()
            }
            _ => Err(LayoutError::Platform {
                wanted: Box::new(platform.clone()),
                platforms: Vec::new(),
                ambiguous: false,
            }),
        }
    }

    /// What an image's config says, if it is one.
    fn platform_in(&self, config: &Descriptor) -> Result<Option<Platform>, LayoutError> {
        #[derive(Deserialize)]
        struct Config {
            os: String,
            architecture: String,
            variant: Option<String>,
        }
        let bytes = self.read_blob(config)?.unwrap_or_default();
        let config: Option<Config> = serde_json::from_slice(&bytes).ok();
        Ok(config.map(|config| Platform::new(config.os, config.architecture, config.variant)))
    }
}

/// The one that is for `wanted`. A platform without a variant stands for any variant, if there is only one.
fn pick<'a>(entries: &'a [Descriptor], wanted: &Platform) -> Result<&'a Descriptor, LayoutError> {
    let is_for = |entry: &&Descriptor, exact: bool| {
        entry.platform.as_ref().is_some_and(|it| {
            (&it.os, &it.architecture) == (&wanted.os, &wanted.architecture)
                && (variant(it) == variant(wanted) || !exact && wanted.variant.is_none())
        })
    };
    let mut found: Vec<_> = entries.iter().filter(|entry| is_for(entry, true)).collect();
    if found.is_empty() {
        found = entries.iter().filter(|entry| is_for(entry, false)).collect();
    }
    match found.as_slice() {
        [one] => Ok(one),
        _ => Err(LayoutError::Platform {
            wanted: Box::new(wanted.clone()),
            platforms: entries.iter().filter_map(|entry| entry.platform.clone()).collect(),
            ambiguous: !found.is_empty(),
        }),
    }
}

/// `arm64` is `arm64/v8`: tools write both.
fn variant(platform: &Platform) -> Option<&str> {
    match (platform.architecture.as_str(), platform.variant.as_deref()) {
        ("arm64", None) => Some("v8"),
        (_, variant) => variant,
    }
}

fn names(entry: &Descriptor) -> impl Iterator<Item = &str> {
    [CONTAINERD_NAME, REF_NAME].into_iter().filter_map(|key| entry.annotations.get(key)).map(String::as_str)
}

fn names_or_digest(entry: &Descriptor) -> Vec<String> {
    let names: Vec<_> = names(entry).map(str::to_owned).collect();
    if names.is_empty() { vec![entry.digest.to_string()] } else { names }
}

fn with_tag(mut reference: Reference) -> Reference {
    if reference.digest.is_none() {
        reference.tag.get_or_insert_with(longshore_core::Tag::latest);
    }
    reference
}

/// One entry a digest and platform: an image may stand under several names.
fn distinct<'a>(entries: impl Iterator<Item = &'a Descriptor>) -> Vec<Descriptor> {
    let mut seen = BTreeSet::new();
    entries.filter(|entry| seen.insert(entry.digest)).cloned().collect()
}
