//! One file of credentials: Docker's `config.json`, the containers tools' `auth.json`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use longshore_core::auth::Credentials;
use longshore_core::{Registry, Repository, Secret};
use zeroize::Zeroizing;

use super::config::{Config, Entry};
use super::hidden::{Hidden, Unexpected, is_password, is_printable, read_bounded, read_json};
use super::key::{DOCKER_HUB, Scope, is_server, server};
use super::{CredentialsError, EntryError};

/// The largest file that is read, in bytes.
const MAX_FILE: usize = 1024 * 1024;

/// Base64 with or without padding: both occur.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file of credentials that was read.
pub(super) struct AuthFile {
    path: PathBuf,
    config: Config,
}

impl AuthFile {
    /// Reads a file; `None` if it does not exist. An empty file has no entries.
    pub(super) fn read(path: &Path, must_exist: bool) -> Result<Option<Self>, CredentialsError> {
        match File::open(path).and_then(|file| read_bounded(file, MAX_FILE)) {
            Err(error) if !must_exist && is_absent(&error) => Ok(None),
            Err(error) => Err(CredentialsError::Unreadable { path: path.to_owned(), error }),
            Ok(text) if text.len() > MAX_FILE => {
                Err(CredentialsError::TooLarge { path: path.to_owned(), limit: MAX_FILE as u64 })
            }
            Ok(text) => Self::parse(path, &text).map(Some),
        }
    }

    /// Reads the text of a file or of a variable, whose name is then given as the path. An empty text has no entries.
    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Self, CredentialsError> {
        let config = if text.trim_ascii().is_empty() {
            Config::default()
        } else {
            read_json(text).map_err(|Unexpected { line, column }| CredentialsError::Malformed {
                path: path.to_owned(),
                line,
                column,
            })?
        };
        Ok(Self { path: path.to_owned(), config })
    }

    /// The helper for a registry, and the registry's name for that helper.
    ///
    /// An empty helper name for this registry means no helper, as in Docker.
    pub(super) fn helper(&self, registry: &Registry) -> Result<Option<(&str, String)>, CredentialsError> {
        let helpers = &self.config.helpers;
        let own = helpers.get_key_value(&server(registry));
        let own = own.or_else(|| helpers.iter().find(|(key, _)| is_server(key, registry)));
        let (helper, server) = match own {
            Some((key, Some(helper))) => (helper, key.clone()),
            Some((key, None)) => return Err(self.malformed(key, EntryError::Malformed)),
            None => (&self.config.store, server(registry)),
        };
        Ok((!helper.is_empty()).then_some((helper, server)))
    }

    /// The file's own entry for a repository: the most specific one that is not empty.
    pub(super) fn entry(
        &self,
        registry: &Registry,
        repository: Option<&Repository>,
    ) -> Result<Option<Credentials>, CredentialsError> {
        for candidate in Scope::candidates(registry, repository) {
            let mut entries: Vec<_> = self
                .config
                .auths
                .iter()
                .filter(|(key, _)| Scope::of_key(key).is_some_and(|it| it == candidate))
                .collect();
            // Of several spellings of one name, the one that current tools write is first.
            entries.sort_by_key(|(key, _)| (key.as_str() != DOCKER_HUB, key.contains("://")));
            for (key, entry) in entries {
                let found = entry.as_ref().map_or(Err(EntryError::Malformed), Entry::credentials);
                if let Some(found) = found.map_err(|why| self.malformed(key, why))? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    fn malformed(&self, key: &str, why: EntryError) -> CredentialsError {
        CredentialsError::Entry { path: self.path.clone(), key: key.to_owned(), why }
    }
}

impl Entry {
    /// The entry's credentials; `None` if it is empty, as Docker leaves it if a helper has the secret.
    fn credentials(&self) -> Result<Option<Credentials>, EntryError> {
        if let Some(token) = token(&self.registry_token)? {
            return Ok(Some(Credentials::RegistryToken(token)));
        }
        if let Some(token) = token(&self.identity_token)? {
            return Ok(Some(Credentials::IdentityToken(token)));
        }
        if !self.auth.0.is_empty() {
            return decode(&self.auth.0).map(Some);
        }
        match (self.user.is_empty(), self.password.0.is_empty()) {
            (false, false) => basic(&self.user, &self.password.0).map(Some),
            (true, true) => Ok(None),
            _ => Err(EntryError::Half),
        }
    }
}

/// `user:password` in base64, with or without padding, and with line breaks in it as `base64` writes them. Old versions of
/// Docker padded the password with NUL.
fn decode(auth: &str) -> Result<Credentials, EntryError> {
    // The buffer has its full size from the start: a reallocation would leave a part of the secret in freed memory.
    let mut letters = Zeroizing::new(Vec::with_capacity(auth.len()));
    letters.extend(auth.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let decoded = Zeroizing::new(BASE64.decode(&*letters).map_err(|_| EntryError::NotAPair)?);
    let decoded = match std::str::from_utf8(&decoded) {
        Ok(decoded) => decoded,
        Err(_) if decoded.contains(&b':') => return Err(EntryError::NotUtf8),
        Err(_) => return Err(EntryError::NotAPair),
    };
    let (user, password) = decoded.split_once(':').ok_or(EntryError::NotAPair)?;
    basic(user, password.trim_matches('\0'))
}

fn basic(user: &str, password: &str) -> Result<Credentials, EntryError> {
    if user.is_empty() || user.contains(':') || !is_printable(user) {
        return Err(EntryError::User);
    }
    if !is_password(password) {
        return Err(EntryError::Password);
    }
    Ok(Credentials::Basic { user: user.to_owned(), password: Secret::new(password.to_owned()) })
}

/// A token; `None` for the empty text.
fn token(hidden: &Hidden) -> Result<Option<Secret>, EntryError> {
    match hidden.0.as_str() {
        "" => Ok(None),
        text if is_printable(text) => Ok(Some(Secret::new(text.to_owned()))),
        _ => Err(EntryError::Token),
    }
}

/// Whether the error means that a file, or a folder above it, does not exist.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
