//! The behaviour of a registry as a profile for the mock registry.
//!
//! [`Suite`](super::Suite) reports whether a registry follows the specification; [`probe`] reports how it behaves. Each
//! observation names the switch of the mock's [behaviour](longshore_mock_registry::behaviour), its value, and the
//! exchange that showed it.
//!
//! ```
//! use longshore_conformance::suite::{InMemory, SuiteOptions, probe};
//! use longshore_core::Target;
//! use longshore_mock_registry::profile::Profile;
//! use longshore_mock_registry::Registry;
//!
//! let registry = InMemory::new(Registry::new(Profile::named("zot")?.options()));
//! let origin = Target::parse("http://registry.example")?.origin().clone();
//! let probed = probe(&registry, &SuiteOptions::new(origin, "probe".parse()?));
//! let profile = Profile::parse("ours.toml", &probed.profile("Our registry"))?;
//! assert_eq!(profile.behaviour().start.single_post, Profile::named("zot")?.behaviour().start.single_post);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chunks;
mod manifests;
mod reading;
mod uploads;

use std::collections::BTreeMap;

use longshore_mock_registry::profile::{NAMES, Profile, switches};
use serde_json::{Value, json};

use super::cleanup;
use super::client::RawClient;
use super::fixtures::Fixtures;
use super::options::SuiteOptions;
use super::signer::Signer;
use super::stop::Stop;
use super::tested::{Surroundings, TestedRegistry};

/// The observed behaviour of a registry.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Probed {
    /// The observations, in the order of the switches.
    pub observations: Vec<Observation>,
    /// The content that could not be removed.
    pub left: Vec<String>,
}

/// An observation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Observation {
    /// The switch, such as `mount.without-from`.
    pub switch: &'static str,
    /// Its value, as JSON.
    pub value: Value,
    /// The exchange that showed it, in one line.
    pub shown_by: String,
}

/// A switch that [`probe`] does not observe, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unobserved {
    /// The switch.
    pub switch: &'static str,
    /// Why it is not observed.
    pub reason: &'static str,
}

/// The observations of one probe so far.
pub(super) struct Notes<'c, 'a> {
    pub(super) registry: &'c TestedRegistry<'a>,
    seen: Vec<Observation>,
}

/// A probe of one part of the behaviour. It leaves out what it cannot observe.
struct Probe {
    id: &'static str,
    ask: fn(&mut Notes<'_, '_>) -> Result<(), Stop>,
}

impl Notes<'_, '_> {
    /// Adds an observation from the last exchange.
    pub(super) fn see(&mut self, switch: &'static str, value: impl Into<Value>) {
        let exchanges = self.registry.exchanges.borrow();
        let shown_by = exchanges.last().map_or_else(String::new, |exchange| {
            let status = exchange.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            format!("{} {}: {status}", exchange.method, exchange.target)
        });
        drop(exchanges);
        self.seen.push(Observation { switch, value: value.into(), shown_by });
    }
}

/// Observes the behaviour of a registry. Uses the two repositories of the options, and removes the content that it
/// stored.
#[must_use]
pub fn probe(client: &dyn RawClient, options: &SuiteOptions) -> Probed {
    let signer = Signer::new(options);
    let fixtures = Fixtures::default();
    let around = Surroundings { client, options, signer: &signer, fixtures: &fixtures };
    let (mut seen, mut left) = (BTreeMap::new(), Vec::new());
    // A server that stores no blob is no registry, or none that one may push to: its answers show nothing.
    let first = TestedRegistry::new(&around, "stores-a-blob", client.now().after(options.time_limit));
    let stores = first.stored_blob(100).is_ok();
    left.extend(first.left.take());
    let probes = [uploads::PROBES, chunks::PROBES, manifests::PROBES, reading::PROBES];
    for probe in probes.into_iter().flatten().filter(|_| stores) {
        let deadline = client.now().after(options.time_limit);
        let registry = TestedRegistry::new(&around, probe.id, deadline);
        let mut notes = Notes { registry: &registry, seen: Vec::new() };
        // The reason why the probe ended is not the value of a switch. Earlier observations stay.
        drop((probe.ask)(&mut notes));
        seen.extend(notes.seen.into_iter().map(|observation| (observation.switch, observation)));
        left.extend(registry.left.take());
    }
    let left = cleanup::remove(&around, left.into_iter().collect());
    Probed { observations: seen.into_values().collect(), left }
}

/// The switches that are not observed, each with the reason.
#[must_use]
pub fn unobserved() -> Vec<Unobserved> {
    UNOBSERVED.iter().flat_map(|(reason, all)| all.iter().map(|switch| Unobserved { switch, reason })).collect()
}

impl Probed {
    /// The profile as TOML, with the exchange beside each line. Values that follow the specification are left out.
    #[must_use]
    pub fn profile(&self, title: &str) -> String {
        let defaults: BTreeMap<String, Value> =
            switches().into_iter().map(|switch| (switch.path, switch.default)).collect();
        let known = known_quirks();
        let mut text = format!("title = {}\n", json!(title));
        for observation in &self.observations {
            let switch = observation.switch;
            if defaults.get(switch) == Some(&observation.value) {
                continue;
            }
            let by_value = known.get(&(switch.to_owned(), observation.value.to_string()));
            let quirk = by_value.or_else(|| known.get(&(switch.to_owned(), String::new())));
            let Some(quirk) = quirk else {
                text += &format!("\n# No quirk of the catalogue has this: {switch} = {}\n", observation.value);
                text += &format!("# {}\n", observation.shown_by);
                continue;
            };
            text += &format!("\n[[quirk]]\nid = {}\nevidence = \"wire-trace\"\n", json!(quirk));
            text += &format!("source = {}\n", json!(format!("longshore probe: {}", observation.shown_by)));
            text += &format!("set.{switch} = {}\n", toml(&observation.value));
        }
        text
    }
}

/// The quirk of each switch and value, taken from the profiles. An empty value means any value.
fn known_quirks() -> BTreeMap<(String, String), String> {
    let mut known = BTreeMap::new();
    for profile in NAMES.iter().filter_map(|name| Profile::named(name).ok()) {
        for entry in &profile.entries {
            for set in &entry.switches {
                known.entry((set.path.clone(), set.value.to_string())).or_insert_with(|| entry.quirk.clone());
                known.entry((set.path.clone(), String::new())).or_insert_with(|| entry.quirk.clone());
            }
        }
    }
    for (switch, quirk) in MORE_QUIRKS {
        known.entry(((*switch).to_owned(), String::new())).or_insert_with(|| (*quirk).to_owned());
    }
    known
}

/// Quirks of switches that no profile sets.
const MORE_QUIRKS: &[(&str, &str)] = &[
    ("chunks.redirected", "redirect-changes-method"),
    ("commit.digest", "blob-digest-header-absent"),
    ("commit.empty-put-fails", "put-empty-body-after-patch-500"),
    ("commit.monolithic-refused", "put-monolithic-unsupported"),
    ("commit.mismatch-keeps-upload", "digest-mismatch-keeps-session"),
    ("commit.unverified", "blob-digest-not-verified"),
    ("manifests.artifacts-refused", "manifest-artifacttype-rejected-405"),
    ("manifests.immutable-tags", "tag-immutable-status-zoo"),
    ("manifests.mixed-types-refused", "manifest-mixed-types-rejected"),
    ("manifests.type-change-refused", "manifest-type-change-on-tag-400"),
    ("read.missing-blob", "blob-head-401-means-missing"),
    ("read.missing-manifest", "manifest-head-403-means-missing"),
    ("referrers.artifact-types", "referrers-descriptor-shape"),
    ("referrers.filter", "referrers-filter-client-side"),
    ("start.location-missing", "post-location-missing"),
    ("start.trailing-slash", "post-trailing-slash"),
    ("status.cancel", "upload-cancel-status"),
];

/// A value as TOML.
fn toml(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {}", toml(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        // Texts, numbers and booleans have the same form in JSON and TOML.
        other => other.to_string(),
    }
}

/// The switches that are not observed, by reason.
const UNOBSERVED: &[(&str, &[&str])] = &[
    (
        "challenges and tokens are seen with credentials of other rights, or expired ones, that nobody gave",
        &[
            "auth.absent-needs-push",
            "auth.action-order-varies",
            "auth.cancel-needs-delete",
            "auth.challenge",
            "auth.checked-at-end",
            "auth.cookies",
            "auth.delete-scope-refused",
            "auth.deletion-unscoped",
            "auth.expired-as-text",
            "auth.expires-in",
            "auth.first-scope-only",
            "auth.flips-to-basic",
            "auth.foreign-scope-refused",
            "auth.grants",
            "auth.insufficient-scope",
            "auth.mount-source-challenged",
            "auth.mount-source-named",
            "auth.only-base-is-challenged",
            "auth.open-base",
            "auth.post-refused",
            "auth.realm",
            "auth.scope",
            "auth.service",
            "auth.token-field",
            "users.scheme",
            "users.service",
            "users.token-lifetime",
        ],
    ),
    (
        "a limit is found by sending as much as it allows, which is not cheap",
        &["chunks.max", "commit.lost-above", "limits.manifest", "limits.page", "manifests.over-limit"],
    ),
    (
        "it shows with time or under load only",
        &["chunks.at-once", "commit.visible-after", "manifests.duplicate", "manifests.untagged-lifetime"],
    ),
    (
        "to see it, something wrong would have to be stored, or a blob be lost",
        &["commit.last-chunk-only", "commit.unverified", "commit.whole-unverified", "manifests.unverified"],
    ),
    ("the repositories are to be there, so that nothing is made or missing", &["start.creation", "listing.empty"]),
    ("a registry that takes nothing cannot be probed", &["manifests.read-only"]),
    ("credentials never go to another origin", &["read.storage-refuses-authorization"]),
    ("it needs a proxy on the way", &["chunks.redirected"]),
    (
        "what is behind it is opaque: it shows as a location like any other",
        &["start.state", "start.state-name", "start.query"],
    ),
    (
        "it is rare and shows with documents of odd kinds only",
        &["manifests.annotations-refused", "manifests.refused-types"],
    ),
];
