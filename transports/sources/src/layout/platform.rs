//! Finds the image for a platform: below any number of indexes, and by its config if the indexes do not state the
//! platform.

use std::collections::BTreeSet;

use longshore_core::content::{Document, Image, Platform};
use longshore_core::{Descriptor, Digest, MediaType};

use super::choice::{self, Choice};
use super::index::names;
use super::{Layout, LayoutError, MAX_DEPTH, MAX_FILE};

/// Images below some manifests, with their platforms.
struct Images<'a> {
    layout: &'a Layout,
    wanted: &'a Platform,
    seen: BTreeSet<Digest>,
    found: Vec<(Descriptor, Choice)>,
    /// The error of the first image that could not be read.
    unreadable: Option<LayoutError>,
}

impl Layout {
    /// The image for `wanted` below any of `roots`.
    pub(super) fn for_platform(&self, roots: &[Descriptor], wanted: &Platform) -> Result<Descriptor, LayoutError> {
        let mut images = Images { layout: self, wanted, seen: BTreeSet::new(), found: Vec::new(), unreadable: None };
        for root in roots {
            images.visit(root, names(root).next(), 0);
        }
        let Images { found, unreadable, .. } = images;
        let matching = matching(&found, wanted);
        match (matching.as_slice(), unreadable) {
            ([one], _) => Ok(one.0.clone()),
            ([], Some(error)) => Err(error),
            _ => {
                let is_ambiguous = !matching.is_empty();
                let choices: Vec<Choice> = if is_ambiguous {
                    matching.iter().map(|(_, choice)| choice.clone()).collect()
                } else {
                    found
                        .into_iter()
                        .map(|(_, choice)| choice)
                        .filter(|choice| choice.platform.as_ref().is_some_and(is_machine))
                        .collect()
                };
                let choices = if is_ambiguous { choice::by_platform(&choices) } else { choice::platforms(&choices) };
                Err(LayoutError::Platform { wanted: Box::new(wanted.clone()), choices, is_ambiguous })
            }
        }
    }

    /// The platform in an image's config, if it states one.
    fn platform_in(&self, image: &Image) -> Option<Platform> {
        let bytes = self.read_blob(&image.config, MAX_FILE).ok()??;
        let platform: Platform = serde_json::from_slice(&bytes).ok()?;
        (platform != Platform::default()).then_some(platform)
    }
}

impl Images<'_> {
    fn visit(&mut self, entry: &Descriptor, name: Option<&str>, depth: usize) {
        if depth > MAX_DEPTH || !self.seen.insert(entry.digest) {
            return;
        }
        if let Some(platform) = entry.platform.as_deref().filter(|platform| self.is_enough(entry, platform)) {
            return self.add(entry, name, Some(platform.clone()));
        }
        let manifest = match self.layout.find_manifest(entry) {
            Ok(Some(manifest)) => manifest,
            // `docker save` writes the complete index, but the images of one platform only.
            Ok(None) => return self.add(entry, name, entry.platform.as_deref().cloned()),
            Err(error) => {
                self.unreadable.get_or_insert(error);
                return;
            }
        };
        match manifest.document() {
            Document::Index(_) => manifest.children().for_each(|child| self.visit(child, name, depth + 1)),
            Document::Image(image) => {
                let platform = completed(entry.platform.as_deref().cloned(), self.layout.platform_in(image));
                let mut descriptor = entry.clone();
                descriptor.media_type = manifest.media_type().clone();
                self.add(&descriptor, name, platform);
            }
            _ => {}
        }
    }

    fn add(&mut self, entry: &Descriptor, name: Option<&str>, platform: Option<Platform>) {
        let choice = Choice { name: name.map(str::to_owned), platform, digest: entry.digest };
        self.found.push((entry.clone(), choice));
    }

    /// Whether an entry states everything that is needed, so that its image need not be read.
    fn is_enough(&self, entry: &Descriptor, platform: &Platform) -> bool {
        let says_features = !platform.os_features.is_empty() || !platform.features.is_empty();
        let asks_features = !self.wanted.os_features.is_empty() || !self.wanted.features.is_empty();
        MediaType::is_image(&entry.media_type)
            && !platform.os.is_empty()
            && !platform.architecture.is_empty()
            && (platform.os_version.is_some() || self.wanted.os_version.is_none())
            && (says_features || !asks_features)
    }
}

/// Whether it is a real platform: BuildKit lists its attestations as images for `unknown/unknown`.
pub(super) fn is_machine(platform: &Platform) -> bool {
    platform.os != "unknown"
}

/// The platform in an index entry, completed from the config.
fn completed(entry: Option<Platform>, config: Option<Platform>) -> Option<Platform> {
    let (Some(entry), Some(config)) = (&entry, &config) else { return entry.or(config) };
    let mut platform = entry.clone();
    let fill = |part: &mut String, from: &String| {
        if part.is_empty() {
            part.clone_from(from);
        }
    };
    fill(&mut platform.os, &config.os);
    fill(&mut platform.architecture, &config.architecture);
    platform.variant = platform.variant.or_else(|| config.variant.clone());
    platform.os_version = platform.os_version.or_else(|| config.os_version.clone());
    if platform.os_features.is_empty() {
        platform.os_features.clone_from(&config.os_features);
    }
    Some(platform)
}

/// The images for `wanted`, each once. If some match exactly, only those: a platform without a variant matches every
/// variant, and a version matches all versions that begin with it.
fn matching(found: &[(Descriptor, Choice)], wanted: &Platform) -> Vec<(Descriptor, Choice)> {
    for (exact_variant, exact_version) in [(true, true), (true, false), (false, true), (false, false)] {
        let fits = |choice: &Choice| {
            choice.platform.as_ref().is_some_and(|platform| {
                is_same_machine(platform, wanted)
                    && (variant(platform) == variant(wanted) || !exact_variant && wanted.variant.is_none())
                    && if exact_version {
                        platform.os_version == wanted.os_version
                    } else {
                        is_version(platform.os_version.as_deref(), wanted.os_version.as_deref())
                    }
            })
        };
        let fitting: Vec<_> = found.iter().filter(|(_, choice)| fits(choice)).cloned().collect();
        if !fitting.is_empty() {
            return fitting;
        }
    }
    Vec::new()
}

fn is_same_machine(platform: &Platform, wanted: &Platform) -> bool {
    let has = |feature: &String| platform.os_features.contains(feature) || platform.features.contains(feature);
    platform.os == wanted.os
        && architecture(&platform.architecture) == architecture(&wanted.architecture)
        && wanted.os_features.iter().chain(&wanted.features).all(has)
}

/// Whether a version such as `10.0.20348.2031` matches `10.0.20348`.
fn is_version(version: Option<&str>, wanted: Option<&str>) -> bool {
    let Some(wanted) = wanted else { return true };
    let rest = version.and_then(|version| version.strip_prefix(wanted));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Translates common names of architectures to Go's.
fn architecture(text: &str) -> &str {
    match text {
        "x86_64" | "x86-64" => "amd64",
        "aarch64" => "arm64",
        "i386" => "386",
        text => text,
    }
}

/// The variant, without `v8` for `arm64` and `v1` for `amd64`: tools write both forms.
fn variant(platform: &Platform) -> Option<&str> {
    match (architecture(&platform.architecture), platform.variant.as_deref()) {
        ("arm64", None) => Some("v8"),
        ("amd64", Some("v1")) => None,
        (_, variant) => variant,
    }
}
