//! `longshore check`: would a push be allowed?

use longshore_core::Operation;
use serde_json::json;

use crate::args::{CheckArguments, Style};
use crate::connection::Connection;
use crate::exit::Error;
use crate::output;

/// Begins an upload and cancels it.
pub(crate) async fn run(arguments: CheckArguments) -> Result<(), Error> {
    let reference = arguments.connection.reference(arguments.reference);
    let mut connection = Connection::open(&arguments.connection, &reference, Style::None)?;
    let (registry, repository) = (reference.registry.clone(), reference.repository.clone());
    connection.run(Operation::CheckPush { registry, repository }).await?;
    let place = format!("{}/{}", reference.registry, reference.repository);
    if arguments.json {
        output::line(output::json(&json!({"repository": place, "allowed": true})))
    } else {
        output::line(format!("a push to {place} is allowed"))
    }
}
