//! Referrers as a tree to look at, and as JSON.

use longshore_core::text::shown;
use longshore_core::{Descriptor, Digest};
use serde_json::{Value, json};

use crate::size::human;

/// A referrer, and those that refer to it.
pub(super) struct Node {
    pub(super) descriptor: Descriptor,
    pub(super) referrers: Vec<Self>,
}

/// A line for each referrer, below the one it refers to.
pub(super) fn lines(nodes: &[Node]) -> Vec<String> {
    let mut lines = Vec::new();
    add(&mut lines, nodes, "");
    lines
}

fn add(lines: &mut Vec<String>, nodes: &[Node], indent: &str) {
    for (i, node) in nodes.iter().enumerate() {
        let (branch, below) = if i + 1 == nodes.len() { ("└── ", "    ") } else { ("├── ", "│   ") };
        let Descriptor { artifact_type, digest, size, media_type, .. } = &node.descriptor;
        // Registries write this text: it may hold anything.
        let what = shown(artifact_type.as_deref().unwrap_or(media_type.as_str()));
        lines.push(format!("{indent}{branch}{what}  {digest}  {}", human(*size)));
        add(lines, &node.referrers, &format!("{indent}{below}"));
    }
}

/// The subject's digest, and the descriptors of its referrers, each with its own.
pub(super) fn json(subject: &Digest, nodes: &[Node]) -> Value {
    json!({"digest": subject, "referrers": nodes.iter().map(node).collect::<Vec<_>>()})
}

fn node(node: &Node) -> Value {
    let mut value = json!(node.descriptor);
    value["referrers"] = node.referrers.iter().map(self::node).collect();
    value
}

#[cfg(test)]
mod tests {
    use longshore_core::{Algorithm, MediaType};

    use super::*;

    #[test]
    fn referrers_stand_below_what_they_refer_to() {
        let referrer = |artifact_type: &str, referrers| {
            let digest = Digest::of(Algorithm::Sha256, artifact_type.as_bytes());
            let mut descriptor = Descriptor::new(MediaType::oci_manifest(), digest, 400);
            descriptor.artifact_type = Some(artifact_type.to_owned());
            Node { descriptor, referrers }
        };
        let nodes =
            [referrer("a/sbom", vec![referrer("a/signature", Vec::new())]), referrer("a/\u{1b}[2J", Vec::new())];
        let lines = lines(&nodes);
        assert!(lines[0].starts_with("├── a/sbom  sha256:") && lines[0].ends_with("  400 B"), "{lines:?}");
        assert!(lines[1].starts_with("│   └── a/signature  sha256:"), "{lines:?}");
        assert!(lines[2].starts_with(r"└── a/\u{1b}[2J  sha256:"), "I30: {lines:?}");
        let value = json(&nodes[0].descriptor.digest, &nodes);
        assert_eq!(value["referrers"][0]["referrers"][0]["artifactType"], "a/signature");
    }
}
