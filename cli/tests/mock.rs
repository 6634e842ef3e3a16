//! `longshore mock`: its first line, its log, its folder and its end.

mod common;

use common::{Layout, Mock, done, json_lines};

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
    assert!(again.contains(" in 1 request,"), "{again}");
    assert_eq!(mock.stop("INT"), Some(0));
}
