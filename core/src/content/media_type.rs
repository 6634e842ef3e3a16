//! Media types, compared without parameters and without case.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A media type such as `application/vnd.oci.image.manifest.v1+json`: in lower case, without parameters.
///
/// Parameters are dropped when a media type is read, because the spec tells both sides to ignore them.
///
/// A descriptor without a media type, or with a malformed one, has [`MediaType::absent`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(Cow<'static, str>);

impl MediaType {
    /// An OCI image manifest.
    pub const OCI_MANIFEST: &'static str = "application/vnd.oci.image.manifest.v1+json";
    /// An OCI image index.
    pub const OCI_INDEX: &'static str = "application/vnd.oci.image.index.v1+json";
    /// A Docker image manifest, version 2, schema 2.
    pub const DOCKER_MANIFEST: &'static str = "application/vnd.docker.distribution.manifest.v2+json";
    /// A Docker manifest list.
    pub const DOCKER_LIST: &'static str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// A signed Docker image manifest of schema 1. It is pulled as bytes, never parsed, and never pushed.
    pub const DOCKER_SCHEMA1: &'static str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    /// An unsigned Docker image manifest of schema 1. It is treated like a signed one.
    pub const DOCKER_SCHEMA1_UNSIGNED: &'static str = "application/vnd.docker.distribution.manifest.v1+json";
    /// An artifact manifest of OCI 1.1's release candidates, which some registries still hold.
    pub const OCI_ARTIFACT: &'static str = "application/vnd.oci.artifact.manifest.v1+json";
    /// An OCI image configuration.
    pub const OCI_CONFIG: &'static str = "application/vnd.oci.image.config.v1+json";
    /// A Docker image configuration.
    pub const DOCKER_CONFIG: &'static str = "application/vnd.docker.container.image.v1+json";
    /// The empty JSON object `{}`, used as a config or layer without content.
    pub const OCI_EMPTY: &'static str = "application/vnd.oci.empty.v1+json";
    /// A gzipped OCI layer.
    pub const OCI_LAYER_GZIP: &'static str = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// Bytes of no specified type.
    pub const OCTET_STREAM: &'static str = "application/octet-stream";

    /// A media type from a constant that is well formed.
    #[must_use]
    pub(crate) const fn known(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The OCI image manifest's type.
    #[must_use]
    pub const fn oci_manifest() -> Self {
        Self::known(Self::OCI_MANIFEST)
    }

    /// The OCI image index's type.
    #[must_use]
    pub const fn oci_index() -> Self {
        Self::known(Self::OCI_INDEX)
    }

    /// The OCI image configuration's type.
    #[must_use]
    pub const fn oci_config() -> Self {
        Self::known(Self::OCI_CONFIG)
    }

    /// The type of a gzipped OCI layer.
    #[must_use]
    pub const fn oci_layer_gzip() -> Self {
        Self::known(Self::OCI_LAYER_GZIP)
    }

    /// The type of the empty JSON object.
    #[must_use]
    pub const fn oci_empty() -> Self {
        Self::known(Self::OCI_EMPTY)
    }

    /// The media type of a descriptor that states none: an empty text, which is no valid media type.
    #[must_use]
    pub const fn absent() -> Self {
        Self(Cow::Borrowed(""))
    }

    /// Whether this is [`MediaType::absent`].
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    /// The type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an index: an OCI image index or a Docker manifest list.
    #[must_use]
    pub fn is_index(&self) -> bool {
        matches!(self.as_str(), Self::OCI_INDEX | Self::DOCKER_LIST)
    }

    /// Whether it is an image manifest, of OCI or of Docker's schema 2.
    #[must_use]
    pub fn is_image(&self) -> bool {
        matches!(self.as_str(), Self::OCI_MANIFEST | Self::DOCKER_MANIFEST)
    }

    /// Whether content of this type is stored as a manifest and not as a blob.
    #[must_use]
    pub fn is_manifest(&self) -> bool {
        self.is_index()
            || self.is_image()
            || matches!(self.as_str(), Self::OCI_ARTIFACT | Self::DOCKER_SCHEMA1 | Self::DOCKER_SCHEMA1_UNSIGNED)
    }

    /// Whether it is a Docker image manifest of schema 1, signed or not.
    #[must_use]
    pub fn is_docker_schema_1(&self) -> bool {
        matches!(self.as_str(), Self::DOCKER_SCHEMA1 | Self::DOCKER_SCHEMA1_UNSIGNED)
    }

    /// Whether it is a layer that may not be distributed (Docker's foreign layers, OCI's non-distributable ones).
    #[must_use]
    pub fn is_nondistributable(&self) -> bool {
        self.0.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || self.0.starts_with("application/vnd.docker.image.rootfs.foreign.")
    }
}

/// Why a string is not a [`MediaType`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a media type is written as type/subtype, in the characters that RFC 6838 allows, at most 127 on each side")]
#[non_exhaustive]
pub struct MediaTypeError;

impl FromStr for MediaType {
    type Err = MediaTypeError;

    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        let essence = text.split_once(';').map_or(text, |(essence, _)| essence).trim_matches([' ', '\t']);
        let (kind, subtype) = essence.split_once('/').ok_or(MediaTypeError)?;
        if is_restricted_name(kind) && is_restricted_name(subtype) {
            let usual = USUAL.iter().find(|usual| usual.eq_ignore_ascii_case(essence));
            Ok(Self(usual.map_or_else(|| Cow::Owned(essence.to_ascii_lowercase()), |usual| Cow::Borrowed(*usual))))
        } else {
            Err(MediaTypeError)
        }
    }
}

/// The types that most descriptors have. They are borrowed, so that a descriptor allocates nothing for them.
const USUAL: [&str; 14] = [
    MediaType::OCI_LAYER_GZIP,
    MediaType::OCI_MANIFEST,
    MediaType::OCI_CONFIG,
    MediaType::OCI_INDEX,
    MediaType::OCI_EMPTY,
    MediaType::OCI_ARTIFACT,
    MediaType::OCTET_STREAM,
    MediaType::DOCKER_MANIFEST,
    MediaType::DOCKER_LIST,
    MediaType::DOCKER_CONFIG,
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar",
];

/// RFC 6838, section 4.2.
fn is_restricted_name(name: &str) -> bool {
    (1..=127).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_do_not_count() {
        let plain = MediaType::oci_manifest();
        let text = "Application/VND.oci.image.manifest.v1+json ; charset=utf-8";
        assert_eq!(text.parse(), Ok(plain));
        for bad in ["", "a", "a/", "/b", "a/b/c", "a b/c", "a/b c", "é/a", &format!("a/{}", "b".repeat(128))] {
            assert_eq!(bad.parse::<MediaType>(), Err(MediaTypeError), "{bad}");
        }
    }

    #[test]
    fn the_known_ones_are_well_formed() {
        let known = [
            MediaType::OCI_MANIFEST,
            MediaType::OCI_INDEX,
            MediaType::DOCKER_MANIFEST,
            MediaType::DOCKER_LIST,
            MediaType::DOCKER_SCHEMA1,
            MediaType::OCI_ARTIFACT,
            MediaType::OCI_CONFIG,
            MediaType::DOCKER_CONFIG,
            MediaType::OCI_EMPTY,
            MediaType::OCI_LAYER_GZIP,
            MediaType::OCTET_STREAM,
        ];
        for text in known {
            assert_eq!(text.parse(), Ok(MediaType::known(text)));
        }
    }
}
