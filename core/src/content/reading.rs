//! How members that are data are read: `null` is absence, as Go writes and reads it, and so is an empty media type.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::MediaType;

/// A member that counts as empty where it is `null`.
pub(super) fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}

/// Annotations: any keys, even one that stands twice (the last counts). A key whose value is `null` is absent.
pub(super) fn annotations<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    let annotations: BTreeMap<String, Option<String>> = null_is_empty(d)?;
    Ok(annotations.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
}

/// A list of texts; what is `null` in it is absent.
pub(super) fn texts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    let texts: Vec<Option<String>> = null_is_empty(d)?;
    Ok(texts.into_iter().flatten().collect())
}

/// A text that is absent where it is empty.
pub(super) fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(d)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// The media type that a descriptor says. One that is missing, empty or not well formed says nothing.
pub(super) fn media_type<'de, D: Deserializer<'de>>(d: D) -> Result<MediaType, D::Error> {
    Ok(text(d)?.and_then(|text| text.parse().ok()).unwrap_or_else(MediaType::absent))
}

/// The media type that a document says of itself, where it says one. It decides how the document is read: it is well formed.
pub(super) fn own_media_type<'de, D: Deserializer<'de>>(d: D) -> Result<Option<MediaType>, D::Error> {
    text(d)?.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}
