//! Which registry `longshore mock` plays: loading profiles, and telling about them.

use std::path::Path;

use longshore_mock_registry::profile::{self, Profile, ProfileError};

use crate::args::ProfileArguments;
use crate::exit::Error;
use crate::{files, output};

/// Prints what was asked for, if anything was.
pub(crate) fn told(arguments: &ProfileArguments) -> Result<bool, Error> {
    let text = match &arguments.explain {
        Some(quirk) => profile::explain(quirk).map_err(refused)?,
        None if !arguments.list => return Ok(false),
        None if arguments.profile == "spec" => profile::list(),
        None => load(arguments)?.described(),
    };
    output::line(text.trim_end())?;
    Ok(true)
}

/// The profile, with the switches that were set.
pub(crate) fn load(arguments: &ProfileArguments) -> Result<Profile, Error> {
    let mut profile = named(&arguments.profile)?;
    profile.set_all(arguments.set.iter().map(String::as_str)).map_err(refused)?;
    Ok(profile)
}

/// The profile of this name, or in this file.
pub(crate) fn named(name: &str) -> Result<Profile, Error> {
    Profile::load(name).map_err(refused)
}

/// The profile in this file.
pub(crate) fn in_file(path: &Path) -> Result<Profile, Error> {
    let name = path.display();
    let text = files::read(path).map_err(|error| Error::misuse(format!("cannot read {name}: {error}")))?;
    let text = String::from_utf8(text).map_err(|_| Error::misuse(format!("{name} is not UTF-8")))?;
    Profile::parse(&name.to_string(), &text).map_err(refused)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn refused(error: ProfileError) -> Error {
    Error::misuse(error.to_string())
}
