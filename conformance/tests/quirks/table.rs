//! The list of quirks is honest: each is one that the mock registry documents, each has a test, and the table says which.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use longshore_conformance::quirk::{self, Outcome};
use longshore_mock_registry::profile::{NAMES, Severity, quirk as catalogue};

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

/// The files whose tests are called after quirks, below this folder's parent.
const NAMED_AFTER_QUIRKS: &[&str] = &[
    "trust/challenges.rs",
    "trust/quirks.rs",
    "trust/scopes.rs",
    "trust/tokens.rs",
    "named/chunks.rs",
    "named/manifests.rs",
    "named/quirks.rs",
    "named/refusals.rs",
];

/// Quirks that the client has no answer to, and why.
const UNANSWERED: &[(&str, &str)] = &[(
    "artifactory-chunks-last-kept",
    "nothing: the client believes the registry that it stored what the digest names; one report, whose cause was never found, \
     and a later trace shows two chunks stored whole",
)];

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

#[test]
fn every_quirk_that_breaks_a_push_has_a_row() {
    let table = table();
    let breaking = catalogue::all().iter().filter(|quirk| quirk.severity == Severity::Breaking);
    let untested: Vec<&str> = breaking
        .map(|quirk| quirk.id.as_str())
        .filter(|id| !table.contains(&format!("| `{id}` |")) && !table.contains(&format!("| `{id}:")))
        .collect();
    assert_eq!(untested, Vec::<&str>::new());
}

/// ANSWERS.md names each quirk of severity 3, and each patch that it names is kept.
#[test]
fn every_quirk_that_breaks_a_push_has_an_answer_that_was_taken_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let answers = fs::read_to_string(root.join("ANSWERS.md")).unwrap();
    let rows: Vec<&str> = answers.lines().filter(|line| line.starts_with("| `")).collect();
    let named = |id: &str| rows.iter().any(|row| row.split('|').nth(1).is_some_and(|ids| names(ids, id)));
    let breaking = catalogue::all().iter().filter(|quirk| quirk.severity == Severity::Breaking);
    let left_out: Vec<&str> = breaking.map(|quirk| quirk.id.as_str()).filter(|id| !named(id)).collect();
    assert_eq!(left_out, Vec::<&str>::new());
    let patches = rows.iter().filter_map(|row| row.split('|').nth(4)).filter(|cell| cell.contains("core/"));
    let patches = patches.map(|cell| cell.trim().trim_matches('`'));
    let lost: Vec<&str> = patches.filter(|name| !root.join(format!("planted/{name}.patch")).is_file()).collect();
    assert_eq!(lost, Vec::<&str>::new());
}

/// Whether a cell names this quirk, or one way of it.
fn names(cell: &str, id: &str) -> bool {
    cell.split('`').any(|text| quirk_of(text) == id)
}

/// The tests that are called after a quirk: its id, the file and the test.
fn named_after_quirks() -> Vec<(String, &'static str, String)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut found = Vec::new();
    for file in NAMED_AFTER_QUIRKS {
        let source = fs::read_to_string(tests.join(file)).unwrap();
        let names = source.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split_once("()"));
        found.extend(names.filter_map(|(name, _)| {
            let quirk = catalogue::all().iter().find(|quirk| quirk.id.replace('-', "_") == name)?;
            Some((quirk.id.clone(), *file, name.to_owned()))
        }));
    }
    found
}

/// The severity of a quirk; whole profiles have none.
fn severity(id: &str) -> String {
    catalogue::named(quirk_of(id)).map_or_else(|| "—".to_owned(), |quirk| quirk.severity.number().to_string())
}

fn table() -> String {
    let mut rows: Vec<[String; 4]> = super::TESTED
        .iter()
        .filter_map(|(test, id)| {
            let outcome = outcome(quirk::named(id)?.outcome);
            Some([format!("`{id}`"), severity(id), outcome.to_owned(), format!("`quirks::{test}`")])
        })
        .collect();
    let elsewhere = ELSEWHERE.iter().map(|(id, file, test)| ((*id).to_owned(), *file, (*test).to_owned()));
    rows.extend(elsewhere.chain(named_after_quirks()).map(|(id, file, test)| {
        let file = file.strip_suffix(".rs").unwrap_or(file).replace('/', "::");
        [format!("`{id}`"), severity(&id), "as the test says".to_owned(), format!("`{file}::{test}`")]
    }));
    let unanswered =
        UNANSWERED.iter().map(|(id, why)| [format!("`{id}`"), severity(id), (*why).to_owned(), "none".to_owned()]);
    rows.extend(unanswered);
    rows.sort();
    let rows: String = rows.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect();
    format!("{HEAD}{rows}")
}

const HEAD: &str = "# Quirks of real registries, and the tests that play them

Each quirk is a switch or a fault of the mock registry, by its id; what follows a colon tells one way of it from another.
The tests push random images, in random orders and with random faults, to a registry that has the quirk. This table is
written by a test, which fails where it is out of date.

Severity 3: a push fails, or stores something wrong, where the client does not know the quirk; each of these has a row. 2: who
does not know it makes needless requests, or fails in some setups. 1: it shows, and nothing depends on it; or it is rare.

| quirk | severity | what must become of a push | test |
|---|---|---|---|
";

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeds => "succeeds",
        Outcome::SucceedsUnlisted => "succeeds; its artifacts may be unlisted",
        Outcome::MayBeRefused | Outcome::RefusedFor(_) => "succeeds, or an error says what the registry refuses",
    }
}
