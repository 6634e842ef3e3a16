//! The probe: what it says of a registry is what the registry was set up to do.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use longshore_conformance::suite::{InMemory, Probed, RawClient, RawRequest, SuiteOptions, probe, unobserved};
use longshore_core::Target;
use longshore_core::driver::NoAnswer;
use longshore_core::target::Policy;
use longshore_mock_registry::profile::{NAMES, Profile, switches};
use longshore_mock_registry::{Instant, Registry};
use serde_json::{Value, json};

/// A registry of a profile, with the two repositories there.
fn registry(profile: &Profile, options: &SuiteOptions) -> InMemory {
    let mut set_up = profile.options();
    let behaviour = std::mem::take(&mut set_up.behaviour);
    set_up.origin = Some(options.registry.clone());
    set_up.storage = Some(Target::parse("http://storage.example").unwrap().origin().clone());
    let mut registry = Registry::new(set_up);
    for name in ["team/probe", "team/probe-second"] {
        let digest = longshore_core::Digest::of(longshore_core::Algorithm::Sha256, name.as_bytes());
        let post = http::Request::post(format!("/v2/{name}/blobs/uploads/?digest={digest}"));
        assert_eq!(registry.answer(Instant::ZERO, post.body(name.into()).unwrap()).unwrap().status(), 201);
    }
    registry.options.behaviour = behaviour;
    InMemory::new(registry)
}

fn options() -> SuiteOptions {
    let origin = |url: &str| Target::parse(url).unwrap().origin().clone();
    let mut options = SuiteOptions::new(origin("http://registry.example"), "team/probe".parse().unwrap());
    options.policy = Policy::default().allow_origin(origin("http://storage.example"));
    options
}

/// What a profile sets, by switch.
fn settings(profile: &Profile) -> BTreeMap<String, Value> {
    let behaviour = json!(profile.behaviour());
    let of = |switch: &str| {
        let (group, name) = switch.split_once('.').unwrap();
        behaviour[group][name].clone()
    };
    switches().into_iter().map(|switch| (switch.path.clone(), of(&switch.path))).collect()
}

#[test]
fn what_is_seen_of_each_profile_is_what_it_sets() {
    let mut wrong = Vec::new();
    for name in NAMES {
        let profile = Profile::named(name).unwrap();
        let settings = settings(&profile);
        let probed = probe(&registry(&profile, &options()), &options());
        for seen in probed.observations {
            if settings[seen.switch] != seen.value && !is_excused(name, seen.switch) {
                let set = &settings[seen.switch];
                wrong.push(format!("{name}: {} is {set}, seen {} in {}", seen.switch, seen.value, seen.shown_by));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A web server that answers everything alike.
struct WebServer(u16, &'static str);

impl RawClient for WebServer {
    fn send(&self, _: RawRequest) -> Result<http::Response<Bytes>, NoAnswer> {
        let answer = http::Response::builder().status(self.0).header("content-type", "text/html");
        Ok(answer.body(Bytes::from_static(self.1.as_bytes())).unwrap())
    }

    fn now(&self) -> Instant {
        Instant::ZERO
    }

    fn wait(&self, _: std::time::Duration) {}
}

#[test]
fn nothing_is_seen_of_a_server_that_is_no_registry() {
    for server in [WebServer(200, "<html>"), WebServer(200, "{}"), WebServer(404, "<html>")] {
        let probed = probe(&server, &options());
        let seen: Vec<_> = probed.observations.iter().map(|seen| (seen.switch, &seen.value)).collect();
        assert!(seen.is_empty(), "{} {}: {seen:?}", server.0, server.1);
    }
}

/// Whether something else in a profile hides what a switch is set to, for the reason that is told here.
fn is_excused(profile: &str, switch: &str) -> bool {
    EXCUSED.iter().any(|(of, hidden, reason)| *of == profile && *hidden == switch && !reason.is_empty())
}

/// Profile, switch, and what hides it.
const EXCUSED: &[(&str, &str, &str)] = &[
    ("django-oci", "chunks.empty-range", CHANGED),
    ("django-oci", "manifests.etag", CHANGED),
    ("keygen", "read.manifest-digest", CHANGED),
    ("metahub", "manifests.etag", CHANGED),
    ("olareg", "errors.body", CHANGED),
    ("openshift", "manifests.artifacts-refused", LATE),
    ("openshift", "manifests.empty-config-refused", LATE),
    ("openshift", "manifests.mixed-types-refused", LATE),
    ("openshift", "manifests.no-layers-refused", LATE),
    ("openshift", "read.blob-digest", LATE),
    ("openshift", "read.ranges", LATE),
    ("zot", "start.id", CHANGED),
    ("zot-1.4", "start.id", CHANGED),
    ("zot-1.4", "start.range", CHANGED),
];

const CHANGED: &str = "a change to its answers takes the header away, or puts another in its place";
const LATE: &str = "its blobs are seen three seconds after they were stored (commit.visible-after)";

#[test]
fn every_switch_is_seen_in_the_spec_true_registry_or_not_looked_at_for_a_reason() {
    let profile = Profile::named("spec").unwrap();
    let probed = probe(&registry(&profile, &options()), &options());
    let seen: BTreeSet<&str> = probed.observations.iter().map(|seen| seen.switch).collect();
    let unobserved = unobserved();
    let left_out: BTreeSet<&str> = unobserved.iter().map(|unobserved| unobserved.switch).collect();
    // These show only where they are otherwise than the specification has it.
    let only_otherwise: BTreeSet<&str> =
        ["chunks.out-of-order-code", "start.chunk-min", "read.blob-head-redirect"].into();
    let all: BTreeSet<String> = switches().into_iter().map(|switch| switch.path).collect();
    let missing: Vec<&String> = all
        .iter()
        .filter(|switch| {
            let switch = switch.as_str();
            !seen.contains(switch) && !left_out.contains(switch) && !only_otherwise.contains(switch)
        })
        .collect();
    assert!(missing.is_empty(), "neither seen nor left out: {missing:?}");
    let unknown: Vec<&&str> = left_out.iter().filter(|switch| !all.contains(**switch)).collect();
    assert!(unknown.is_empty(), "left out, and no switch: {unknown:?}");
    assert!(unobserved.iter().all(|unobserved| !unobserved.reason.is_empty()));
}

#[test]
fn what_is_written_can_be_played_and_is_seen_again() {
    for name in NAMES {
        let first = probe(&registry(&Profile::named(name).unwrap(), &options()), &options());
        let text = first.profile("Seen");
        let profile = Profile::parse("seen.toml", &text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let again = probe(&registry(&profile, &options()), &options());
        // What no quirk of the catalogue has cannot be played.
        let is_played = |switch: &str| !text.contains(&format!("has this: {switch} "));
        let values = |probed: &Probed| -> BTreeMap<&str, Value> {
            let seen = probed.observations.iter().filter(|seen| is_played(seen.switch));
            seen.map(|seen| (seen.switch, seen.value.clone())).collect()
        };
        let (first, again) = (values(&first), values(&again));
        for (switch, value) in &first {
            assert!(again.get(switch).is_none_or(|again| again == value), "{name}: {switch}: {value}, then {again:?}");
        }
    }
}

#[test]
fn nothing_is_left_at_a_registry_that_deletes() {
    let registry = registry(&Profile::named("spec").unwrap(), &options());
    let probed = probe(&registry, &options());
    assert!(probed.left.is_empty(), "{:?}", probed.left);
    for (name, contents) in &registry.into_registry().state.repositories {
        assert_eq!((contents.blobs.len(), contents.manifests.len()), (1, 0), "{name}: what was there before");
    }
}
