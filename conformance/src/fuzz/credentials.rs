//! What Docker's tools keep for a registry: their file, and the answers of their helpers.

use std::fmt::Write as _;

use longshore_core::auth::Credentials;
use longshore_core::{Registry, Repository, Secret};
use longshore_sources::credentials::{AuthConfig, Environment, helper_answer};
use serde_json::Value;

use super::assert_harmless;

/// Registries that are asked for, and in what a key of a file must be found for each.
const REGISTRIES: [(&str, &[&str]); 4] = [
    ("docker.io", &["docker.io", "docker.com"]),
    ("registry.example", &["registry.example"]),
    ("registry.example:5000", &["registry.example:5000"]),
    ("localhost:5000", &["localhost:5000"]),
];

/// The fields of an entry that hold what nobody may see.
const SECRET: [&str; 4] = ["auth", "password", "identitytoken", "registrytoken"];

/// The text of a `config.json`.
///
/// # Panics
/// Where a registry is given what stands under no name of its own, or a secret of the file is shown (security invariants I29
/// and I8).
pub fn docker_config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut environment = Environment::default();
    environment.docker_auth_config = Some(AuthConfig::from(text));
    let secrets = secrets(text);
    for (name, hosts) in REGISTRIES {
        let registry: Registry = name.parse().expect("the suite's own names are names");
        let repository: Repository = "team/app".parse().expect("the suite's own names are names");
        let mut shown = format!("{environment:?}");
        for repository in [None, Some(&repository)] {
            match environment.credentials(&registry, repository) {
                Ok(Some(found)) => {
                    // Names of hosts are read without regard to case.
                    let lower = text.to_ascii_lowercase();
                    assert!(hosts.iter().any(|host| lower.contains(host)), "{name} is nowhere in it");
                    _ = write!(shown, "{found:?}");
                    assert_sendable(&found);
                }
                Ok(None) => {}
                Err(error) => {
                    assert_harmless(&error.to_string());
                    _ = write!(shown, "{error} {error:?}");
                }
            }
        }
        for secret in &secrets {
            assert!(!shown.contains(secret), "{secret:?} is shown: {shown}");
        }
    }
}

/// The secrets of a file that are in no other part of it, and long enough to be no coincidence.
fn secrets(text: &str) -> Vec<String> {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let entries = value.get("auths").and_then(Value::as_object).into_iter().flatten();
    let fields = entries.flat_map(|(_, entry)| SECRET.map(|field| entry.get(field)));
    let texts = fields.flatten().filter_map(Value::as_str).filter(|secret| secret.len() > 8);
    texts.filter(|secret| text.matches(*secret).count() == 1).map(str::to_owned).collect()
}

/// What a helper says when it is asked for a server: the server in the first line, its words in the rest.
///
/// # Panics
/// Where credentials of another server are taken, or its words are shown.
pub fn helper_words(bytes: &[u8]) {
    let (server, words) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let Ok(server) = std::str::from_utf8(server) else { return };
    // What is asked for is one's own word, and is shown as it is.
    if server.contains(|c: char| !c.is_ascii_graphic()) {
        return;
    }
    match helper_answer(server, words) {
        Ok(Some(found)) => {
            assert_sendable(&found);
            // Go's readers, for which helpers are written, replace what is no UTF-8, and know a field in any case.
            let answer: Value = serde_json::from_str(&String::from_utf8_lossy(words)).expect("what is taken is JSON");
            let fields = || answer.as_object().into_iter().flatten();
            let field = |name: &str| {
                fields().find_map(|(key, value)| value.as_str().filter(|_| key.eq_ignore_ascii_case(name)))
            };
            let (user, secret) = (field("Username"), field("Secret"));
            assert!(user.is_some_and(|user| !user.is_empty()) && secret.is_some_and(|secret| !secret.is_empty()));
            let named = field("ServerURL").unwrap_or_default();
            let bare = |url: &str| {
                let url = url.trim_start_matches("https://").trim_start_matches("http://");
                url.split('/').next().unwrap_or_default().to_ascii_lowercase()
            };
            let is_hub = |host: &str| ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(&host);
            let is_same = bare(named) == bare(server) || is_hub(&bare(named)) && is_hub(&bare(server));
            assert!(named.is_empty() || named == server || is_same, "{named:?} was taken for {server:?}");
            assert_eq!(
                format!("{found:?}"),
                format!("{:?}", emptied(&found)),
                "what is shown depends on what is secret"
            );
        }
        Ok(None) => {}
        Err(failure) => assert_harmless(&failure.to_string()),
    }
}

/// Credentials of the same kind without anything secret in them.
fn emptied(credentials: &Credentials) -> Credentials {
    let nothing = Secret::new(String::new());
    match credentials {
        Credentials::Basic { .. } => Credentials::Basic { user: String::new(), password: nothing },
        Credentials::IdentityToken(_) => Credentials::IdentityToken(nothing),
        _ => Credentials::RegistryToken(nothing),
    }
}

/// What is found can stand in a header, or in a form.
fn assert_sendable(found: &Credentials) {
    if let Credentials::Basic { user, .. } = found {
        assert!(!user.is_empty() && !user.contains(':') && !user.contains(char::is_control), "{user:?}");
    }
}
