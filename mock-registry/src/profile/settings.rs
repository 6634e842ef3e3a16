//! The settings of a profile: behaviour, limits, and how clients authenticate.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{SetSwitch, value};
use crate::auth::{Auth, AuthScheme};
use crate::behaviour::Behaviour;
use crate::options::Limits;

/// All that a profile decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The behaviour of the registry.
    pub behaviour: Behaviour,
    /// The limits of the registry.
    pub limits: ProfileLimits,
    /// How clients say who they are.
    pub users: ProfileUsers,
}

/// The limits of a registry that clients can notice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ProfileLimits {
    /// The length of the longest allowed manifest in bytes (`manifest-size-limit`).
    pub manifest: Option<usize>,
    /// The largest number of entries in a page of tags or referrers (`tags-n-limit`, `referrers-pagination`).
    pub page: Option<usize>,
}

impl ProfileLimits {
    pub(crate) fn apply(&self, limits: &mut Limits) {
        limits.manifest = self.manifest.unwrap_or(limits.manifest);
        limits.page = self.page.unwrap_or(limits.page);
    }
}

/// How clients say who they are, where the registry has users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ProfileUsers {
    /// `basic`, with user name and password in each request (`basic-only-registry`), or `bearer`, with a token that the
    /// token server gives for them.
    pub scheme: Option<AuthScheme>,
    /// The `service` of a challenge.
    pub service: Option<String>,
    /// How long a token is valid, in seconds (`token-expires-mid-upload`).
    pub token_lifetime: Option<u64>,
}

impl ProfileUsers {
    pub(super) fn auth(&self) -> Auth {
        let mut auth = match self.scheme {
            Some(AuthScheme::Basic) => Auth::basic(),
            Some(AuthScheme::Bearer) | None => Auth::bearer(),
        };
        auth.service = self.service.clone().unwrap_or(auth.service);
        auth.lifetime = self.token_lifetime.map_or(auth.lifetime, Duration::from_secs);
        auth
    }
}

impl Settings {
    /// All switches with their values, by group.
    pub(super) fn groups(&self) -> serde_json::Map<String, Value> {
        let mut groups = match serde_json::to_value(&self.behaviour) {
            Ok(Value::Object(groups)) => groups,
            _ => serde_json::Map::new(),
        };
        groups.remove("answers");
        groups.insert("limits".to_owned(), json!(self.limits));
        groups.insert("users".to_owned(), json!(self.users));
        groups
    }

    /// Sets several switches. The error has the index of the switch with a wrong value, and a message.
    pub(super) fn set_all(&mut self, sets: &[&SetSwitch]) -> Result<(), (usize, String)> {
        let mut behaviour = json!(self.behaviour);
        for set in sets {
            match set.path.split_once('.') {
                Some((group, name)) if behaviour.get(group).is_some() => behaviour[group][name] = set.value.clone(),
                _ => {}
            }
        }
        let others = |set: &SetSwitch| set.path.starts_with("limits.") || set.path.starts_with("users.");
        match serde_json::from_value(behaviour) {
            Ok(behaviour) => self.behaviour = behaviour,
            // Set one after the other, to find the one that failed.
            Err(_) => {
                for (number, set) in sets.iter().enumerate() {
                    self.set(set).map_err(|message| (number, message))?;
                }
            }
        }
        for (number, set) in sets.iter().enumerate().filter(|(_, set)| others(set)) {
            self.set(set).map_err(|message| (number, message))?;
        }
        Ok(())
    }

    /// Sets one switch. The error is a message about its value.
    pub(super) fn set(&mut self, set: &SetSwitch) -> Result<(), String> {
        let changed = self.with(&set.path, &set.value).map_err(|message| {
            let said = |value| self.with(&set.path, &value).err();
            value::refused(&set.value, &message, said)
        });
        changed.map(|changed| *self = changed)
    }

    fn with(&self, path: &str, value: &Value) -> Result<Self, String> {
        let (group, name) = path.split_once('.').unwrap_or((path, ""));
        let mut changed = self.clone();
        match group {
            "limits" => changed.limits = with(&self.limits, |limits| limits[name] = value.clone())?,
            "users" => changed.users = with(&self.users, |users| users[name] = value.clone())?,
            _ => changed.behaviour = with(&self.behaviour, |behaviour| behaviour[group][name] = value.clone())?,
        }
        Ok(changed)
    }
}

fn with<T: Serialize + DeserializeOwned>(settings: &T, change: impl FnOnce(&mut Value)) -> Result<T, String> {
    let mut settings = json!(settings);
    change(&mut settings);
    serde_json::from_value(settings).map_err(|error| error.to_string())
}
