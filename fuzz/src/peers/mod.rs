//! Other published readers of the same words: where one of them differs from ours, a reason of a list says so.
//!
//! `oci-spec` reads references, digests and manifests (`oci-client` uses its references and digests), `http-auth` reads
//! challenges. A difference without a reason is a find: a mistake of ours, or a new line in the list.

mod challenge;
mod digest;
mod manifest;
mod reference;

use longshore_conformance::fuzz::Target;

pub use challenge::peers_challenge;
pub use digest::peers_digest;
pub use manifest::peers_manifest;
pub use reference::peers_reference;

/// The targets that need other readers.
pub static TARGETS: &[Target] = &[
    Target::new(
        "peers_challenge",
        "a value of `WWW-Authenticate`",
        "what `http-auth` reads, is read the same: schemes, realm, service, scopes",
        peers_challenge,
    ),
    Target::new(
        "peers_digest",
        "a digest",
        "`oci-spec` reads the same digests of sha256 and sha512, and no other",
        peers_digest,
    ),
    Target::new(
        "peers_manifest",
        "a manifest or index",
        "what `oci-spec` reads too, has the same descriptors; what it alone reads is refused for a listed reason",
        peers_manifest,
    ),
    Target::new(
        "peers_reference",
        "a reference",
        "what `oci-spec` reads too, means the same; what one alone reads is refused for a listed reason",
        peers_reference,
    ),
];
