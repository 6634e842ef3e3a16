//! Reads the members that are not structural: `null` means absent, as Go writes and reads it, and so does an empty
//! media type.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::MediaType;

/// Reads `null` as the empty value.
pub(super) fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}

/// Reads annotations. Any key is allowed; of a key that occurs twice the last value counts, and a value of `null` is
/// ignored.
pub(super) fn annotations<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, String>, D::Error> {
    let annotations: BTreeMap<String, Option<String>> = null_is_empty(d)?;
    Ok(annotations.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
}

/// Reads a list of texts and ignores every `null` in it.
pub(super) fn texts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    let texts: Vec<Option<String>> = null_is_empty(d)?;
    Ok(texts.into_iter().flatten().collect())
}

/// Reads a text; an empty one is absent.
pub(super) fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(d)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// Reads the media type of a descriptor. One that is missing, empty or malformed is [`MediaType::absent`].
pub(super) fn media_type<'de, D: Deserializer<'de>>(d: D) -> Result<MediaType, D::Error> {
    Ok(text(d)?.and_then(|text| text.parse().ok()).unwrap_or_else(MediaType::absent))
}

/// Reads the `mediaType` of a document. It decides how the document is parsed, so a malformed one is an error.
pub(super) fn own_media_type<'de, D: Deserializer<'de>>(d: D) -> Result<Option<MediaType>, D::Error> {
    text(d)?.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}
