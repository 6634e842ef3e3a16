//! One file of credentials: Docker's `config.json`, the containers tools' `auth.json`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use longshore_core::auth::Credentials;
use longshore_core::{Registry, Repository, Secret};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::hidden::{Hidden, NotAnObject, is_password, is_printable, null_is_empty, read_object};
use super::key::{DOCKER_HUB, Scope, is_server, server};
use super::{CredentialsError, EntryError};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

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

#[derive(Default, Deserialize)]
struct Config {
    #[serde(default, deserialize_with = "null_is_empty")]
    auths: BTreeMap<String, Option<Entry>>,
    #[serde(default, rename = "credHelpers", deserialize_with = "null_is_empty")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore", deserialize_with = "null_is_empty")]
    store: String,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<Hidden>,
    username: Option<String>,
    password: Option<Hidden>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<Hidden>,
    #[serde(rename = "registrytoken")]
    registry_token: Option<Hidden>,
}

impl AuthFile {
    /// Reads a file; `None` if it does not exist. An empty file has no entries.
    pub(super) fn read(path: &Path, must_exist: bool) -> Result<Option<Self>, CredentialsError> {
        let mut text = Zeroizing::new(Vec::new());
        let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text));
        match read {
            Err(error) if !must_exist && is_absent(&error) => return Ok(None),
            Err(error) => return Err(CredentialsError::Unreadable { path: path.to_owned(), error }),
            Ok(_) if text.len() as u64 > MAX_FILE => {
                return Err(CredentialsError::TooLarge { path: path.to_owned(), limit: MAX_FILE });
            }
            Ok(_) => {}
        }
        Self::parse(path, &text).map(Some)
    }

    /// Reads the text of a file or of a variable, whose name is then given as the path. An empty text has no entries.
    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Self, CredentialsError> {
        let config = if text.trim_ascii().is_empty() {
            Config::default()
        } else {
            read_object(text).map_err(|NotAnObject { line, column }| CredentialsError::Malformed {
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
    pub(super) fn helper(&self, registry: &Registry) -> Option<(&str, String)> {
        let helpers = &self.config.helpers;
        let own = helpers.get_key_value(&server(registry));
        let own = own.or_else(|| helpers.iter().find(|(key, _)| is_server(key, registry)));
        let (helper, server) = match own {
            Some((key, helper)) => (helper, key.clone()),
            None => (&self.config.store, server(registry)),
        };
        (!helper.is_empty()).then_some((helper, server))
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
                let Some(entry) = entry else { continue };
                let malformed = |why| CredentialsError::Entry { path: self.path.clone(), key: key.clone(), why };
                if let Some(found) = entry.credentials().map_err(malformed)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }
}

impl Entry {
    /// The entry's credentials; `None` if it is empty, as Docker leaves it if a helper has the secret.
    fn credentials(&self) -> Result<Option<Credentials>, EntryError> {
        if let Some(token) = text(self.registry_token.as_ref())? {
            return Ok(Some(Credentials::RegistryToken(token)));
        }
        if let Some(token) = text(self.identity_token.as_ref())? {
            return Ok(Some(Credentials::IdentityToken(token)));
        }
        if let Some(auth) = self.auth.as_ref().filter(|auth| !auth.0.is_empty()) {
            return decode(&auth.0).map(Some);
        }
        let user = self.username.as_deref().filter(|user| !user.is_empty());
        let password =
            self.password.as_ref().map(|password| password.0.as_str()).filter(|password| !password.is_empty());
        match (user, password) {
            (Some(user), Some(password)) => basic(user, password).map(Some),
            (None, None) => Ok(None),
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
    let decoded = std::str::from_utf8(&decoded).map_err(|_| EntryError::NotAPair)?;
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

fn text(hidden: Option<&Hidden>) -> Result<Option<Secret>, EntryError> {
    match hidden.map(|hidden| hidden.0.as_str()) {
        None | Some("") => Ok(None),
        Some(text) if is_printable(text) => Ok(Some(Secret::new(text.to_owned()))),
        Some(_) => Err(EntryError::Token),
    }
}

/// Whether the error means that a file, or a folder above it, does not exist.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
