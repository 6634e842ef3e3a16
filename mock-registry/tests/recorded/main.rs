//! What real registries were recorded to answer, asked of the profiles that play them.
//!
//! `facts.json` has 587 facts of 29 registries, in our own words: the status, the forms of headers, the error code, and
//! how good the evidence is. Each is asked of its profile. Where a profile answers otherwise, it says so itself
//! (`[[differs]]`), and why; what it says there is checked too.
//!
//! Not compared: the path of a token server, the `service` of a challenge, cookies, and the order of a query's parameters.

mod challenges;
mod content;
mod facts;
mod shape;
mod stage;
mod uploads;

use std::collections::BTreeSet;

use longshore_mock_registry::profile::{NAMES, Profile};

use facts::Recorded;
use stage::Stage;

/// What a profile answers otherwise than its registry, as (registry, fact, words).
fn deviations(recorded: &[Recorded], profiles: &[Profile]) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for registry in recorded {
        for fact in &registry.facts {
            let name = fact.profile.as_deref().unwrap_or(&registry.profile);
            let profile = profiles.iter().find(|profile| profile.name == name).unwrap();
            let mut stage = Stage::new(profile.clone(), &registry.over);
            stage.ends_at_v3 = fact.name == "tags_list_n_last" && !fact.headers.contains_key("link");
            let answer = play(&mut stage, &fact.name);
            found.extend(
                shape::compare(&stage, fact, &answer)
                    .into_iter()
                    .map(|what| (registry.profile.clone(), fact.name.clone(), what)),
            );
        }
    }
    found
}

fn play(stage: &mut Stage, fact: &str) -> http::Response<bytes::Bytes> {
    let scene = [challenges::SCENES, uploads::SCENES, content::SCENES].concat();
    let (_, scene) = scene.iter().find(|(name, _)| *name == fact).unwrap_or_else(|| panic!("nobody plays {fact}"));
    scene(stage)
}

#[test]
fn every_fact_is_what_its_profile_answers_or_the_profile_says_why_not() {
    let recorded = facts::read();
    assert_eq!(recorded.len(), 29);
    assert_eq!(recorded.iter().map(|registry| registry.facts.len()).sum::<usize>(), 587);
    let profiles: Vec<Profile> = NAMES.iter().map(|name| Profile::named(name).unwrap()).collect();
    let found = deviations(&recorded, &profiles);
    let deviating: BTreeSet<(&str, &str)> =
        found.iter().map(|(registry, fact, _)| (registry.as_str(), fact.as_str())).collect();
    let said: BTreeSet<(&str, &str)> = profiles
        .iter()
        .flat_map(|profile| profile.differences.iter().map(|differs| (profile.name.as_str(), differs.fact.as_str())))
        .collect();
    let unsaid: Vec<String> = found
        .iter()
        .filter(|(registry, fact, _)| !said.contains(&(registry.as_str(), fact.as_str())))
        .map(|(registry, fact, what)| format!("{registry} {fact}: {what}"))
        .collect();
    assert!(unsaid.is_empty(), "{} facts are not what their profiles answer:\n{}", unsaid.len(), unsaid.join("\n"));
    let gone: Vec<&(&str, &str)> = said.difference(&deviating).collect();
    assert!(gone.is_empty(), "profiles say that they differ, and do not: {gone:?}");
}
