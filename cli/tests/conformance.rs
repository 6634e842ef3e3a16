//! `longshore conformance`: the suite over HTTP.

mod common;

use std::fs;

use common::{HTPASSWD, Mock, command, done, refused, run, run_with_input};
use longshore_mock_registry::report::{CheckStatus, Report};

/// A run of everything against the mock registry, as JSON.
fn report(output: &std::process::Output) -> Report {
    Report::from_json(std::str::from_utf8(&output.stdout).unwrap()).unwrap()
}

fn failures(report: &Report) -> Vec<String> {
    let failures = report.checks.iter().filter(|check| check.status.is_failure());
    failures.map(|check| format!("{}: {:?} {:?}", check.id, check.reason, check.evidence)).collect()
}

#[test]
fn the_mock_registry_conforms_over_http_and_is_left_as_it_was() {
    let mock = Mock::start(&[]);
    let output = run(&["conformance", &format!("http://{}", mock.authority), "--json", "--spec", "1.2"]);
    let report = report(&output);
    assert!(failures(&report).is_empty(), "{:?}", failures(&report));
    assert!(output.status.success(), "{output:?}");
    assert!(report.started.is_some() && report.checks.len() > 50);
    assert_eq!(report.properties.get("left"), None);
}

#[test]
fn with_users_behind_tls_it_conforms_too() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, users) = (folder.path().join("ca.pem"), folder.path().join("users"));
    fs::write(&users, HTPASSWD).unwrap();
    let mock = Mock::start(&["--tls", "--tls-ca", ca.to_str().unwrap(), "--auth", users.to_str().unwrap()]);
    let reference = mock.reference("team/app");
    let ca = ca.to_str().unwrap();
    let login = ["--username", "alice", "--password-stdin", "--filter", "push-blob", "--json"];
    let mut conformance = command(&["conformance", &reference, "--ca", ca]);
    conformance.args(login);
    let output = run_with_input(conformance, "wonderland");
    let report = report(&output);
    assert!(failures(&report).is_empty(), "{:?}", failures(&report));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("wonderland"));
}

#[test]
fn a_table_files_and_known_failures() {
    let mock = Mock::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known.toml");
    fs::write(&known, "[known-failures]\npull-blob-get = \"a test\"\n").unwrap();
    let results = folder.path().join("results");
    let table = done(&[
        "conformance",
        &mock.authority,
        "--filter",
        "pull-blob",
        "--known-failures",
        known.to_str().unwrap(),
        "--output",
        results.to_str().unwrap(),
    ]);
    assert!(table.contains("Pulling blobs") && table.contains("conforms, as far as was asked"), "{table}");
    assert!(table.contains("passed though it was known to fail MUST pull-blob-get: a test"), "{table}");
    let report = Report::from_json(&fs::read_to_string(results.join("results.json")).unwrap()).unwrap();
    assert_eq!(report.checks[0].status, CheckStatus::UnexpectedPass);
    assert!(fs::read_to_string(results.join("report.html")).unwrap().starts_with("<!DOCTYPE html>"));
    assert!(fs::read_to_string(results.join("junit.xml")).unwrap().contains("<testsuites"));
}

#[test]
fn what_is_checked_can_be_listed_without_a_registry() {
    let list = done(&["conformance", "--list", "--level", "must", "--filter", "pull-manifest-base"]);
    assert_eq!(list, "pull-manifest-base                           MUST    end-1   GET of /v2/ answers 200\n");
}

#[test]
fn misuse_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known.toml");
    fs::write(&known, "[known-failures]\nno-such = \"a test\"\n").unwrap();
    let known = known.to_str().unwrap();
    let said = refused(2, &["conformance", "localhost:1", "--known-failures", known]);
    assert!(said.contains("there is no requirement no-such"), "{said}");
    assert!(!run(&["conformance"]).status.success());
    assert!(!run(&["conformance", "ftp://localhost"]).status.success());
}

#[test]
fn a_registry_that_is_not_there_is_not_judged() {
    for command in ["conformance", "probe"] {
        let said = refused(1, &[command, "localhost:1"]);
        assert!(said.contains("localhost:1 cannot be asked: "), "{said}");
    }
}

#[test]
fn a_registry_without_the_tls_that_is_asked_for_is_not_judged() {
    let mock = Mock::start(&[]);
    let said = refused(1, &["conformance", &format!("https://{}", mock.authority)]);
    assert!(said.contains(&format!("{} cannot be asked: ", mock.authority)), "{said}");
}

#[test]
fn a_registry_that_lets_nobody_in_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    fs::write(&users, HTPASSWD).unwrap();
    for scheme in ["bearer", "basic"] {
        let mock = Mock::start(&["--auth", users.to_str().unwrap(), "--auth-scheme", scheme]);
        for name in ["conformance", "probe"] {
            let said = refused(1, &[name, &mock.authority]);
            assert!(said.contains("asks for credentials for longshore/conformance (401): use --username"), "{said}");
            let output =
                run_with_input(command(&[name, &mock.authority, "--username", "alice", "--password-stdin"]), "no");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                said.contains("refuses the credentials for longshore/conformance (401): check the user name"),
                "{said}"
            );
            assert_eq!(output.status.code(), Some(1), "{said}");
        }
    }
}

#[test]
fn a_filter_that_nothing_has_in_its_id_is_misuse() {
    let said = refused(2, &["conformance", "localhost:1", "--filter", "no-such-thing"]);
    assert!(said.contains("no requirement is selected"), "{said}");
}

#[test]
fn what_a_registry_does_is_a_profile_that_the_mock_plays() {
    let mock = Mock::start(&["--profile", "zot"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ours.toml");
    done(&["probe", &mock.authority, "--output", file.to_str().unwrap(), "--title", "Ours"]);
    let profile = fs::read_to_string(&file).unwrap();
    assert!(
        profile.starts_with("title = \"Ours\"\n") && profile.contains("set.start.single-post = \"strict\""),
        "{profile}"
    );
    let played = Mock::start(&["--profile", file.to_str().unwrap()]);
    let again = done(&["probe", &played.authority, "--title", "Ours"]);
    let set = |text: &str| text.lines().filter(|line| line.starts_with("set.")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(set(&profile), set(&again));
    let unobserved = done(&["probe", "--unobserved"]);
    assert!(unobserved.contains("chunks.max"), "{unobserved}");
    refused(1, &["probe", "localhost:1"]);
}
