//! The rules for clients.

use crate::report::{Clause, Level};

/// A rule for clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, in breaches and reports.
    pub name: &'static str,
    /// How binding it is; the most binding level, if it can be broken in several ways.
    pub level: Level,
    /// The requirement, as a sentence.
    pub sentence: &'static str,
    /// The heading of the spec and its anchor; a source that is not the spec has no anchor.
    source: (&'static str, Option<&'static str>),
}

impl Rule {
    /// The clause that states it.
    #[must_use]
    pub fn clause(&self) -> Clause {
        match self.source {
            (title, Some(anchor)) => Clause::spec(title, anchor),
            (title, None) => Clause::other(title),
        }
    }

    /// Finds the rule of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        RULES.iter().find(|rule| rule.name == name)
    }
}

const fn rule(
    name: &'static str,
    level: Level,
    sentence: &'static str,
    title: &'static str,
    anchor: Option<&'static str>,
) -> Rule {
    Rule { name, level, sentence, source: (title, anchor) }
}

/// The rule that clients list the referrers that they pushed. No single request breaks it: it is checked at the end.
pub const REFERRERS_LISTED: &str = "referrers-listed";

const CHUNKS: (&str, Option<&str>) = ("Pushing a blob in chunks", Some("pushing-a-blob-in-chunks"));
const MONOLITHIC: (&str, Option<&str>) = ("Pushing a blob monolithically", Some("pushing-a-blob-monolithically"));
const MOUNT: (&str, Option<&str>) =
    ("Mounting a blob from another repository", Some("mounting-a-blob-from-another-repository"));
const MANIFESTS: (&str, Option<&str>) = ("Pushing manifests", Some("pushing-manifests"));
const FALLBACK: (&str, Option<&str>) = ("Referrers tag schema", Some("referrers-tag-schema"));

/// All rules, by name.
pub const RULES: [Rule; 25] = [
    rule(
        "accept",
        Level::Should,
        "A request for a manifest names in Accept the types that the client can read.",
        "Pulling manifests",
        Some("pulling-manifests"),
    ),
    rule(
        "authorization-stays-home",
        Level::Must,
        "Authorization goes to the registry's own origin and to no other.",
        "RFC 9110, section 11.6.2, and the security model of this project",
        None,
    ),
    rule(
        "children-first",
        Level::Must,
        "A manifest is sent after the registry has acknowledged all that it refers to.",
        MANIFESTS.0,
        MANIFESTS.1,
    ),
    rule(
        "chunk-min-length",
        Level::Should,
        "Every chunk but the last has at least OCI-Chunk-Min-Length bytes.",
        CHUNKS.0,
        CHUNKS.1,
    ),
    rule("chunk-order", Level::Must, "A chunk begins where the one before it ended.", CHUNKS.0, CHUNKS.1),
    rule(
        "content-length",
        Level::Must,
        "A POST, a chunk with Content-Range and a PUT have a Content-Length; a POST that begins an upload has 0.",
        MONOLITHIC.0,
        MONOLITHIC.1,
    ),
    rule("content-range", Level::Quirk, "A chunk after the first has a Content-Range.", CHUNKS.0, CHUNKS.1),
    rule(
        "content-range-form",
        Level::Must,
        "Content-Range is first-last, both inclusive, and agrees with Content-Length.",
        CHUNKS.0,
        CHUNKS.1,
    ),
    rule(
        "content-type",
        Level::Must,
        "A manifest is sent with its own mediaType as Content-Type.",
        MANIFESTS.0,
        MANIFESTS.1,
    ),
    rule("digest", Level::Must, "What ends an upload names the digest of the blob.", MONOLITHIC.0, MONOLITHIC.1),
    rule("endpoint", Level::Should, "A request is one of those that the spec lists.", "Endpoints", Some("endpoints")),
    rule("from-with-mount", Level::Quirk, "from comes with mount.", MOUNT.0, MOUNT.1),
    rule("last-is-a-tag", Level::Must, "In a list of tags, last is a tag.", "Listing tags", Some("listing-tags")),
    rule(
        "location-newest",
        Level::Should,
        "The next request of an upload goes to the URL that the registry gave last.",
        CHUNKS.0,
        CHUNKS.1,
    ),
    rule(
        "location-verbatim",
        Level::Should,
        "A request of an upload goes to the URL that the registry gave, byte for byte.",
        MONOLITHIC.0,
        MONOLITHIC.1,
    ),
    rule("media-type", Level::Should, "A manifest says its own mediaType.", MANIFESTS.0, MANIFESTS.1),
    rule("mount-names-its-source", Level::Quirk, "A mount names the repository it comes from.", MOUNT.0, MOUNT.1),
    rule("no-cookies", Level::Quirk, "No cookie is sent.", "what Harbor makes of cookies", None),
    rule("no-empty-chunk", Level::Quirk, "A chunk has at least one byte.", CHUNKS.0, CHUNKS.1),
    rule("no-foreign-origin", Level::Quirk, "A mount has no origin parameter.", MOUNT.0, MOUNT.1),
    rule(
        "no-range-on-whole-blob",
        Level::Quirk,
        "A whole blob is sent without Content-Range.",
        MONOLITHIC.0,
        MONOLITHIC.1,
    ),
    rule(
        "octet-stream",
        Level::Should,
        "The bytes of a blob are sent as application/octet-stream.",
        MONOLITHIC.0,
        MONOLITHIC.1,
    ),
    rule(
        "referrers-entry",
        Level::Must,
        "An entry in a list of referrers has the mediaType, size, artifactType and all annotations of its manifest, and stands once.",
        FALLBACK.0,
        FALLBACK.1,
    ),
    rule(
        REFERRERS_LISTED,
        Level::Must,
        "A manifest with a subject is listed under the referrers tag until it is deleted, where the registry does not list it by itself.",
        FALLBACK.0,
        FALLBACK.1,
    ),
    rule("trailing-slash", Level::Must, "The path of a new upload ends with a slash.", MONOLITHIC.0, MONOLITHIC.1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_is_recorded_is_in_the_table_and_none_is_there_twice() {
        let mut recorded: Vec<&str> = vec![REFERRERS_LISTED];
        for source in [include_str!("head.rs"), include_str!("manifest.rs"), include_str!("referrers.rs")] {
            recorded.extend(source.split("Level::").skip(1).filter_map(|rest| rest.split('"').nth(1)));
        }
        recorded.sort_unstable();
        recorded.dedup();
        let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names, recorded);
    }
}
