//! The profiles that this crate brings.

use super::error::{ProfileError, nearest};
use super::{Profile, parse};

/// Embeds the files of these names.
macro_rules! profiles {
    ($($name:literal),* $(,)?) => {
        /// The names of the profiles that this crate brings, in alphabetical order.
        pub const NAMES: &[&str] = &[$($name),*];

        fn text(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../profiles/", $name, ".toml"))),)*
                _ => None,
            }
        }
    };
}

profiles! {
    "acr",
    "acr-2022",
    "aliyun-acr",
    "artifactory",
    "artifactory-old",
    "cloudflare",
    "cloudsmith",
    "digitalocean",
    "distribution-2.8",
    "distribution-3",
    "django-oci",
    "docker-hub",
    "ecr",
    "ecr-blob-mounting",
    "ecr-public",
    "gar",
    "gcr",
    "generic",
    "ghcr",
    "gitea",
    "gitlab",
    "harbor",
    "huawei-swr",
    "ibm-icr",
    "keppel",
    "keygen",
    "metahub",
    "nexus",
    "ocir",
    "olareg",
    "openregistry",
    "openshift",
    "pulp",
    "quay",
    "quay-2021",
    "redhat-registry",
    "spec",
    "suse-registry",
    "zot",
    "zot-1.4",
}

pub(super) fn load(name: &str) -> Result<Profile, ProfileError> {
    load_in(name, &mut vec![name.to_owned()])
}

pub(super) fn load_in(name: &str, chain: &mut Vec<String>) -> Result<Profile, ProfileError> {
    let text = text(name).ok_or_else(|| ProfileError::UnknownProfile {
        name: name.to_owned(),
        nearest: nearest(name, NAMES.iter().copied()),
    })?;
    parse::profile(&format!("profiles/{name}.toml"), text, chain)
}
