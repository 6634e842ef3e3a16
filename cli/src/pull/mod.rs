//! `longshore pull`: an image into a layout, or the files of an artifact into a folder.

mod files;
mod layout;
mod manifests;

use std::path::Path;

use longshore_core::{Descriptor, Digest, Operation, Receipt, Reference};
use longshore_sources::Sink;

use crate::args::PullArguments;
use crate::connection::Connection;
use crate::exit::Error;

/// Pulls, and prints the digest and what came.
pub(crate) async fn run(arguments: PullArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.reference.clone());
    let connection = Connection::open(&arguments.connection, &reference, arguments.progress)?;
    let mut pull = Pull { connection, reference };
    match (&arguments.files, &arguments.layout) {
        (Some(folder), _) => files::pull(&mut pull, folder, &arguments).await,
        (None, Some(folder)) => layout::pull(&mut pull, folder, &arguments).await,
        (None, None) => Err(Error::misuse("say where to: a folder that becomes a layout, or --files DIR")),
    }
}

/// One repository, and the way to it.
struct Pull {
    connection: Connection,
    reference: Reference,
}

impl Pull {
    /// Pulls blobs side by side, each into a file, and gives the number of bytes.
    async fn blobs(&mut self, blobs: &[(Descriptor, impl AsRef<Path>)]) -> Result<u64, Error> {
        let operations: Vec<_> = blobs.iter().map(|(blob, path)| self.blob(blob, path.as_ref())).collect();
        let receipts = self.connection.run_all(operations).await?;
        let poured = receipts.iter().map(|receipt| match receipt {
            Receipt::Poured { len, .. } => *len,
            receipt => unreachable!("a pull of a blob gives a blob, not {receipt:?}"),
        });
        Ok(poured.sum())
    }

    fn blob(&self, blob: &Descriptor, path: &Path) -> Operation<Digest> {
        let (registry, repository) = (self.reference.registry.clone(), self.reference.repository.clone());
        let (digest, size) = (blob.digest, Some(blob.size));
        self.connection.session().add_sink(digest, Sink::file(path));
        Operation::PullBlob { registry, repository, digest, size, sink: digest }
    }
}
