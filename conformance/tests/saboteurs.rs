//! What is broken on purpose is caught, each by the oracle that it is said to be caught by.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use longshore_conformance::exhaustive::hunt;
use longshore_conformance::oracle::ORACLES;
use longshore_conformance::saboteur::{self, Sabotage, Saboteur};
use longshore_conformance::{Case, Key, Mock, flow, quirk};
use longshore_core::{Algorithm, Blob, Client, Digest, Manifest, Options, Push};
use longshore_memory::{Simulation, Source, Step};
use longshore_mock_registry::behaviour::MissingReference;

#[test]
fn no_saboteur_passes() {
    let mut wrong = Vec::new();
    for saboteur in saboteur::all().into_iter().filter(Saboteur::is_hunted) {
        match hunt(&saboteur) {
            Some(caught) if caught.oracle == saboteur.oracle => {
                println!("{}: {} after {} cases: {}", saboteur.name, caught.oracle, caught.cases, caught.case);
            }
            Some(caught) => wrong.push(format!("{saboteur:?}: {caught:?}")),
            None => wrong.push(format!("{saboteur:?}: it passes")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_many_and_each_oracle_has_some() {
    let all = saboteur::all::<Key>();
    let names: BTreeSet<&str> = all.iter().map(|saboteur| saboteur.name).collect();
    assert_eq!(names.len(), all.len(), "a name stands twice");
    assert!(all.iter().filter(|saboteur| !saboteur.oracle.is_empty()).count() >= 25, "there are only {}", all.len());
    for saboteur in &all {
        let is_known = ORACLES.iter().any(|(name, _)| *name == saboteur.oracle) || saboteur.oracle == "simulation";
        let is_a_duty = saboteur.oracle.is_empty() && !saboteur.duty.is_empty();
        assert!(is_known || is_a_duty, "{saboteur:?} is caught by nobody");
    }
}

/// The same client pushes again after an hour, and meanwhile somebody else deleted a blob.
#[test]
fn what_was_there_an_hour_ago_is_asked_for_again() {
    assert!(is_whole_after_an_hour(None), "the client itself forgets to age");
    let saboteur = saboteur::named("forget-to-age").unwrap();
    assert!(!is_whole_after_an_hour(Some(saboteur)), "{saboteur:?}: it passes");
}

fn is_whole_after_an_hour(saboteur: Option<Saboteur<Key>>) -> bool {
    let mut options = Options::default();
    // An hour is as good as any other time.
    options.presence_for = Duration::from_millis(1);
    // Blobs of any size are asked for.
    (options.ask_above, options.single_post) = (0, 0);
    let mut sabotage = saboteur.map(|saboteur| Sabotage::new(&saboteur));
    let (mut client, bytes) = (Client::new(options), "some bytes");
    let mut registry = quirk::spec_true();
    registry.behaviour.manifests.missing_reference = MissingReference::Accepted;
    let mut simulation = Simulation::new(1, Mock::new(registry)).source(Key(0), Source::bytes(bytes));
    let digest = Digest::of(Algorithm::Sha256, bytes.as_bytes());
    for tag in ["v1", "v2"] {
        client.start(push(tag, digest));
        let is_over = |step: &Step<Key>| matches!(step, Step::Idle);
        while !is_over(&match &mut sabotage {
            None => simulation.step(&mut client),
            Some(sabotage) => simulation.step(&mut sabotage.around(&mut client)),
        }) {}
        if tag == "v1" {
            let path = format!("/v2/{}/blobs/{digest}", Case::repository());
            simulation.handler.ask_plainly(Method::DELETE, &path, "");
        }
    }
    simulation.handler.blob(&Case::repository(), &digest).is_some()
}

fn push(tag: &str, digest: Digest) -> Push<Key> {
    let blob = format!(r#"{{"mediaType":"application/octet-stream","digest":"{digest}","size":10}}"#);
    let manifest = format!(r#"{{"schemaVersion":2,"config":{blob},"layers":[],"annotations":{{"tag":"{tag}"}}}}"#);
    Push::new(Case::registry(), Case::repository())
        .blob(Blob::known(Key(0), digest, 10))
        .root(Manifest::parse(manifest).unwrap())
        .tag(tag.parse().unwrap())
}

/// The flows that are interrupted are interrupted in the middle.
#[test]
fn interrupted_flows_are_interrupted() {
    let named = |name| flow::all().into_iter().find(|flow| flow.name == name).unwrap().case;
    let cancelled = named("cancelled").run();
    assert!(cancelled.said_before_cancel.is_some_and(|said| said > 0) && cancelled.result.is_err());
    let resumed = named("gone on with").run();
    assert!(!resumed.stored_before.is_empty(), "{}", resumed.simulation.transcript());
}
