//! The requirements, a file a group.

mod pull_blobs;
mod pull_manifests;
mod push_blobs;

use super::requirement::Group;

/// All groups, in order.
pub const GROUPS: &[Group] = &[
    Group { name: "pull-blob", title: "Pulling blobs", requirements: pull_blobs::REQUIREMENTS },
    Group { name: "pull-manifest", title: "Pulling manifests", requirements: pull_manifests::REQUIREMENTS },
    Group { name: "push-blob", title: "Pushing blobs in one piece", requirements: push_blobs::REQUIREMENTS },
];
