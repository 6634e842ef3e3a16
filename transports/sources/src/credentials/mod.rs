//! Credentials as Docker and the containers tools keep them: in `config.json`, in `auth.json`, with helpers.
//!
//! One registry is looked up, by its exact name. Files are read in this order, and the first one that has something to say
//! ends the search:
//!
//! 1. the file that `REGISTRY_AUTH_FILE` names, and then no other
//! 2. `config.json` in the folder that `DOCKER_CONFIG` names, and then no other
//! 3. `$XDG_RUNTIME_DIR/containers/auth.json` (on Linux without that variable, `/run/containers/UID/auth.json`)
//! 4. `$XDG_CONFIG_HOME/containers/auth.json`, which is usually in `~/.config`
//! 5. `~/.docker/config.json`
//!
//! In a file, a helper for this registry (`credHelpers`) comes first, then the helper for all (`credsStore`), and only where
//! neither is set the file's own `auths`; there an entry for a path (`ghcr.io/owner`) counts for what lies below it.
//!
//! What is found wrong is an error and never a reason to look further: a file that cannot be read or is malformed, a helper
//! that fails, hangs or answers something else. "There is none" is no error: the registry is then asked anonymously.
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

mod environment;
mod error;
mod file;
mod helper;
mod hidden;
mod key;

use longshore_core::auth::Credentials;
use longshore_core::{Registry, Repository};

pub use environment::Environment;
pub use error::{CredentialsError, HelperFailure};

impl Environment {
    /// Looks the credentials of a registry up; for a repository of it, where the caller knows which.
    ///
    /// It reads files and may run one helper, for at most [`Environment::helper_time`]: it blocks.
    ///
    /// # Errors
    /// Where a file or a helper that has a say is not in order.
    pub fn credentials(
        &self,
        registry: &Registry,
        repository: Option<&Repository>,
    ) -> Result<Option<Credentials>, CredentialsError> {
        for (path, must_exist) in self.files() {
            let Some(file) = file::AuthFile::read(&path, must_exist)? else { continue };
            let found = match file.helper(registry) {
                Some((name, server)) => helper::ask(self, name, server)
                    .map_err(|failure| CredentialsError::Helper { helper: name.to_owned(), failure })?,
                None => file.entry(registry, repository)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
