//! Credentials as Docker and the containers tools keep them: in `config.json`, in `auth.json`, with helpers.
//!
//! One registry is looked up, by its exact name. The sources are read in this order, and the first one with an entry or
//! a helper for the registry ends the search:
//!
//! 1. the text in the variable `DOCKER_AUTH_CONFIG`, as CI systems set it
//! 2. the file that `REGISTRY_AUTH_FILE` names; if it is set, no other file is read
//! 3. `config.json` in the folder that `DOCKER_CONFIG` names; if it is set, no other file is read
//! 4. `$XDG_RUNTIME_DIR/containers/auth.json` (on Linux without that variable, `/run/containers/UID/auth.json`)
//! 5. `$XDG_CONFIG_HOME/containers/auth.json`, which is usually in `~/.config`
//! 6. `~/.docker/config.json`
//!
//! In a file, a helper for this registry (`credHelpers`) is first, then the helper for all registries (`credsStore`).
//! The file's own `auths` are used only if neither is set; there an entry for a path (`ghcr.io/owner`) applies to
//! everything below it.
//!
//! A file is read as Go reads it: names of members in any case, and the last of several. An entry that is malformed is an
//! error for its own registry only.
//!
//! A file that cannot be read or is malformed, and a helper that fails, hangs or gives no valid answer, is an error and
//! ends the search. If there are no credentials, that is not an error: the registry is used anonymously.
//!
//! ```no_run
//! use longshore_core::Registry;
//! use longshore_sources::credentials::Environment;
//!
//! let environment = Environment::from_process();
//! match environment.credentials(&"ghcr.io".parse()?, None)? {
//!     Some(credentials) => println!("{credentials:?}"), // prints the kind only
//!     None => println!("anonymous"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod environment;
mod error;
mod file;
mod helper;
mod hidden;
mod key;

use std::path::Path;

use longshore_core::auth::Credentials;
use longshore_core::{Registry, Repository};

use file::AuthFile;

pub use environment::{AuthConfig, Environment};
pub use error::{CredentialsError, EntryError, HelperFailure};

/// Reads the output of a credential helper, if the caller itself ran `docker-credential-NAME get` and it succeeded.
/// `server` is the server that it was asked for. `None` if it has no credentials.
///
/// # Errors
/// If the output is not a valid answer, or is about another server.
pub fn helper_answer(server: &str, output: &[u8]) -> Result<Option<Credentials>, HelperFailure> {
    helper::answered(server, output)
}

impl Environment {
    /// Looks up the credentials of a registry, or of one of its repositories if the caller names it.
    ///
    /// It blocks: it reads files and may run one helper, for at most [`Environment::helper_time`].
    ///
    /// # Errors
    /// If a file or the helper for the registry is malformed or fails.
    pub fn credentials(
        &self,
        registry: &Registry,
        repository: Option<&Repository>,
    ) -> Result<Option<Credentials>, CredentialsError> {
        if let Some(config) = &self.docker_auth_config {
            let file = AuthFile::parse(Path::new("DOCKER_AUTH_CONFIG"), config.bytes())?;
            if let Some(found) = self.in_file(&file, registry, repository)? {
                return Ok(Some(found));
            }
        }
        for (path, must_exist) in self.files() {
            let Some(file) = AuthFile::read(&path, must_exist)? else { continue };
            if let Some(found) = self.in_file(&file, registry, repository)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn in_file(
        &self,
        file: &AuthFile,
        registry: &Registry,
        repository: Option<&Repository>,
    ) -> Result<Option<Credentials>, CredentialsError> {
        match file.helper(registry)? {
            Some((name, server)) => helper::ask(self, name, server)
                .map_err(|failure| CredentialsError::Helper { helper: name.to_owned(), failure }),
            None => file.entry(registry, repository),
        }
    }
}

#[cfg(test)]
mod tests;
