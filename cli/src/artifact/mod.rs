//! `longshore artifact`: files and folders as an artifact, in a registry.

mod layers;
mod manifest;

use std::collections::BTreeSet;

use longshore_core::{Blob, Descriptor, Digest, Push, Pushed, Receipt, Reference, Tag};
use longshore_sources::Source;
use serde_json::json;

use crate::args::{ArtifactArguments, ContentArguments};
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;
use crate::size::{count, human};
use layers::Layers;
pub(crate) use manifest::Artifact;

/// Reads the files, pushes them, and prints the digest and what it cost.
pub(crate) async fn run(arguments: ArtifactArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.reference);
    let subject = arguments.subject.as_deref().map(|subject| subject_of(subject, &reference)).transpose()?;
    let mut content = Content::read(&arguments.content)?;
    let mut connection = Connection::open(&arguments.connection, &reference, arguments.content.progress)?;
    if let Some(subject) = &subject {
        content.artifact.subject = Some(connection.manifest(subject).await?.descriptor());
    }
    let mut tags: Vec<Tag> = reference.tag.iter().chain(&arguments.tags).cloned().collect();
    if tags.is_empty() && reference.digest.is_none() && subject.is_none() {
        tags.push(Tag::latest());
    }
    let subject = content.artifact.subject.as_ref().map(|subject| subject.digest);
    let (digest, pushed) = content.push(&mut connection, &reference, tags).await?;
    let (requests, bytes) = (pushed.requests, pushed.bytes);
    if arguments.content.json {
        let tags: Vec<String> = pushed.tags.iter().map(ToString::to_string).collect();
        let mut report = json!({"digest": digest, "tags": tags, "requests": requests, "bytes": bytes});
        if let (Some(subject), Some(report)) = (subject, report.as_object_mut()) {
            report.insert("subject".to_owned(), json!(subject));
        }
        return output::line(output::json(&report));
    }
    output::line(digest)?;
    let names: Vec<String> = pushed.tags.iter().map(|tag| format!(":{tag}")).collect();
    let place = format!("{}/{}{}", reference.registry, reference.repository, names.join(" "));
    output::line(format!("pushed {place} in {}, {} sent", count(requests, "request"), human(bytes)))
}

/// What the artifact is about: a digest, or a reference to the same repository.
fn subject_of(text: &str, reference: &Reference) -> Result<Reference, Error> {
    let mut subject = reference.clone();
    if let Ok(digest) = text.parse::<Digest>() {
        (subject.tag, subject.digest) = (None, Some(digest));
        return Ok(subject);
    }
    let named: Reference = text
        .parse()
        .map_err(|error| Error::misuse(format!("invalid value '{text}' for '--subject <REFERENCE>': {error}")))?;
    let is_same =
        named.registry.to_string() == reference.registry.to_string() && named.repository == reference.repository;
    if !is_same {
        let (registry, repository) = (&reference.registry, &reference.repository);
        return Err(Error::misuse(format!(
            "a subject must be in the artifact's own repository, {registry}/{repository}"
        )));
    }
    (subject.tag, subject.digest) = (named.tag, named.digest);
    Ok(subject)
}

/// All that becomes an artifact.
pub(crate) struct Content {
    pub(crate) artifact: Artifact,
    config: (Descriptor, Source),
    layers: Layers,
}

impl Content {
    /// Reads what the arguments name.
    pub(crate) fn read(arguments: &ContentArguments) -> Result<Self, Error> {
        let layers = Layers::read(&arguments.files, &arguments.media_type)?;
        let mut artifact = Artifact::new(arguments.artifact_type.clone())?;
        if let Some(config) = &arguments.config {
            artifact = artifact.with_config(layers::config(config)?);
        }
        artifact.layers.extend(layers.layers.iter().map(|(layer, _)| layer.clone()));
        artifact.annotations = arguments.annotations.iter().cloned().collect();
        let config = artifact.config();
        Ok(Self { artifact, config, layers })
    }

    /// Pushes it under these tags, or by its digest alone.
    pub(crate) async fn push(
        self,
        connection: &mut Connection,
        reference: &Reference,
        tags: Vec<Tag>,
    ) -> Result<(Digest, Pushed), Error> {
        let manifest = self.artifact.manifest()?;
        let digest = manifest.digest();
        if let Some(expected) = reference.digest.filter(|expected| *expected != digest) {
            return Err(Error::failed(format!("the artifact is {digest}, not {expected} as the reference says")));
        }
        let mut push = Push::new(reference.registry.clone(), reference.repository.clone());
        let mut seen = BTreeSet::new();
        for (blob, source) in std::iter::once(&self.config).chain(&self.layers.layers) {
            if seen.insert(blob.digest) {
                push = push.blob(Blob::described(blob.digest, blob));
                connection.session().add_source(blob.digest, source.clone());
            }
        }
        match connection.run(tags.into_iter().fold(push, Push::tag).root(manifest)).await? {
            Receipt::Pushed(pushed) => Ok((digest, pushed)),
            receipt => unreachable!("a push gives what was pushed, not {receipt:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_in_the_same_repository() {
        let reference: Reference = "localhost:5000/a/b:v1".parse().unwrap();
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let subject = |text: &str| subject_of(text, &reference).map(|subject| subject.to_string());
        assert_eq!(subject(digest).unwrap(), format!("localhost:5000/a/b@{digest}"));
        assert_eq!(subject("localhost:5000/a/b:v2").unwrap(), "localhost:5000/a/b:v2");
        assert!(subject("localhost:5000/a/c:v2").unwrap_err().to_string().contains("own repository"));
        assert!(subject("no reference").is_err());
    }
}
