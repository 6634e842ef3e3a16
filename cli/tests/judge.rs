//! `longshore judge`: clients, among them ourselves, pushed to the mock registry and watched.

mod common;

use std::fs;

use common::{done, run};
use longshore_mock_registry::report::{CheckStatus, Report};

const PUSH: [&str; 5] = ["--", "longshore", "push", "{layout}", "{registry}/judged/app:v1"];

fn judged(options: &[&str], command: &[&str]) -> (Report, Option<i32>) {
    let output = run(&[&["judge", "--json"], options, command].concat());
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (Report::from_json(&text).unwrap_or_else(|error| panic!("{error}: {output:?}")), output.status.code())
}

#[test]
fn longshore_itself_pushes_well_whatever_the_registry_does_and_whatever_goes_wrong() {
    let profiles = ["--profile", "spec", "--profile", "ecr", "--profile", "quay-2021", "--profile", "zot"];
    let (report, status) = judged(&[&profiles[..], &["--all-faults"]].concat(), &PUSH);
    let failed: Vec<String> = report
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Failed)
        .map(|check| format!("{}: {}, {:?}", check.id, check.title, check.evidence))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(status, Some(0));
    assert_eq!(report.checks.len(), 4 + 12);
    let struck = report.checks.iter().filter(|check| check.status == CheckStatus::Passed).count();
    assert!(struck >= 12, "most faults strike: {struck}");
}

#[test]
fn a_client_that_claims_what_is_not_so_is_found_out() {
    let (report, status) = judged(&[], &["--", "true"]);
    assert_eq!(status, Some(1));
    let check = &report.checks[0];
    assert_eq!(check.status, CheckStatus::Failed);
    assert!(check.evidence.iter().any(|seen| seen.sentence.contains("do not stand byte for byte")), "{check:?}");
}

#[test]
fn a_client_that_does_not_end_is_stopped() {
    let (report, _) = judged(&["--time-limit", "1"], &["--", "sleep", "100"]);
    assert!(report.checks[0].evidence[0].sentence.contains("did not end in time"), "{report:?}");
}

#[test]
fn the_clients_of_a_file_become_a_matrix() {
    let folder = tempfile::tempdir().unwrap();
    let clients = folder.path().join("clients.toml");
    let text = r#"
[longshore]
version = ["longshore", "--version"]
push = ["longshore", "push", "{layout}", "{registry}/judged/app:v1"]
note = "repeats by itself"

[not-there]
version = ["longshore-no-such-client"]
push = ["longshore-no-such-client"]
"#;
    fs::write(&clients, text).unwrap();
    let results = folder.path().join("results");
    let arguments = ["--fault", "end-7a#1: status 503", "--output", results.to_str().unwrap()];
    done(&[&["judge", "--clients", clients.to_str().unwrap()], &arguments[..]].concat());
    let matrix = fs::read_to_string(results.join("matrix.md")).unwrap();
    assert!(
        matrix.contains("| longshore | longshore 0.1.0 | `longshore push") && !matrix.contains("not-there"),
        "{matrix}"
    );
    assert!(matrix.contains("| spec | [✓ ") && matrix.contains("| end-7a#1: status 503 | [✓ "), "{matrix}");
    assert!(fs::read_to_string(results.join("report.html")).unwrap().contains("<!DOCTYPE html>"));
}
