//! The JSON of a file of credentials, as Docker and the containers tools read it with Go's `encoding/json`.
//!
//! The name of a member may have any case. Of a member that is there twice the last one counts, and two objects with
//! entries are merged. `null` is the empty value. An entry that is malformed matters only to its own registry.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::hidden::Hidden;

/// What a file holds. The value of an entry that is malformed is `None`.
#[derive(Default)]
pub(super) struct Config {
    /// `auths`: the entry of each registry.
    pub(super) auths: BTreeMap<String, Option<Entry>>,
    /// `credHelpers`: the helper of each registry. An empty name is no helper.
    pub(super) helpers: BTreeMap<String, Option<String>>,
    /// `credsStore`: the helper of all others, or the empty text.
    pub(super) store: String,
}

/// An entry of `auths`. A member that is missing is the empty text.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) auth: Hidden,
    pub(super) user: String,
    pub(super) password: Hidden,
    pub(super) identity_token: Hidden,
    pub(super) registry_token: Hidden,
}

/// Reads an object member by member into `T`.
struct Members<T>(PhantomData<T>);

/// What an object's members are read into.
trait Object: Default {
    /// Reads the value of the member with this name in lower case. The value must be read, whatever the name is.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error>;
}

impl<'de, T: Object> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<T, A::Error> {
        let mut object = T::default();
        while let Some(name) = members.next_key::<String>()? {
            object.read(&name.to_ascii_lowercase(), &mut members)?;
        }
        Ok(object)
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

impl Object for Config {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "auths" => merge(&mut self.auths, members),
            "credhelpers" => merge(&mut self.helpers, members),
            "credsstore" => replace(&mut self.store, members),
            _ => members.next_value::<IgnoredAny>().map(drop),
        }
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

impl Object for Entry {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "auth" => replace(&mut self.auth, members),
            "username" => replace(&mut self.user, members),
            "password" => replace(&mut self.password, members),
            "identitytoken" => replace(&mut self.identity_token, members),
            "registrytoken" => replace(&mut self.registry_token, members),
            _ => members.next_value::<IgnoredAny>().map(drop),
        }
    }
}

/// Reads a text. `null` leaves the one before it, as in Go.
fn replace<'de, A, T>(text: &mut T, members: &mut A) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    if let Some(new) = members.next_value()? {
        *text = new;
    }
    Ok(())
}

/// Adds the entries of an object to those of one before it. `null` removes those, as in Go.
fn merge<'de, A, T>(entries: &mut BTreeMap<String, Option<T>>, members: &mut A) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: DeserializeOwned + Default,
{
    // The text of an entry is borrowed, so that no copy of a secret is made.
    match members.next_value::<Option<BTreeMap<String, &'de RawValue>>>()? {
        Some(new) => entries.extend(new.into_iter().map(|(key, text)| (key, entry(text)))),
        None => entries.clear(),
    }
    Ok(())
}

fn entry<T: DeserializeOwned + Default>(text: &RawValue) -> Option<T> {
    serde_json::from_str::<Option<T>>(text.get()).ok().map(Option::unwrap_or_default)
}
