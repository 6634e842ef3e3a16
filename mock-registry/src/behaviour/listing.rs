//! Listing tags, and deletion.

use serde::{Deserialize, Serialize};

/// How tags are listed (`end-8a`, `end-8b`), and what can be deleted (`end-9`, `end-10`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Listing {
    /// Whether a request for more tags in a page than the limit is refused with 400 instead of answered with a page of
    /// the limit (`tags-n-limit`).
    pub over_limit_refused: bool,
    /// The form of `Link`.
    pub link: LinkForm,
    /// Whether every list is whole: `n` and `last` are not looked at, and there is no `Link`: distribution 2
    /// (`tags-whole-unsorted`).
    pub unpaged: bool,
    /// Whether tags are in the order of their storage instead of that of their names: distribution 2
    /// (`tags-whole-unsorted`). Here it is the order of the digests of their names.
    pub unsorted: bool,
    /// The name of the repository in a list.
    pub name: ListName,
    /// The status if a repository has no tag: 200. Seen: 404 (`tags-404-when-empty`).
    #[serde(deserialize_with = "super::status::read")]
    pub empty: u16,
    /// The status of the deletion of a tag: 202. Seen: 400, 405 (`tag-delete-unsupported`). If it is not a success,
    /// nothing is deleted.
    #[serde(deserialize_with = "super::status::read")]
    pub delete_tag: u16,
    /// The status of the deletion of a manifest: 202, or 400 or 405 if deletion is disabled. In that case tags cannot
    /// be deleted either.
    #[serde(deserialize_with = "super::status::read")]
    pub delete_manifest: u16,
    /// The status of the deletion of a blob: 202. Seen: 405 (`blob-delete-405`).
    #[serde(deserialize_with = "super::status::read")]
    pub delete_blob: u16,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            over_limit_refused: false,
            link: LinkForm::Path,
            unpaged: false,
            unsorted: false,
            name: ListName::Repository,
            empty: 200,
            delete_tag: 202,
            delete_manifest: 202,
            delete_blob: 202,
        }
    }
}

/// The name of the repository in a list of tags (`tags-name-differs`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ListName {
    /// The name of the repository.
    #[default]
    Repository,
    /// The name of the repository without its first part, if it has several parts.
    ShortName,
    /// This name.
    Other(String),
}

/// The form of a `Link` to the next page (`tags-link-forms`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LinkForm {
    /// A path.
    #[default]
    Path,
    /// A whole URL: Quay, Cloudsmith. Needs [`RegistryOptions::origin`](crate::RegistryOptions::origin).
    Absolute,
    /// A path without `<>`: Cloudflare.
    Bare,
    /// A path with one more parameter, which is empty: ACR.
    ExtraParameter,
    /// A path, also on the last page: Gitea.
    Always,
    /// None in a list of tags, though there are more: MetaHub, OpenRegistry, django-oci.
    Absent,
}
