//! Known broken rules, each with the reason.

/// A kind of fault at a registry, and a text of the broken rule.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The registries.
    pub registries: &'static [&'static str],
    /// The flow; all flows if it is empty.
    pub flow: &'static str,
    /// The beginning of the names of the kinds of faults.
    pub kind: &'static str,
    /// A part of the text of the rule.
    pub rule: &'static str,
    /// The reason, and the desired behaviour.
    pub reason: &'static str,
}

/// All known broken rules.
pub const KNOWN: &[Known] = &[
    Known {
        registries: &["gcr", "gar"],
        flow: "",
        kind: "redirect 307 http://registry.example/blob",
        rule: "plain HTTP where the registry is not",
        reason: "an upload at a storage host over HTTPS may not lead to plain HTTP (I9): as it should be",
    },
    Known {
        registries: &["ecr", "ecr-blob-mounting"],
        flow: "",
        kind: "status 401",
        rule: "uploads are left open",
        reason: "credentials that were refused sign no cancellation; the oracle excuses one upload, and two are open",
    },
    Known {
        registries: &["gar"],
        flow: "",
        kind: "",
        rule: "it is refused without this fault, and not with it",
        reason: "the fault strikes before the body is read, and the upload goes another way then: it succeeds",
    },
    Known {
        registries: &["openregistry"],
        flow: "",
        kind: "header-missing content-type",
        rule: "it is refused without this fault, and not with it",
        reason: "the fault strikes the answer that would show that the list is none",
    },
];

/// The reason, if it is known that this kind of fault breaks this rule at this registry.
#[must_use]
pub fn reason(registry: &str, flow: &str, kind: &str, rule: &str) -> Option<&'static str> {
    let known = KNOWN.iter().find(|known| {
        let is_here = known.registries.contains(&registry) && (known.flow.is_empty() || known.flow == flow);
        is_here && kind.starts_with(known.kind) && rule.contains(known.rule)
    });
    known.map(|known| known.reason)
}
