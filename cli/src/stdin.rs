//! `longshore push --stdin-layer`: a layer of unknown digest and length, sent while it comes.

use std::io::{self, ErrorKind, Read};

use longshore_core::{Algorithm, Blob, Descriptor, Digest, MediaType, Push, Pushed, Receipt, Reference, Tag};
use longshore_sources::unpack::TITLE;
use longshore_sources::{PortablePath, Source};

use crate::args::PushArguments;
use crate::artifact::Artifact;
use crate::connection::Connection;
use crate::exit::Error;
use crate::unknown_blob;

/// Pushes standard input, and gives the digest of the artifact that it became.
pub(crate) async fn push(
    connection: &mut Connection,
    reference: &Reference,
    tags: Vec<Tag>,
    arguments: &PushArguments,
    media_type: &MediaType,
) -> Result<(Digest, Pushed), Error> {
    if reference.digest.is_some() {
        return Err(Error::misuse("the digest of what comes on standard input is not known before: leave it out"));
    }
    let title = arguments.title.as_deref().map(PortablePath::parse).transpose();
    let title = title.map_err(|why| Error::misuse(format!("the title is not used as a path: {why}")))?;
    let artifact_type = arguments.artifact_type.as_ref().unwrap_or(media_type);
    let mut artifact = Artifact::new(Some(artifact_type.clone()))?;
    artifact.annotations = arguments.annotations.iter().cloned().collect();
    let (config, source) = artifact.config();
    let push = Push::new(reference.registry.clone(), reference.repository.clone()).open();
    let push =
        push.blob(Blob::described(config.digest, &config)).blob(Blob::unknown(unknown_blob::key(), Algorithm::Sha256));
    connection.session().add_source(config.digest, source);
    connection.session().add_source(unknown_blob::key(), Source::reader(NotEmpty::new(io::stdin()), Algorithm::Sha256));
    let mut root = None;
    let receipt = connection.run_open(tags.into_iter().fold(push, Push::tag), |digest, size| {
        let mut layer = Descriptor::new(media_type.clone(), digest, size);
        layer.annotations.extend(title.map(|title| (TITLE.to_owned(), title.to_string())));
        artifact.layers.push(layer);
        let manifest = artifact.manifest()?;
        root = Some(manifest.digest());
        Ok(manifest)
    });
    match (receipt.await?, root) {
        (Receipt::Pushed(pushed), Some(root)) => Ok((root, pushed)),
        (receipt, _) => unreachable!("a push gives what was pushed, not {receipt:?}"),
    }
}

/// A reader that fails if there are no bytes, because a program that fails at once writes an empty pipe, which is not a
/// layer.
struct NotEmpty<R> {
    reader: R,
    is_begun: bool,
}

impl<R> NotEmpty<R> {
    const fn new(reader: R) -> Self {
        Self { reader, is_begun: false }
    }
}

impl<R: Read> Read for NotEmpty<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(buffer)?;
        if len == 0 && !buffer.is_empty() && !self.is_begun {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "there is nothing on standard input"));
        }
        self.is_begun = true;
        Ok(len)
    }
}
