//! The facts, read.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What was recorded of one registry.
pub(crate) struct Recorded {
    /// The profile that plays it.
    pub(crate) profile: String,
    /// The scheme over which it was recorded.
    pub(crate) over: String,
    pub(crate) facts: Vec<Fact>,
}

/// One answer.
pub(crate) struct Fact {
    pub(crate) name: String,
    /// The profile that plays this one, where it is another.
    pub(crate) profile: Option<String>,
    /// Whether it stands in recorded HTTP, so that what is not in it was not there.
    pub(crate) is_trace: bool,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) headers: BTreeMap<String, String>,
    /// The fields of a token's JSON.
    pub(crate) fields: Vec<String>,
    /// What the body is, where it is no error of the spec's: `empty`, `text`, `json without code`.
    pub(crate) body: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    #[expect(dead_code, reason = "for people")]
    recorded: String,
    #[expect(dead_code, reason = "for people")]
    source: String,
    over: String,
    facts: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    class: String,
    status: Option<u16>,
    code: Option<String>,
    headers: BTreeMap<String, String>,
    #[serde(default)]
    fields: Vec<String>,
    body: Option<String>,
    profile: Option<String>,
}

pub(crate) fn read() -> Vec<Recorded> {
    let registries: BTreeMap<String, Registry> = serde_json::from_str(include_str!("facts.json")).unwrap();
    registries
        .into_iter()
        .map(|(profile, registry)| Recorded {
            profile,
            over: registry.over,
            facts: registry.facts.into_iter().map(fact).collect(),
        })
        .collect()
}

fn fact((name, entry): (String, Entry)) -> Fact {
    Fact {
        name,
        profile: entry.profile,
        is_trace: entry.class == "wire-trace",
        status: entry.status,
        code: entry.code,
        headers: entry.headers,
        fields: entry.fields,
        body: entry.body,
    }
}
