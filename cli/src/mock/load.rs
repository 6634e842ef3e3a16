//! What the registry has at the start: images of layouts.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use longshore_core::{Descriptor, Repository, Tag};
use longshore_mock_registry::server::Server;
use longshore_mock_registry::{ContentError, Registry};
use longshore_sources::SourceArgument;
use longshore_sources::layout::{ArgumentError, Closure, Layout, LayoutOptions, Selection};

use crate::exit::Error;
use crate::output;

/// Puts the images of these layouts into the registry.
pub(super) fn into(server: Server, layouts: &[String]) -> Result<Server, Error> {
    if layouts.is_empty() {
        return Ok(server);
    }
    let mut images = Vec::new();
    for argument in layouts {
        images.extend(read(argument)?);
    }
    let add = move |registry: &mut Registry| images.iter().try_for_each(|image| image.add(registry));
    server.with_content(add).map_err(|error| Error::failed(format!("cannot load {}: {error}", layouts.join(" and "))))
}

/// What an image is called in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    repository: Repository,
    tag: Option<Tag>,
}

impl Name {
    /// Reads `[host/]repository[:tag]`. The host is ignored.
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.split('@').next().unwrap_or(text);
        let is_host = |part: &str| part == "localhost" || part.contains(['.', ':']);
        let path = text.split_once('/').filter(|(first, _)| is_host(first)).map_or(text, |(_, path)| path);
        let (repository, tag) = path.split_once(':').map_or((path, None), |(repository, tag)| (repository, Some(tag)));
        let repository = repository.parse().map_err(|error| format!("{text:?} names no repository: {error}"))?;
        let tag = tag.map(str::parse).transpose().map_err(|error| format!("{text:?} has no tag: {error}"))?;
        Ok(Self { repository, tag })
    }
}

/// An image and its repository.
struct Image {
    repository: Repository,
    tags: Vec<Tag>,
    closure: Closure,
}

impl Image {
    fn add(&self, registry: &mut Registry) -> Result<(), ContentError> {
        add(registry, &self.repository, &self.closure, &self.tags)?;
        self.closure.companions.iter().try_for_each(|companion| {
            add(registry, &self.repository, &companion.closure, std::slice::from_ref(&companion.tag))
        })
    }

    fn told(&self) -> String {
        let names: Vec<String> = self.tags.iter().map(|tag| format!("{}:{tag}", self.repository)).collect();
        let digest = self.closure.root.digest;
        if names.is_empty() { format!("{}@{digest}", self.repository) } else { names.join(", ") }
    }
}

fn add(registry: &mut Registry, repository: &Repository, closure: &Closure, tags: &[Tag]) -> Result<(), ContentError> {
    for blob in &closure.blobs {
        let digest = blob.descriptor.digest;
        let opened = blob.source.rest(0).map_err(|error| ContentError::Read { digest, error: error.into() })?;
        registry.add_blob(repository, &digest, opened)?;
    }
    for manifest in &closure.manifests {
        let tags = if manifest.digest() == closure.root.digest { tags } else { &[] };
        let (digest, media_type) = (manifest.digest(), manifest.media_type());
        registry.add_manifest(repository, &digest, media_type, manifest.bytes().clone(), tags)?;
    }
    Ok(())
}

/// Reads what `LAYOUT[=NAME]` means.
fn read(argument: &str) -> Result<Vec<Image>, Error> {
    let failed = |why: &dyn Display| Error::failed(format!("cannot load {argument}: {why}"));
    let (source, name) = parse(argument).map_err(|why| Error::misuse(format!("cannot load {argument}: {why}")))?;
    let layout = source.open(LayoutOptions::default()).map_err(|error| failed(&error))?;
    let chosen = choose(&layout, &source.selection, name).map_err(|why| failed(&why))?;
    let mut images: Vec<Image> = Vec::new();
    for (root, Name { repository, tag }) in chosen {
        let same = |image: &&mut Image| image.closure.root.digest == root.digest && image.repository == repository;
        if let Some(image) = images.iter_mut().find(same) {
            image.tags.extend(tag);
        } else {
            let closure = layout.closure_with_referrers(&root).map_err(|error| failed(&error))?;
            images.push(Image { repository, tags: tag.into_iter().collect(), closure });
        }
    }
    tell(argument, &images);
    Ok(images)
}

/// Parts the argument at the `=` behind the longest path that exists.
fn parse(argument: &str) -> Result<(SourceArgument, Option<Name>), String> {
    if !Path::new(argument).exists() {
        for (at, _) in argument.rmatch_indices('=') {
            if let Ok(source) = SourceArgument::parse(&argument[..at]) {
                return Ok((source, Some(Name::parse(&argument[at + 1..])?)));
            }
        }
    }
    let layout = |error: ArgumentError| error.to_string();
    match SourceArgument::parse(argument) {
        Ok(source) => Ok((source, None)),
        Err(error) => match argument.split_once('=') {
            Some((path, _)) => SourceArgument::parse(path).map(|source| (source, None)).map_err(layout),
            None => Err(layout(error)),
        },
    }
}

/// The images that are meant, each under what it is called here.
fn choose(layout: &Layout, selection: &Selection, name: Option<Name>) -> Result<Vec<(Descriptor, Name)>, String> {
    match (selection, name) {
        (Selection::Only, None) => by_own_names(layout),
        (Selection::Only, Some(Name { repository, tag: None })) => Ok(all_in(layout, &repository)),
        (selection, name) => {
            let root = layout.select(selection, None).map_err(|error| match selection {
                Selection::Only => format!("{error} (as LAYOUT:NAME=…)"),
                Selection::Name(_) | Selection::Digest(_) => error.to_string(),
            })?;
            let mut name = match (name, selection) {
                (Some(name), _) => name,
                (None, Selection::Name(own)) => own_name(layout, own)?,
                (None, _) => return Err("say what it is called here: LAYOUT=NAME".to_owned()),
            };
            // An image that was chosen by its tag keeps it.
            if let (None, Selection::Name(own)) = (&name.tag, selection) {
                name.tag = tag_of(own);
            }
            Ok(vec![(root, name)])
        }
    }
}

/// Everything that the layout has a name for, under that name.
fn by_own_names(layout: &Layout) -> Result<Vec<(Descriptor, Name)>, String> {
    let mut chosen = Vec::new();
    for (entry, names) in layout.named_manifests() {
        // If there are both, the full reference takes precedence over the tag.
        if let Some(name) = names.first() {
            chosen.push((entry.clone(), own_name(layout, name)?));
        }
    }
    if chosen.is_empty() {
        return Err("it does not say what its images are called: say it, as LAYOUT=NAME".to_owned());
    }
    Ok(chosen)
}

/// What an image is called here that the layout calls so: where that is a tag alone, the repository has the layout's name.
fn own_name(layout: &Layout, name: &str) -> Result<Name, String> {
    let Ok(tag) = name.parse::<Tag>() else {
        return Name::parse(name).map_err(|why| format!("{why}: say what it is called here, as LAYOUT=NAME"));
    };
    let path = layout.path().canonicalize().unwrap_or_else(|_| layout.path().to_owned());
    let file = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = file.split(".tar").next().unwrap_or(&file).trim_end_matches(".oci");
    let repository = stem.parse().map_err(|error| {
        format!("its image {tag} names no repository, and {stem:?} is none ({error}): say it, as LAYOUT=NAME")
    })?;
    Ok(Name { repository, tag: Some(tag) })
}

/// The tag in what a layout calls an image: a tag alone, or a reference.
fn tag_of(name: &str) -> Option<Tag> {
    name.parse().ok().or_else(|| Name::parse(name).ok()?.tag)
}

/// Everything in this repository: under the tags of its names, or where it has none, by digest alone. The only one is the
/// latest.
fn all_in(layout: &Layout, repository: &Repository) -> Vec<(Descriptor, Name)> {
    let only = layout.select(&Selection::Only, None).ok().map(|root| root.digest);
    let mut chosen = Vec::new();
    for (entry, names) in layout.named_manifests() {
        let tags: BTreeSet<Tag> = names.iter().filter_map(|name| tag_of(name)).collect();
        let latest = (tags.is_empty() && only == Some(entry.digest)).then(Tag::latest);
        let tags: Vec<Option<Tag>> = tags.into_iter().chain(latest).map(Some).collect();
        let tags = if tags.is_empty() { vec![None] } else { tags };
        chosen.extend(tags.into_iter().map(|tag| (entry.clone(), Name { repository: repository.clone(), tag })));
    }
    chosen
}

fn tell(argument: &str, images: &[Image]) {
    const MOST: usize = 5;
    let names: Vec<String> = images.iter().take(MOST).map(Image::told).collect();
    let more = images.len().saturating_sub(MOST);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    output::say(format!("loaded {argument}: {}{more}", names.join(", ")));
    for missing in images.iter().flat_map(|image| &image.closure.missing).take(MOST) {
        output::say(format!("warning: {argument} lacks the blob {}", missing.descriptor.digest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_without_their_host() {
        let told = |text: &str| {
            Name::parse(text).map(|name| format!("{} {:?}", name.repository, name.tag.map(|tag| tag.to_string())))
        };
        for (text, name) in [
            ("app", "app None"),
            ("team/app:v1", "team/app Some(\"v1\")"),
            ("docker.io/library/app:v1", "library/app Some(\"v1\")"),
            ("localhost:5000/app", "app None"),
            ("app:v1@sha256:00", "app Some(\"v1\")"),
        ] {
            assert_eq!(told(text).as_deref(), Ok(name), "{text}");
        }
        for text in ["", "App", "app:", "a//b", "localhost:5000/"] {
            assert!(told(text).is_err(), "{text}");
        }
    }
}
