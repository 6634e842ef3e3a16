//! The requirements: one file for each group.

mod authentication;
mod concurrency;
mod conditional;
mod deletion;
mod errors;
mod limits;
mod manifest_content;
mod mount;
mod pull_blobs;
mod pull_manifests;
mod push_blobs;
mod push_chunks;
mod push_manifests;
mod push_trouble;
mod redirects;
mod referrers;
mod subjects;
mod tags;

use super::requirement::{Group, Requirement};

/// All groups, in order.
pub const GROUPS: &[Group] = &[
    group("pull-blob", "Pulling blobs", pull_blobs::REQUIREMENTS),
    group("pull-manifest", "Pulling manifests", pull_manifests::REQUIREMENTS),
    group("push-blob", "Pushing blobs in one piece", push_blobs::REQUIREMENTS),
    group("push-chunk", "Pushing blobs in chunks", push_chunks::REQUIREMENTS),
    group("push-trouble", "Uploads in trouble", push_trouble::REQUIREMENTS),
    group("mount", "Mounting blobs", mount::REQUIREMENTS),
    group("push-manifest", "Pushing manifests", push_manifests::REQUIREMENTS),
    group("manifest-content", "Kinds of manifests", manifest_content::REQUIREMENTS),
    group("tags", "Listing tags", tags::REQUIREMENTS),
    group("subject", "Manifests with a subject", subjects::REQUIREMENTS),
    group("referrers", "Referrers", referrers::REQUIREMENTS),
    group("deletion", "Deletion", deletion::REQUIREMENTS),
    group("authentication", "Authentication", authentication::REQUIREMENTS),
    group("errors", "Refusals and warnings", errors::REQUIREMENTS),
    group("concurrency", "Several clients at once", concurrency::REQUIREMENTS),
    group("limits", "Large, long and many", limits::REQUIREMENTS),
    group("redirects", "Redirects", redirects::REQUIREMENTS),
    group("conditional", "Conditional requests", conditional::REQUIREMENTS),
];

const fn group(name: &'static str, title: &'static str, requirements: &'static [Requirement]) -> Group {
    Group { name, title, requirements }
}

/// All requirements, in order.
pub fn all() -> impl Iterator<Item = &'static Requirement> {
    GROUPS.iter().flat_map(|group| group.requirements)
}
