//! Contradictions between switches: with one value of a switch, another switch has no effect.

use serde_json::Value;

use super::SetSwitch;
use super::error::{Place, ProfileError};

/// If `taker` has one of the values, `taken` has no effect.
struct Rule {
    taker: &'static str,
    when: fn(&Value) -> bool,
    taken: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        taker: "start.location-missing",
        when: is_true,
        taken: &["start.location"],
        why: "an upload without a Location has no form of it",
    },
    Rule {
        taker: "mount.policy",
        when: |value| value == "never" || value.get("refused").is_some(),
        taken: &["mount.missing"],
        why: "every mount is answered alike, whether the blob is there or not",
    },
    Rule {
        taker: "chunks.patch",
        when: |value| value.get("refused").is_some(),
        taken: &[
            "chunks.status",
            "chunks.range",
            "chunks.location-missing",
            "chunks.content-range",
            "chunks.out-of-order",
            "chunks.empty-refused",
            "chunks.one-stream",
            "chunks.strict-type",
        ],
        why: "no chunk is taken at all",
    },
    Rule {
        taker: "chunks.content-range",
        when: |value| value == "ignored",
        taken: &["chunks.out-of-order", "chunks.out-of-order-range", "chunks.out-of-order-code"],
        why: "no chunk is out of order where Content-Range is not looked at",
    },
    Rule {
        taker: "commit.unverified",
        when: is_true,
        taken: &["commit.mismatch", "commit.mismatch-code", "commit.mismatch-keeps-upload"],
        why: "no digest is found to be wrong where none is looked at",
    },
    Rule {
        taker: "read.manifest-head",
        when: |value| *value == Value::Bool(false),
        taken: &["read.missing-manifest", "read.manifest-head-length-differs"],
        why: "HEAD of a manifest is answered with 405, whatever is there",
    },
    Rule {
        taker: "referrers.api",
        when: |value| value != "on",
        taken: &["referrers.filter", "referrers.unknown-subject", "referrers.artifact-types"],
        why: "there is no list of referrers",
    },
    Rule {
        taker: "listing.unpaged",
        when: is_true,
        taken: &["listing.link", "listing.over-limit-refused"],
        why: "every list of tags is whole",
    },
    Rule {
        taker: "manifests.etag",
        when: |value| value == "absent",
        taken: &["manifests.etag-when-stored"],
        why: "no manifest has an ETag",
    },
    Rule {
        taker: "users.scheme",
        when: |value| value == "basic",
        taken: &["users.token-lifetime", "auth.token-field", "auth.expires-in", "auth.first-scope-only"],
        why: "there are no tokens where each request has name and password",
    },
];

fn is_true(value: &Value) -> bool {
    *value == Value::Bool(true)
}

/// Refuses a switch that is set twice, and switches that contradict each other, in one file or on one command line.
pub(super) fn check(sets: &[(Place, &SetSwitch)]) -> Result<(), ProfileError> {
    for (number, (at, set)) in sets.iter().enumerate() {
        let mut before = sets[..number].iter();
        if let Some((first, _)) = before.find(|(_, first)| first.path == set.path && first.value != set.value) {
            return Err(ProfileError::SetTwice { at: at.clone(), switch: set.path.clone(), first: first.clone() });
        }
    }
    for rule in RULES {
        let taker = sets.iter().find(|(_, set)| set.path == rule.taker && (rule.when)(&set.value));
        let taken = sets.iter().find(|(_, set)| rule.taken.contains(&set.path.as_str()));
        if let (Some((other_at, taker)), Some((at, taken))) = (taker, taken) {
            return Err(ProfileError::Contradiction {
                at: at.clone(),
                switch: taken.path.clone(),
                other: taker.path.clone(),
                value: taker.value.to_string(),
                other_at: other_at.clone(),
                why: rule.why,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::switches;

    #[test]
    fn every_rule_names_switches_that_there_are() {
        let known: Vec<String> = switches().into_iter().map(|switch| switch.path).collect();
        for rule in RULES {
            for path in rule.taken.iter().chain([&rule.taker]) {
                assert!(known.iter().any(|known| known == path), "{path}");
            }
        }
    }
}
