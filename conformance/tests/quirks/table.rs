//! The list of quirks is honest: each is one that the mock registry documents, each has a test, and the table says which.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use longshore_conformance::quirk::{self, Outcome};
use longshore_mock_registry::profile::{NAMES, quirk as catalogue};

/// Quirks that no switch of the registry's makes: the file, and the test.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("fallback-tag-race", "interleavings.rs", "i37_with_validators_no_order_of_two_clients_loses_an_entry"),
    ("fallback-tag-race", "interleavings.rs", "i37_without_validators_every_loss_is_repaired_by_pushing_again"),
    ("fallback-tag-not-index", "fallback.rs", "a_fallback_tag_that_holds_an_image_is_left_alone"),
    ("fallback-tag-truncation-differs", "fallback.rs", "a_sha512_subject_has_a_fallback_tag_that_is_cut"),
    ("fallback-empty-cleanup", "fallback.rs", "an_empty_list_goes_or_stays_empty"),
    ("referrers-status-disputed", "fallback.rs", "a_registry_that_changes_its_mind_about_referrers"),
    ("referrers-pagination", "fallback.rs", "a_list_in_many_pages_is_read_to_its_end"),
];

/// The part of an id that the mock registry knows.
fn quirk_of(id: &str) -> &str {
    id.split(':').next().unwrap_or(id)
}

#[test]
fn every_quirk_has_a_test_and_no_id_stands_twice() {
    let known: Vec<&str> = quirk::all().iter().map(|quirk| quirk.id).collect();
    let tested: BTreeSet<&str> = super::TESTED.iter().map(|(_, id)| *id).collect();
    assert_eq!(known.iter().copied().collect::<BTreeSet<_>>(), tested);
    assert_eq!((known.len(), super::TESTED.len()), (tested.len(), tested.len()), "an id stands twice");
}

#[test]
fn every_quirk_is_one_of_the_catalogue_or_a_whole_profile() {
    for quirk in quirk::all() {
        let id = quirk_of(quirk.id);
        assert!(catalogue::named(id).is_some() || NAMES.contains(&id), "{id} is neither a quirk nor a profile");
    }
}

#[test]
fn the_table_says_which_test_plays_which_quirk() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for (_, file, test) in ELSEWHERE {
        let source = fs::read_to_string(tests.join(file)).unwrap();
        assert!(source.contains(&format!("fn {test}()")), "there is no test {test} in {file}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("QUIRKS.md");
    if std::env::var_os("LONGSHORE_WRITE").is_some() {
        fs::write(&path, table()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(written == table(), "QUIRKS.md is out of date: run this test with LONGSHORE_WRITE=1");
}

fn table() -> String {
    let mut rows: Vec<[String; 3]> = super::TESTED
        .iter()
        .filter_map(|(test, id)| {
            let outcome = outcome(quirk::named(id)?.outcome);
            Some([format!("`{id}`"), outcome.to_owned(), format!("`quirks::{test}`")])
        })
        .collect();
    rows.extend(ELSEWHERE.iter().map(|(id, file, test)| {
        let file = file.strip_suffix(".rs").unwrap_or(file);
        [format!("`{id}`"), "as the test says".to_owned(), format!("`{file}::{test}`")]
    }));
    rows.sort();
    let rows: String = rows.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect();
    format!("{HEAD}{rows}")
}

const HEAD: &str = "# Quirks of real registries, and the tests that play them

Each quirk is a switch or a fault of the mock registry, by its id; what follows a colon tells one way of it from another.
The tests push random images, in random orders and with random faults, to a registry that has the quirk. This table is
written by a test, which fails where it is out of date.

| quirk | what must become of a push | test |
|---|---|---|
";

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeds => "succeeds",
        Outcome::SucceedsUnlisted => "succeeds; its artifacts may be unlisted",
        Outcome::MayBeRefused | Outcome::RefusedFor(_) => "succeeds, or an error says what the registry refuses",
    }
}
