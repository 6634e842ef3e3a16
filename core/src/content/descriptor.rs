//! Descriptors, by which one document refers to other content.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{MediaType, reading};
use crate::{Algorithm, Digest};

/// Refers to content by type, digest and size ([image
/// spec](https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md)).
///
/// Digest and size are read strictly, because they decide which bytes are meant. Everything else is read as other
/// clients read it: `null` means absent, unknown members are ignored, annotations may have any key, and the media type
/// may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Descriptor {
    /// The type of the content; [`MediaType::absent`] if the descriptor has none.
    #[serde(
        default = "MediaType::absent",
        deserialize_with = "reading::media_type",
        skip_serializing_if = "MediaType::is_absent"
    )]
    pub media_type: MediaType,
    /// The digest of the content.
    pub digest: Digest,
    /// The size of the content in bytes: 0 to 2^63-1.
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// The artifact type of the manifest that this refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Free text, by key.
    #[serde(default, deserialize_with = "reading::annotations", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The platform of the image that this refers to. Boxed, because most descriptors are of blobs, which have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Box<Platform>>,
    /// Other places to download the content from. This crate never requests them.
    #[serde(default, deserialize_with = "reading::texts", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
}

impl Descriptor {
    /// A descriptor with its three required members only.
    #[must_use]
    pub const fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            artifact_type: None,
            annotations: BTreeMap::new(),
            platform: None,
            urls: Vec::new(),
        }
    }

    /// The descriptor of these bytes, with their SHA-256 digest.
    #[must_use]
    pub fn of(media_type: MediaType, content: &[u8]) -> Self {
        Self::new(media_type, Digest::of(Algorithm::Sha256, content), content.len() as u64)
    }

    /// The image spec's empty descriptor, for the two bytes `{}`. They must be pushed as a blob like any other content.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(MediaType::oci_empty(), b"{}")
    }

    /// Adds an annotation, or replaces the one with that key.
    #[must_use]
    pub fn annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// Sets the platform of the image.
    #[must_use]
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(Box::new(platform));
        self
    }
}

/// The platform that an image is for, as the image spec's index has it.
///
/// An index may leave out any part: an empty text means that it is not stated. [`Display`](std::fmt::Display) writes
/// `os/architecture[/variant][:os.version][+feature]`, such as `windows/amd64:10.0.20348.2031`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Platform {
    /// `GOARCH`, such as `amd64`.
    #[serde(default, deserialize_with = "reading::null_is_empty")]
    pub architecture: String,
    /// `GOOS`, such as `linux`.
    #[serde(default, deserialize_with = "reading::null_is_empty")]
    pub os: String,
    /// The variant of the architecture, such as `v7`.
    #[serde(default, deserialize_with = "reading::text", skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The version of the operating system.
    #[serde(
        default,
        rename = "os.version",
        deserialize_with = "reading::text",
        skip_serializing_if = "Option::is_none"
    )]
    pub os_version: Option<String>,
    /// Features that the operating system must have, such as `win32k`.
    #[serde(
        default,
        rename = "os.features",
        deserialize_with = "reading::texts",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// Features that the processor must have, such as `sse4`. Only Docker's manifest lists have them.
    #[serde(default, deserialize_with = "reading::texts", skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

impl Platform {
    /// A platform with these three parts, and no others.
    #[must_use]
    pub fn new(os: impl Into<String>, architecture: impl Into<String>, variant: Option<String>) -> Self {
        Self { architecture: architecture.into(), os: os.into(), variant, ..Self::default() }
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A part that is not stated is shown as a question mark.
        let part = |part: &str| if part.is_empty() { "?".to_owned() } else { part.to_owned() };
        write!(f, "{}/{}", part(&self.os), part(&self.architecture))?;
        if let Some(variant) = &self.variant {
            write!(f, "/{variant}")?;
        }
        if let Some(version) = &self.os_version {
            write!(f, ":{version}")?;
        }
        self.os_features.iter().chain(&self.features).try_for_each(|feature| write!(f, "+{feature}"))
    }
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    if size > i64::MAX as u64 {
        return Err(serde::de::Error::custom("a size can be at most 2^63-1"));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn read(members: &str) -> Descriptor {
        serde_json::from_str(&format!(r#"{{"digest":"{DIGEST}","size":0{members}}}"#)).unwrap()
    }

    #[test]
    fn null_is_absence_and_so_is_an_empty_media_type() {
        let bare = Descriptor::new(MediaType::absent(), DIGEST.parse().unwrap(), 0);
        for members in [
            "",
            r#","mediaType":null"#,
            r#","mediaType":"""#,
            r#","mediaType":"no type""#,
            r#","annotations":null,"urls":null,"platform":null,"artifactType":null"#,
            r#","annotations":{"k":null},"urls":[null]"#,
            r#","data":"","unknown":{"Digest":1}"#,
        ] {
            assert_eq!(read(members), bare, "{members}");
        }
        assert_eq!(serde_json::to_string(&bare).unwrap(), format!(r#"{{"digest":"{DIGEST}","size":0}}"#));
        for bad in [
            r#"{"size":0}"#.to_owned(),
            format!(r#"{{"digest":"{DIGEST}"}}"#),
            r#"{"digest":null,"size":0}"#.to_owned(),
        ] {
            assert!(serde_json::from_str::<Descriptor>(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn annotations_have_any_keys() {
        let found = read(r#","annotations":{"Name":"a","OS":"b","size":"c","Size":"d","k":"1","k":"2"}"#).annotations;
        let found: Vec<(&str, &str)> = found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found, [("Name", "a"), ("OS", "b"), ("Size", "d"), ("k", "2"), ("size", "c")]);
    }

    #[test]
    fn a_platform_is_shown_as_people_say_it() {
        for (json, text) in [
            (r#"{"architecture":"amd64","os":"linux"}"#, "linux/amd64"),
            (r#"{"architecture":"arm","os":"linux","variant":"v7"}"#, "linux/arm/v7"),
            (r#"{"architecture":"arm64","os":null,"variant":"","os.version":"","features":null}"#, "?/arm64"),
            (r#"{}"#, "?/?"),
            (
                r#"{"architecture":"amd64","os":"windows","os.version":"10.0.20348.2031","os.features":["win32k"]}"#,
                "windows/amd64:10.0.20348.2031+win32k",
            ),
            (r#"{"architecture":"amd64","os":"linux","features":["sse4"]}"#, "linux/amd64+sse4"),
        ] {
            assert_eq!(serde_json::from_str::<Platform>(json).unwrap().to_string(), text);
        }
    }
}
