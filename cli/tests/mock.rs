//! `longshore mock`: its first line, its log, its folder and its end.

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use common::{Layout, Mock, done, json_lines};
use longshore_mock_registry::profile::NAMES;

#[test]
fn every_request_is_a_line_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mock, layout) = (Mock::start(&["--log", path.to_str().unwrap()]), Layout::two_platforms());
    let out = done(&["push", layout.path(), &mock.reference("a:v1"), "--json"]);
    let receipt: serde_json::Value = serde_json::from_str(&out).unwrap();
    let lines = json_lines(&path);
    assert_eq!(receipt["requests"], lines.len());
    assert!(lines.iter().any(|line| line["row"] == "end-7a" && line["path"] == "/v2/a/manifests/v1"));
}

#[cfg(unix)]
#[test]
fn a_folder_survives_a_restart_and_signals_end_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data-dir", folder.path().to_str().unwrap()];
    let layout = Layout::two_platforms();
    let mock = Mock::start(&arguments);
    done(&["push", layout.path(), &mock.reference("a:v1")]);
    assert_eq!(mock.stop("TERM"), Some(0));
    let mock = Mock::start(&arguments);
    assert_eq!(mock.status("/v2/a/manifests/v1"), 200);
    let again = done(&["push", layout.path(), &mock.reference("a:v1")]);
    assert!(again.contains(" in 3 requests,"), "{again}");
    assert_eq!(mock.stop("INT"), Some(0));
}

#[cfg(unix)]
#[test]
fn a_fault_strikes_and_the_judge_reports_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (json, xml) = (folder.path().join("report.json"), folder.path().join("report.xml"));
    let layout = Layout::two_platforms();
    for report in [&json, &xml] {
        let report = report.to_str().unwrap();
        let mock = Mock::start(&["--judge", report, "--strict", "--seed", "7", "--fault", "end-6#1: answer-lost"]);
        done(&["push", layout.path(), &mock.reference("a:v1")]);
        assert_eq!(mock.stop("TERM"), Some(0));
    }
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!((&report["schema"], &report["kind"]), (&"longshore-report-1".into(), &"client".into()));
    assert_eq!(report["properties"]["faults"], "end-6#1: answer-lost");
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["status"] != "failed"), "{report}");
    assert!(std::fs::read_to_string(&xml).unwrap().contains("<testsuite name=\"judge\""));
}

#[cfg(unix)]
#[test]
fn a_client_that_breaks_a_must_ends_a_strict_registry_with_one() {
    let mock = Mock::start(&["--strict"]);
    // A GET of a list whose last is no tag.
    assert_eq!(mock.status("/v2/a/tags/list?last=-"), 404);
    assert_eq!(mock.stop("TERM"), Some(1));
}

#[cfg(unix)]
#[test]
fn options_come_from_the_environment_too_and_faults_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults");
    std::fs::write(&faults, "# the second one\nGET#2: status 503\n").unwrap();
    let mut command = common::command(&["mock"]);
    command.env("LONGSHORE_MOCK_FAULTS", &faults).env("LONGSHORE_MOCK_LISTEN", "localhost:0");
    command.env("LONGSHORE_MOCK_STRICT", "1").env("LONGSHORE_MOCK_SET", "listing.empty=404\nmount.policy=never");
    let mock = Mock::spawn(command);
    assert_eq!([mock.status("/v2/"), mock.status("/v2/"), mock.status("/v2/")], [200, 503, 200]);
    assert_eq!(mock.stop("TERM"), Some(0));
}

#[test]
fn what_is_no_fault_or_no_address_is_refused() {
    for (arguments, message) in [
        (["--fault", "PUTT: answer-lost"], "\"PUTT\" says nothing about requests; did you mean \"PUT\"?"),
        (["--fault", "end5: twice"], "did you mean \"end-5\"?"),
        (["--fault", ""], "there is no rule"),
        (["--set", "start.chunk-min=5"], "start.chunk-min: it is a table: write { bytes = …, announced = … }"),
        (["--set", "limits.page=-1"], "limits.page: -1 is not a whole number, 0 or more"),
        (["--set", "auth.open-base=maybe"], "auth.open-base: \"maybe\" is not true or false"),
        (["--profile", "ECRR"], "there is no profile \"ECRR\"; did you mean ecr?"),
        (["--listen", "5000"], "write 127.0.0.1:5000, localhost:0"),
        (["--max-blob", "1GiB"], "a size is a number of bytes"),
    ] {
        let said = common::refused(2, &[&["mock"], &arguments[..]].concat());
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
    let mut misspelt = common::command(&["mock", "--listen", "nowhere"]);
    misspelt.env("LONGSHORE_MOCK_LISTN", ":0");
    let said = misspelt.output().unwrap();
    assert!(String::from_utf8_lossy(&said.stderr).contains("warning: LONGSHORE_MOCK_LISTN is no option"), "{said:?}");
    let said = common::run(&["mock", "--fault", "PATCH#2: answer-last"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("did you mean \"answer-lost\""), "{said:?}");
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults");
    std::fs::write(&faults, "# a comment\nGET#1: status 503\nPATCH#2: answer-last\n").unwrap();
    let said = common::refused(2, &["mock", "--faults", faults.to_str().unwrap()]);
    assert!(said.contains("faults:3: there is no fault \"answer-last\""), "{said}");
    let report = folder.path().join("not/there.json");
    let said = common::refused(1, &["mock", "--judge", report.to_str().unwrap()]);
    assert!(said.contains("cannot write the report"), "{said}");
    let said = common::refused(2, &["mock", "--listen", "127.0.0.1"]);
    assert!(said.contains("cannot listen on"), "{said}");
}

/// Between the tests of one suite any registry can be played, also one with a storage of its own.
#[test]
fn the_control_address_sets_any_profile() {
    let mut command = common::command(&["mock", "--control", "127.0.0.1:0"]);
    let mut mock = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(mock.stdout.take().unwrap()).lines().skip(1);
    let line = lines.next().unwrap().unwrap();
    let (url, token) = line.split_once(' ').unwrap();
    let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let refused: Vec<String> = NAMES.iter().filter_map(|name| set_profile(address, token, name).err()).collect();
    mock.kill().unwrap();
    mock.wait().unwrap();
    assert_eq!(refused, [""; 0]);
}

/// Sets a profile at a control address; the answer where it is refused.
fn set_profile(address: &str, token: &str, name: &str) -> Result<(), String> {
    let body = format!(r#"{{"profile":"{name}"}}"#);
    let head = format!(
        "Host: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "PUT /profile HTTP/1.1\r\n{head}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    if answer.starts_with("HTTP/1.1 200 ") { Ok(()) } else { Err(format!("{name}: {answer}")) }
}
