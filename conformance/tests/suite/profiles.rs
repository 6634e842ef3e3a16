//! The suite checks itself: a registry with a quirk fails exactly what the table says of that quirk, and a profile fails
//! exactly what its quirks fail together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use longshore_conformance::suite::{InMemory, PrivateBlob, Suite, SuiteOptions};
use longshore_core::auth::Credentials;
use longshore_core::target::Policy;
use longshore_core::{Algorithm, Digest, Secret, Target};
use longshore_mock_registry::auth::{Auth, Password};
use longshore_mock_registry::behaviour::AnswerChange;
use longshore_mock_registry::profile::{Entry, NAMES, Profile};
use longshore_mock_registry::report::Report;
use longshore_mock_registry::{Behaviour, Instant, Registry, RegistryOptions};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::options;

/// The table. `LONGSHORE_WRITE=1 cargo test -p longshore-conformance --test suite profiles` writes what it should be next
/// to it, for somebody to read and to take over.
const TABLE: &str = include_str!("profiles.toml");

/// What the table says.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Table {
    /// What fails with a quirk alone, by how it is set: `patch-status-201 chunks.status=201`.
    quirks: BTreeMap<String, BTreeSet<String>>,
    /// What a profile fails beside what its quirks fail alone, or does not fail though they do: each with the reason.
    #[serde(default)]
    together: BTreeMap<String, BTreeMap<String, String>>,
}

/// The parts of a registry's set-up that decide what the suite finds.
#[derive(Clone, Default)]
struct SetUp {
    behaviour: Behaviour,
    manifest: Option<usize>,
    page: Option<usize>,
    auth: Option<Auth>,
}

impl SetUp {
    fn of(profile: &Profile) -> Self {
        let limits = &profile.settings().limits;
        let (manifest, page) = (limits.manifest, limits.page);
        Self { behaviour: profile.behaviour().clone(), manifest, page, auth: Some(profile.auth()) }
    }

    /// The spec-true registry with one quirk.
    fn with(entry: &Entry) -> Self {
        let mut set_up = Self::default();
        let mut behaviour = json!(set_up.behaviour);
        for set in &entry.switches {
            let (group, name) = set.path.split_once('.').unwrap();
            match (group, name) {
                ("limits", "manifest") => set_up.manifest = serde_json::from_value(set.value.clone()).unwrap(),
                ("limits", "page") => set_up.page = serde_json::from_value(set.value.clone()).unwrap(),
                ("users", "scheme") if set.value == "basic" => set_up.auth = Some(Auth::basic()),
                ("users", _) => {}
                _ => behaviour[group][name] = set.value.clone(),
            }
        }
        set_up.behaviour = serde_json::from_value(behaviour).unwrap();
        set_up.behaviour.answers = entry.answers.clone();
        set_up
    }

    /// What fails, and what nothing can be said of.
    fn failures(self) -> BTreeSet<String> {
        let report = run(self);
        let failed = report.checks.iter().filter(|check| check.status.is_failure());
        failed.map(|check| check.id.clone()).collect()
    }
}

fn run(set_up: SetUp) -> Report {
    let storage = Target::parse("http://storage.example").unwrap().origin().clone();
    let mut suite: SuiteOptions = options();
    let mut plain = RegistryOptions::default().with_origin(suite.registry.clone()).with_storage(storage.clone());
    plain.limits.manifest = set_up.manifest.unwrap_or(plain.limits.manifest);
    plain.limits.page = set_up.page.unwrap_or(plain.limits.page);
    let mut registry = Registry::new(plain);
    // Some registries make no repositories: these two are there. And one that only somebody else may read.
    for name in ["conformance", "conformance-second", "private"] {
        let secret = format!("a secret of {name}");
        let digest = Digest::of(Algorithm::Sha256, secret.as_bytes());
        let post = http::Request::post(format!("/v2/{name}/blobs/uploads/?digest={digest}"));
        let stored = registry.answer(Instant::ZERO, post.body(secret.into()).unwrap());
        assert_eq!(stored.unwrap().status(), 201);
    }
    let rights = "conformance*=*".parse().unwrap();
    let auth = set_up.auth.unwrap_or_else(Auth::bearer);
    registry.options.auth = Some(auth.user("alice", Password::plain("wonderland"), rights));
    registry.options.behaviour = set_up.behaviour;

    let password = Secret::new("wonderland".to_owned());
    suite.credentials = Some(Arc::new(Credentials::Basic { user: "alice".to_owned(), password }));
    suite.policy = Policy::default().allow_origin(storage);
    let digest = Digest::of(Algorithm::Sha256, b"a secret of private");
    suite.private = Some(PrivateBlob { repository: "private".parse().unwrap(), digest });
    Suite::new(&InMemory::new(registry), suite).run()
}

/// How a quirk is set, as the table has it.
fn key(entry: &Entry) -> String {
    let mut words = vec![entry.quirk.clone()];
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    words.extend(entry.switches.iter().map(|set| format!("{}={}", set.path, plain(&set.value))));
    words.extend(entry.answers.iter().map(|change: &AnswerChange| json!(change).to_string()));
    words.join(" ")
}

/// Does the same for all, as many at once as there are processors.
fn side_by_side<T: Sync, U: Send>(all: &[T], each: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = each(one);
                    done.lock().unwrap().push(result);
                }
            });
        }
    });
    done.into_inner().unwrap()
}

/// Every quirk that some profile sets, each once.
fn quirks() -> BTreeMap<String, Entry> {
    let mut all = BTreeMap::new();
    for name in NAMES {
        for profile in Profile::named(name).unwrap().lineage() {
            for entry in &profile.entries {
                if !entry.switches.is_empty() || !entry.answers.is_empty() {
                    all.insert(key(entry), entry.clone());
                }
            }
        }
    }
    all
}

#[test]
fn every_quirk_fails_exactly_what_the_table_says() {
    let table: Table = toml::from_str(TABLE).unwrap();
    let quirks: Vec<(String, Entry)> = quirks().into_iter().collect();
    let found: BTreeMap<String, BTreeSet<String>> =
        side_by_side(&quirks, |(key, entry)| (key.clone(), SetUp::with(entry).failures())).into_iter().collect();
    if std::env::var_os("LONGSHORE_WRITE").is_some() {
        let mut text = String::from("[quirks]\n");
        for (key, fails) in &found {
            text += &format!("{} = {}\n", json!(key), json!(fails));
        }
        std::fs::write("tests/suite/profiles.found.toml", text).unwrap();
    }
    for (key, fails) in &found {
        assert_eq!(Some(fails), table.quirks.get(key), "{key}");
    }
    assert_eq!(found.len(), table.quirks.len(), "the table has quirks that no profile has");
}

#[test]
fn every_profile_fails_exactly_what_its_quirks_fail() {
    let table: Table = toml::from_str(TABLE).unwrap();
    let differences = side_by_side(NAMES, |name| {
        let profile = Profile::named(name).unwrap();
        let entries = profile.lineage().flat_map(|profile| &profile.entries);
        let alone: BTreeSet<&String> = entries.filter_map(|entry| table.quirks.get(&key(entry))).flatten().collect();
        let failures = SetUp::of(&profile).failures();
        let differs = failures.iter().filter(|id| !alone.contains(id)).map(|id| format!("{name}: {id} fails"));
        let holds = alone.iter().filter(|id| !failures.contains(**id)).map(|id| format!("{name}: {id} does not fail"));
        let told = table.together.get(*name);
        let is_told = |line: &String| {
            let id = line.split(' ').nth(1).unwrap();
            told.is_some_and(|told| told.get(id).is_some_and(|reason| !reason.is_empty()))
        };
        differs.chain(holds).filter(|line| !is_told(line)).collect::<Vec<String>>()
    });
    let unexplained = differences.concat();
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
}

#[test]
fn the_profile_of_the_specification_fails_nothing() {
    let failures = SetUp::of(&Profile::named("spec").unwrap()).failures();
    assert!(failures.is_empty(), "{failures:?}");
}
