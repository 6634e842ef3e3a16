//! Selects an image of a layout.

use std::collections::BTreeSet;

use longshore_core::content::Platform;
use longshore_core::{Descriptor, Digest, Reference, Tag};

use super::choice::{self, Choice};
use super::index::{is_manifest, names};
use super::{Layout, LayoutError};

/// Which image of a layout to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The only one. Referrers of other manifests in the layout (signatures, SBOMs) do not count.
    Only,
    /// The one with this name, which is a tag or a reference in the layout's annotations.
    Name(String),
    /// The one with this digest, in the index or below it.
    Digest(Digest),
}

impl Layout {
    /// Finds the selected manifest. With a platform, finds the image for it in nested indexes; if an index does not
    /// state an image's platform, the image's config is read.
    ///
    /// # Errors
    /// If nothing or more than one image matches. The error lists what can be chosen.
    pub fn select(&self, selection: &Selection, platform: Option<&Platform>) -> Result<Descriptor, LayoutError> {
        let found = match selection {
            Selection::Only => self.roots(),
            Selection::Name(name) => self.named(name)?,
            Selection::Digest(digest) => vec![self.by_digest(digest)?],
        };
        match (found.as_slice(), platform) {
            ([], _) => Err(self.nothing(None)),
            ([root], None) => Ok(root.clone()),
            (several, None) => Err(LayoutError::Several { choices: choice::by_name(&choices(several)) }),
            (several, Some(platform)) => self.for_platform(several, platform),
        }
    }

    /// What can be chosen, in the order of the index: every name, and the digests of entries without a name.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        choice::by_name(&choices(self.manifests()))
    }

    /// The manifests in `index.json`, in order, each with its names there: tags or references, or none.
    pub fn named_manifests(&self) -> impl Iterator<Item = (&Descriptor, Vec<&str>)> {
        self.manifests().map(|entry| (entry, names(entry).collect()))
    }

    pub(super) fn manifests(&self) -> impl Iterator<Item = &Descriptor> {
        self.entries().iter().filter(|entry| is_manifest(entry))
    }

    /// The entries that are neither referrers of another manifest in the layout nor lists of referrers.
    fn roots(&self) -> Vec<Descriptor> {
        self.without_referrers(distinct(self.manifests()))
    }

    /// Entries without those that are referrers, if any other is among them.
    fn without_referrers(&self, all: Vec<Descriptor>) -> Vec<Descriptor> {
        if all.len() < 2 {
            return all;
        }
        let roots: Vec<Descriptor> = all.iter().filter(|root| !self.is_referrer(root)).cloned().collect();
        if roots.is_empty() { all } else { roots }
    }

    /// Whether an entry is a referrer of another manifest in the layout. One that cannot be read counts as not.
    fn is_referrer(&self, entry: &Descriptor) -> bool {
        let by_name = self.companion(entry).map(|(subject, _)| subject);
        let subject = || {
            let manifest = self.find_manifest(entry).ok().flatten();
            manifest.and_then(|manifest| manifest.subject().map(|subject| subject.digest))
        };
        let is_here =
            |subject: Digest| subject != entry.digest && matches!(self.store.find_blob(&subject), Ok(Some(_)));
        by_name.is_some_and(is_here) || subject().is_some_and(is_here)
    }

    fn named(&self, name: &str) -> Result<Vec<Descriptor>, LayoutError> {
        let mut found = distinct(self.manifests().filter(|entry| names(entry).any(|it| it == name)));
        if found.is_empty()
            && let Ok(wanted) = name.parse::<Reference>()
        {
            let wanted = with_tag(wanted);
            let same = |it: &str| it.parse::<Reference>().is_ok_and(|it| with_tag(it) == wanted);
            found = distinct(self.manifests().filter(|entry| names(entry).any(same)));
        }
        if found.is_empty() { Err(self.nothing(Some(name))) } else { Ok(self.without_referrers(found)) }
    }

    /// The error if nothing was found, under this name or at all.
    fn nothing(&self, name: Option<&str>) -> LayoutError {
        let is_meant = |it: &str| name.is_none_or(|name| name == it);
        let mut others = self.entries().iter().filter(|entry| !is_manifest(entry));
        let unknown = others.find(|entry| name.is_none() || names(entry).any(is_meant));
        let damaged =
            self.entries.damaged.iter().find(|entry| name.is_none() || entry.name.as_deref().is_some_and(is_meant));
        match (unknown, damaged, name) {
            (Some(entry), _, _) => of_unknown_type(entry),
            (None, Some(entry), _) => entry.error(),
            (None, None, Some(name)) => LayoutError::NoSuch { wanted: name.to_owned(), choices: self.names() },
            (None, None, None) => LayoutError::Empty,
        }
    }

    fn by_digest(&self, digest: &Digest) -> Result<Descriptor, LayoutError> {
        if let Some(entry) = self.manifests().find(|entry| entry.digest == *digest) {
            return Ok(entry.clone());
        }
        if let Some(entry) = self.entries().iter().find(|entry| entry.digest == *digest) {
            return Err(of_unknown_type(entry));
        }
        let below = self.neighbours(&BTreeSet::new(), |manifest| manifest.digest() == *digest).manifests;
        below
            .first()
            .map(longshore_core::Manifest::descriptor)
            .ok_or_else(|| LayoutError::NoSuch { wanted: digest.to_string(), choices: self.names() })
    }
}

fn of_unknown_type(entry: &Descriptor) -> LayoutError {
    let name = names(entry).next().map_or_else(|| entry.digest.to_string(), str::to_owned);
    LayoutError::UnknownType { name, media_type: entry.media_type.clone() }
}

fn choices<'a>(entries: impl IntoIterator<Item = &'a Descriptor>) -> Vec<Choice> {
    entries.into_iter().flat_map(Choice::of).collect()
}

fn with_tag(mut reference: Reference) -> Reference {
    if reference.digest.is_none() {
        reference.tag.get_or_insert_with(Tag::latest);
    }
    reference
}

/// One entry for each digest: an image may have several names.
fn distinct<'a>(entries: impl Iterator<Item = &'a Descriptor>) -> Vec<Descriptor> {
    let mut seen = BTreeSet::new();
    entries.filter(|entry| seen.insert(entry.digest)).cloned().collect()
}
