//! `longshore rm`: deleting a tag or a manifest.

use longshore_core::{Deletion, Operation, Reference};
use serde_json::json;

use crate::args::RmArguments;
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;
use crate::progress::Style;

/// Deletes what the reference names: by its digest a manifest with all its tags, otherwise the tag alone.
pub(crate) async fn run(arguments: RmArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.reference);
    let what = what(&reference)?;
    let mut connection = Connection::open(&arguments.connection, &reference, Style::None)?;
    let (registry, repository) = (reference.registry.clone(), reference.repository.clone());
    connection.run(Operation::Delete { registry, repository, what }).await?;
    if arguments.json {
        output::line(json!({"deleted": reference.to_string()}))
    } else {
        output::line(format!("deleted {reference}"))
    }
}

fn what(reference: &Reference) -> Result<Deletion, Error> {
    match (&reference.digest, &reference.tag) {
        (Some(digest), _) => Ok(Deletion::Manifest(*digest)),
        (None, Some(tag)) => Ok(Deletion::Tag(tag.clone())),
        (None, None) => {
            Err(Error::misuse("say what to delete: a tag (repository:tag) or a manifest (repository@digest)"))
        }
    }
}
