//! `longshore push --stdin-layer`: a layer that comes through a pipe.

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use common::{HTPASSWD, Mock, command, json_lines, refused, run_with_input, sentence};
use longshore_core::{Algorithm, Digest, Manifest};
use serde_json::Value;

const TYPE: &str = "application/vnd.example.backup";

fn push(reference: &str, arguments: &[&str]) -> Command {
    command(&[&["push", "--stdin-layer", TYPE, reference, "--progress", "none"], arguments].concat())
}

/// Starts it with a pipe that stays open.
fn start(mut command: Command) -> (Child, ChildStdin) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let input = child.stdin.take().unwrap();
    (child, input)
}

fn pushed(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn manifest(mock: &Mock, name: &str) -> Manifest {
    let bytes = mock.get(&format!("/v2/a/manifests/{name}"));
    Manifest::parse(bytes).unwrap()
}

#[test]
fn what_comes_through_the_pipe_is_the_one_layer_of_an_artifact() {
    let mock = Mock::start(&[]);
    let large = "0123456789".repeat(3_000_000);
    for (input, arguments) in [("small", &[][..]), (&large, &[]), (&large, &["--chunk-size", "4M"])] {
        let arguments = [&["--json", "--tag", "v2"], arguments].concat();
        let receipt = pushed(&run_with_input(push(&mock.reference("a:v1"), &arguments), input));
        assert_eq!(receipt["tags"], serde_json::json!(["v1", "v2"]));
        let manifest = manifest(&mock, "v2");
        assert_eq!(receipt["digest"], manifest.digest().to_string());
        assert_eq!(manifest.artifact_type(), Some(TYPE));
        let layer = manifest.blobs().nth(1).unwrap();
        assert_eq!((layer.media_type.as_str(), layer.size), (TYPE, input.len() as u64));
        assert_eq!(layer.digest, Digest::of(Algorithm::Sha256, input.as_bytes()));
        assert_eq!(mock.status(&format!("/v2/a/blobs/{}", layer.digest)), 200);
    }
    let typed = push(&mock.reference("a"), &["--artifact-type", "application/vnd.example.database"]);
    let output = run_with_input(typed, "rows");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("pushed {} in ", mock.reference("a:latest"))), "{said}");
    assert_eq!(manifest(&mock, "latest").artifact_type(), Some("application/vnd.example.database"));
}

#[test]
fn the_progress_of_a_stream_has_no_total_before_its_end() {
    let (mock, input) = (Mock::start(&[]), "0123456789".repeat(2_000_000));
    let push = command(&["push", "--stdin-layer", TYPE, &mock.reference("a:v1"), "--progress", "json"]);
    let output = run_with_input(push, &input);
    assert!(output.status.success(), "{output:?}");
    let events = String::from_utf8(output.stderr).unwrap();
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let totals: Vec<&Value> =
        events.iter().filter(|event| event["event"] == "progress").map(|event| &event["total"]).collect();
    assert!(totals.contains(&&Value::Null), "{totals:?}");
    // The layer, and the artifact's empty config.
    assert_eq!(totals.last().unwrap().as_u64(), Some(input.len() as u64 + 2), "{totals:?}");
}

#[test]
fn nothing_through_the_pipe_is_a_failure_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mock = Mock::start(&["--log", log.to_str().unwrap()]);
    let said = sentence(1, &run_with_input(push(&mock.reference("a:v1"), &[]), ""));
    assert!(
        said.starts_with("blob from standard input: ") && said.ends_with("there is nothing on standard input"),
        "{said}"
    );
    assert_eq!(mock.status("/v2/a/manifests/v1"), 404);
    let lines = json_lines(&log);
    let begun = |line: &&Value| line["row"] == "end-4a" && line["status"] == 202;
    let cancelled = |line: &&Value| line["row"] == "end-14";
    assert_eq!(lines.iter().filter(begun).count(), lines.iter().filter(cancelled).count(), "{lines:?}");
}

#[test]
fn a_refusal_waits_for_nobody_who_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    fs::write(&users, HTPASSWD).unwrap();
    let mock = Mock::start(&["--auth", users.to_str().unwrap()]);
    let (child, input) = start(push(&mock.reference("a:v1"), &["--anonymous"]));
    let said = sentence(1, &child.wait_with_output().unwrap());
    assert!(said.contains("401"), "{said}");
    drop(input);
}

/// The program before the pipe goes on for ever: what ends it is that nobody reads any more.
#[cfg(unix)]
#[test]
fn a_failure_half_way_ends_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::full_disk(folder.path());
    let (child, mut input) = start(push(&mock.reference("a:v1"), &[]));
    let error = loop {
        if let Err(error) = input.write_all(&[7; 64 * 1024]) {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    let said = sentence(1, &child.wait_with_output().unwrap());
    assert!(said.starts_with("blob from standard input: "), "{said}");
    assert_eq!(mock.status("/v2/a/manifests/v1"), 404);
}

#[cfg(unix)]
#[test]
fn a_signal_stops_it_while_nothing_comes_and_cancels_what_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mock = Mock::start(&["--log", log.to_str().unwrap()]);
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let reference = mock.reference(&format!("{}:v1", signal.to_lowercase()));
        let (mut child, _input) = start(command(&["push", "--stdin-layer", TYPE, &reference, "--progress", "json"]));
        // The config is stored: it is under way.
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().contains("blob-stored")));
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let last = said.last().unwrap().unwrap();
        assert_eq!(last, "error: stopped; the uploads that were open are cancelled");
        assert_eq!(child.wait().unwrap().code(), Some(status));
    }
    let lines = json_lines(&log);
    let begun = |line: &&Value| line["row"] == "end-4a" && line["status"] == 202;
    let cancelled = |line: &&Value| line["row"] == "end-14";
    assert_eq!(lines.iter().filter(begun).count(), lines.iter().filter(cancelled).count(), "{lines:?}");
}

#[test]
fn options_that_make_no_sense_with_it_are_refused() {
    let place = "localhost:1/a";
    for option in [
        &["--resume", "file"][..],
        &["--platform", "linux/amd64"],
        &["--mount-from", "b"],
        &["--no-verify"],
        &["--registry-token-stdin"],
        &["--username", "u", "--password-stdin"],
    ] {
        let said = refused(2, &[&["push", "--stdin-layer", TYPE, place], option].concat());
        assert!(said.contains("cannot be used with"), "{option:?}: {said}");
    }
    let digest = format!("{place}@sha256:{}", "0".repeat(64));
    let said = refused(2, &["push", "--stdin-layer", TYPE, &digest]);
    assert!(said.contains("is not known before"), "{said}");
    let layout = common::Layout::of_file(vec![1]);
    for (arguments, expected) in [
        (&["push", layout.path(), place, "--artifact-type", "a/b"][..], "required arguments were not provided"),
        (&["push", layout.path(), place, "--stdin-layer", TYPE], "takes the place of SOURCE"),
        (&["push", "--stdin-layer", TYPE, "localhost:1/UPPER"], "a repository name is in lower case"),
        (&["push", place], "required arguments were not provided"),
    ] {
        let said = refused(2, arguments);
        assert!(said.contains(expected), "{said}");
    }
}

/// `<(...)` and `/dev/stdin` lead to a pipe, whose length is not known.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_file_of_an_artifact() {
    for arguments in [["artifact", "localhost:1/a"], ["attach", "localhost:1/a:v1"]] {
        let pipe = command(&[&arguments[..], &["/dev/stdin", "--artifact-type", "a/b"]].concat());
        let said = sentence(1, &run_with_input(pipe, "rows"));
        let expected = "/dev/stdin is not a file; `longshore push --stdin-layer` pushes what comes through a pipe";
        assert_eq!(said, expected);
    }
}
