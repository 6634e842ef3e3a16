//! The profiles that this crate contains.

/// Embeds the files of these names.
macro_rules! profiles {
    ($($name:literal),* $(,)?) => {
        /// The names of the profiles that this crate contains, in alphabetical order.
        pub const NAMES: &[&str] = &[$($name),*];

        /// The text of a file.
        pub(super) fn text(name: &str) -> Option<&'static str> {
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
