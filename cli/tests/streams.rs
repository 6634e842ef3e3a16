//! Standard output and standard error that belong to somebody who has gone away, or are full.
#![cfg(unix)]

mod common;

use std::fs::OpenOptions;
use std::io::PipeWriter;

use common::{Layout, Mock, command, sentence};

/// The end of a pipe that nobody reads.
fn nobody() -> PipeWriter {
    std::io::pipe().unwrap().1
}

#[test]
fn a_push_needs_nobody_who_looks_on() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    for style in ["plain", "bar", "json"] {
        let reference = mock.reference(&format!("{style}:v1"));
        let arguments = ["push", layout.path(), &reference, "--progress", style];
        let status = command(&arguments).stdout(nobody()).stderr(nobody()).status().unwrap();
        assert_eq!(status.code(), Some(0), "{style}");
        assert_eq!(mock.status(&format!("/v2/{style}/manifests/v1")), 200);
        // What goes wrong is in the status still.
        let arguments = ["push", layout.path(), "localhost:1/a", "--trace", "no/such/folder/trace"];
        assert_eq!(command(&arguments).stderr(nobody()).status().unwrap().code(), Some(1));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let arguments = ["push", layout.path(), &mock.reference("a:v1")];
    let said = sentence(1, &command(&arguments).stdout(full()).output().unwrap());
    assert!(said.starts_with("cannot write to standard output: "), "{said}");
    assert!(command(&arguments).stderr(full()).status().unwrap().success());
    let said = sentence(1, &command(&arguments).args(["--trace", "/dev/full"]).output().unwrap());
    assert!(said.starts_with("cannot write the trace /dev/full: "), "{said}");
}
