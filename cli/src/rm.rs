//! `longshore rm`: deleting a tag or a manifest.

use http::StatusCode;
use longshore_core::{Deletion, Operation, Reference};
use serde_json::json;

use crate::args::{RmArguments, Style};
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;

/// Deletes what the reference names: by its digest a manifest with all its tags, otherwise the tag alone.
pub(crate) async fn run(arguments: RmArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.reference);
    let what = what(&reference)?;
    let mut connection = Connection::open(&arguments.connection, &reference, Style::None)?;
    let (registry, repository) = (reference.registry.clone(), reference.repository.clone());
    let result = connection.run(Operation::Delete { registry, repository, what }).await;
    if let Err(error) = result {
        return Err(explained(&mut connection, &reference, error).await);
    }
    confirm(&mut connection, &reference).await?;
    if arguments.json {
        output::line(output::json(&json!({"deleted": reference.to_string()})))
    } else {
        output::line(format!("deleted {reference}"))
    }
}

/// Whoever answers everything alike has deleted nothing. A registry that does not let itself be asked is believed.
async fn confirm(connection: &mut Connection, reference: &Reference) -> Result<(), Error> {
    match connection.manifest(reference).await {
        // 202 means that the deletion was accepted.
        Ok(_) => {
            output::say(format!("warning: the registry serves {reference} still: to delete it may take a while there"));
        }
        Err(error) if error.is_no_registry() => return Err(error),
        Err(_) => {}
    }
    Ok(())
}

/// A registry that does not delete tags may delete what they name, with whatever other tags name it: whether that is wanted,
/// somebody has to say.
async fn explained(connection: &mut Connection, reference: &Reference, error: Error) -> Error {
    let of_a_tag = [StatusCode::BAD_REQUEST, StatusCode::METHOD_NOT_ALLOWED];
    let is_of_a_tag = error.refused().is_some_and(|refused| of_a_tag.contains(&refused.status));
    if reference.digest.is_some() || !is_of_a_tag {
        return error;
    }
    let Ok(manifest) = connection.manifest(reference).await else { return error };
    let mut named = reference.clone();
    (named.tag, named.digest) = (None, Some(manifest.digest()));
    Error::failed(format!(
        "{error}; this registry may delete by digest alone: `longshore rm {named}` deletes the manifest, with all its tags"
    ))
}

fn what(reference: &Reference) -> Result<Deletion, Error> {
    match (&reference.digest, &reference.tag) {
        (Some(_), Some(_)) => Err(Error::misuse(
            "say what to delete, the tag (repository:tag) or the manifest with all its tags (repository@digest), and not both",
        )),
        (Some(digest), None) => Ok(Deletion::Manifest(*digest)),
        (None, Some(tag)) => Ok(Deletion::Tag(tag.clone())),
        (None, None) => {
            Err(Error::misuse("say what to delete: a tag (repository:tag) or a manifest (repository@digest)"))
        }
    }
}
