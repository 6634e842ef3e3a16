//! Credentials as Docker and the containers tools keep them: in `config.json`, in `auth.json`, with helpers.
//!
//! One registry is looked up, by its exact name. Files are read in this order, and the first one that has something to say
//! ends the search:
//!
//! 1. what stands in the variable `DOCKER_AUTH_CONFIG` itself, as CI systems set it
//! 2. the file that `REGISTRY_AUTH_FILE` names, and then no other
//! 3. `config.json` in the folder that `DOCKER_CONFIG` names, and then no other
//! 4. `$XDG_RUNTIME_DIR/containers/auth.json` (on Linux without that variable, `/run/containers/UID/auth.json`)
//! 5. `$XDG_CONFIG_HOME/containers/auth.json`, which is usually in `~/.config`
//! 6. `~/.docker/config.json`
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

use std::path::Path;

use longshore_core::auth::Credentials;
use longshore_core::{Registry, Repository};

use file::AuthFile;

pub use environment::{AuthConfig, Environment};
pub use error::{CredentialsError, EntryError, HelperFailure};

/// What a credential helper says, where somebody else ran `docker-credential-NAME get` and it succeeded; `server` is what it was
/// asked for. Nothing where it has none.
///
/// # Errors
/// Where its output is no answer, or one about another server.
pub fn helper_answer(server: &str, output: &[u8]) -> Result<Option<Credentials>, HelperFailure> {
    helper::answered(server, output)
}

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
        match file.helper(registry) {
            Some((name, server)) => helper::ask(self, name, server)
                .map_err(|failure| CredentialsError::Helper { helper: name.to_owned(), failure }),
            None => file.entry(registry, repository),
        }
    }
}

#[cfg(test)]
mod tests;
