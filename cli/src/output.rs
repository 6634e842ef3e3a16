//! Standard output: results only, so that a script can read them.

use std::fmt;
use std::io::Write as _;

use crate::exit::Error;

/// Writes a line to standard output.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    written.map_err(|error| Error::failed(format!("cannot write to standard output: {error}")))
}
