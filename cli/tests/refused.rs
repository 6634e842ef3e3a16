//! Bad input and bad luck: one clear sentence, a status that says whose mistake it was, and no manifest left behind.

mod common;

use std::fs;
use std::net::TcpListener;

use common::{Layout, Mock, command, refused, run, sentence};

#[test]
fn misuse_has_status_2() {
    let layout = Layout::two_platforms();
    let push = |source: &str, rest: &[&str]| refused(2, &[&["push", source], rest].concat());
    let cases = [
        (push(layout.path(), &["localhost:5000/UPPER"]), "lower case"),
        (push(layout.path(), &["localhost:5000"]), "no repository"),
        (push(layout.path(), &["https://localhost:5000/a"]), "no scheme"),
        (push(layout.path(), &["localhost:5000/a:b:c"]), "tag"),
        (push(layout.path(), &["localhost:5000/a@sha256:00"]), "digest"),
        (push(layout.path(), &["localhost:5000/a", "--tag=-x"]), "tag"),
        (push(layout.path(), &["localhost:5000/a", "--platform", "linux"]), "os/architecture"),
        (push(layout.path(), &["localhost:5000/a", "--progress", "loud"]), "loud"),
        (push(layout.path(), &["localhost:5000/a", "--jobs", "0"]), "0"),
        (push(layout.path(), &["localhost:5000/a", "--plain-http", "--https"]), "cannot be used with"),
        (push(layout.path(), &[]), "required"),
        (push("", &["localhost:5000/a"]), "say what to push"),
        (push(&format!("{}@sha256:00", layout.path()), &["localhost:5000/a"]), "not a digest"),
        (refused(2, &["mock", "--listen", "nowhere"]), "nowhere"),
        (refused(2, &["rm", &format!("localhost:5000/a:v1@{}", layout.digest())]), "not both"),
        (refused(2, &["pusch"]), "pusch"),
    ];
    for (said, expected) in cases {
        assert!(said.contains(expected), "{said:?} does not say {expected:?}");
    }
}

#[test]
fn a_layout_that_cannot_be_read_has_status_1() {
    let push = |layout: &Layout| refused(1, &["push", layout.path(), "localhost:1/a"]);
    let gone = refused(1, &["push", "no/such/layout", "localhost:1/a"]);
    assert_eq!(gone, "there is no file or folder no/such/layout");

    let layout = Layout::two_platforms();
    fs::write(format!("{}/index.json", layout.path()), "{").unwrap();
    assert!(push(&layout).starts_with("index.json is malformed"));

    let layout = Layout::two_platforms();
    fs::write(layout.file_of(&layout.digest()), "{}").unwrap();
    assert!(push(&layout).contains("the layout is damaged"));

    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    assert!(refused(1, &["push", path, "localhost:1/a"]).contains("is not an OCI image layout"));
}

#[test]
fn a_refused_connection_has_status_1() {
    let layout = Layout::of_file(vec![1; 100]);
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = refused(1, &["push", layout.path(), &format!("{address}/a:v1"), "--progress", "none"]);
    assert!(said.contains(&format!("nothing listens at {address}")), "{said}");
}

#[test]
fn a_trace_that_cannot_be_written_has_status_1() {
    let layout = Layout::of_file(vec![1; 100]);
    let said = refused(1, &["push", layout.path(), "localhost:1/a", "--trace", "no/such/folder/trace"]);
    assert!(said.starts_with("cannot write the trace no/such/folder/trace: "), "{said}");
}

#[test]
fn a_port_in_use_has_status_1() {
    let mock = Mock::start(&[]);
    let said = refused(1, &["mock", "--listen", &mock.authority]);
    assert!(said.starts_with(&format!("cannot listen on {}: ", mock.authority)), "{said}");
}

#[test]
fn a_data_directory_that_is_something_else_has_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let said = refused(1, &["mock", "--data-dir", file.to_str().unwrap()]);
    assert!(said.starts_with(&format!("cannot use {} as data directory: ", file.display())), "{said}");
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_manifest_behind() {
    let (folder, layout) =
        (tempfile::tempdir().unwrap(), Layout::of_file((0..4_000_000_u32).map(|i| i as u8).collect()));
    let mock = Mock::full_disk(folder.path());
    let output = run(&["push", layout.path(), &mock.reference("a:v1"), "--progress", "none"]);
    let said = sentence(1, &output);
    assert!(said.contains(&layout.layer().to_string()), "{said}");
    assert_eq!(mock.status("/v2/a/manifests/v1"), 404);
    assert_eq!(mock.status(&format!("/v2/a/manifests/{}", layout.digest())), 404);
    assert_eq!(mock.status(&format!("/v2/a/blobs/{}", layout.layer())), 404);
}

#[test]
fn help_is_no_failure_and_goes_to_standard_output() {
    let output = command(&["push", "--help"]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
}

/// The registry takes the request and never answers.
#[cfg(unix)]
#[test]
fn a_signal_stops_a_push_in_good_order() {
    use std::process::Stdio;

    let (layout, listener) = (Layout::of_file(vec![1; 100]), TcpListener::bind("127.0.0.1:0").unwrap());
    let reference = format!("{}/a:v1", listener.local_addr().unwrap());
    let stopped = |options: &[&str]| {
        let mut push = command(&[&["push", layout.path(), &reference], options].concat());
        let child = push.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _connection = listener.accept().unwrap();
        let kill = format!("kill -INT {}", child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        sentence(130, &child.wait_with_output().unwrap())
    };
    assert_eq!(stopped(&[]), "stopped; the uploads that were open are cancelled");

    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint");
    let resume = checkpoint.to_str().unwrap();
    let said = stopped(&["--resume", resume]);
    assert_eq!(said, format!("stopped; to go on, push again with --resume {resume}"));
    assert!(checkpoint.exists());
}

/// One that never ends, too: it is not read for ever.
#[cfg(unix)]
#[test]
fn a_file_that_is_no_file_of_ours_has_status_1() {
    let layout = Layout::of_file(vec![1; 100]);
    for option in ["--resume", "--ca"] {
        let said = refused(1, &["push", layout.path(), "localhost:1/a", option, "/dev/zero"]);
        assert!(said.contains("cannot read /dev/zero: it has more than 16777216 bytes"), "{option}: {said}");
    }
    let said = refused(1, &["mock", "--auth", "/dev/zero"]);
    assert!(said.starts_with("cannot read /dev/zero: "), "{said}");
}
