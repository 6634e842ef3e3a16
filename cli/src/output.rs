//! Standard output: results only, so that a script can read them. All else goes to standard error.

use std::fmt;
use std::io::{ErrorKind, Write as _};

use crate::exit::Error;

/// Writes a line to standard output. A reader that has gone away has seen enough: that is no failure.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error, for whoever looks. Nothing depends on it: one that is closed is no failure.
pub(crate) fn say(text: impl fmt::Display) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
