//! Content that registries refuse without any fault.

/// The registry, the flow that it refuses, and the texts of which the failure contains one.
pub const REFUSED: &[(&str, &str, &[&str])] = &[
    // `manifest-empty-config-rejected`
    ("aliyun-acr", "artifacts, lists under tags", CONFIG),
    ("aliyun-acr", "one artifact more, lists under tags", CONFIG),
    // `manifest-empty-config-rejected`: no image without layers
    ("cloudsmith", "one streamed PATCH", LAYERS),
    ("cloudsmith", "chunks, the last in the PUT", LAYERS),
    ("cloudsmith", "no byte", LAYERS),
    ("cloudsmith", "three tags", LAYERS),
    ("cloudsmith", "by digest", LAYERS),
    ("cloudsmith", "an artifact", LAYERS),
    ("cloudsmith", "artifacts, lists under tags", LAYERS),
    ("cloudsmith", "one artifact more, lists under tags", LAYERS),
    // `empty-blob-500`, `empty-blob-unsupported-cloudflare`
    ("cloudflare", "no byte", NO_BYTE),
    ("ecr", "no byte", NO_BYTE),
    ("ecr-blob-mounting", "no byte", NO_BYTE),
    // `patch-unsupported`: the client does not have the whole blob in memory
    ("gar", "read once", ONCE),
    ("gar", "out of a pipe", ONCE),
    // `manifest-oci-index-rejected`, and a list of referrers is an index
    ("huawei-swr", "an index of two images", INDEX),
    ("huawei-swr", "an index of one image more", INDEX),
    ("huawei-swr", "artifacts, lists under tags", INDEX),
    ("huawei-swr", "one artifact more, lists under tags", INDEX),
    // `bad-reference-routing`: the tag for the list is read as something else
    ("openregistry", "artifacts, lists under tags", NO_LIST),
    ("openregistry", "one artifact more, lists under tags", NO_LIST),
];

const CONFIG: &[&str] = &["the type of the config is unknown"];
const LAYERS: &[&str] = &["Missing layers"];
const NO_BYTE: &[&str] = &["finish an upload: 500", "and never finished, and the last answer was 500"];
const ONCE: &[&str] = &["can be read only once"];
const INDEX: &[&str] = &["vnd.oci.image.index.v1+json are not accepted"];
const NO_LIST: &[&str] = &["should hold an index of referrers, but it is not a manifest"];

pub(super) fn named(registry: &str, flow: &str) -> Option<&'static [&'static str]> {
    REFUSED.iter().find(|(name, refused, _)| (*name, *refused) == (registry, flow)).map(|(_, _, causes)| *causes)
}
