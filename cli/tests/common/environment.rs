//! Tests of what a process's environment changes. A process has one environment, so each test runs itself again, in another
//! process with the variables. The drivers' tests include this file too.

use std::process::Command;

use longshore_core::content::Platform;
use longshore_core::{FailureKind, Pushed, Reference, Scheme};
use longshore_sources::image::ImageError;
use longshore_sources::layout::Closure;
use longshore_sources::{Source, pack};

/// Set in the process that a test runs itself in.
const AGAIN: &str = "LONGSHORE_TEST_AGAIN";

/// Whether this is the process with these variables. If not, runs the test in such a process, and checks its result and output.
pub(crate) fn is_again(test: &str, variables: &[(&str, &str)]) -> bool {
    if std::env::var_os(AGAIN).is_some() {
        return true;
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", test, "--nocapture"]).env_clear().env(AGAIN, "1").envs(variables.iter().copied());
    let output = again.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert!(!said.contains("CANARY"), "I29: {said}");
    false
}

/// A reference whose host only the proxy can resolve.
pub(crate) fn reference(scheme: Scheme) -> Reference {
    let mut reference: Reference = "registry.invalid/a:v1".parse().unwrap();
    reference.registry = reference.registry.with_scheme(scheme);
    reference
}

/// An image with one layer of 100,000 bytes.
pub(crate) fn image() -> Closure {
    let layer = pack::Layer::new().with_file("file", Source::bytes(vec![7; 100_000]), 0o644);
    let layer = layer.in_memory(pack::Compression::None).unwrap();
    pack::image(&Platform::new("linux", "amd64", None), &[layer], &[]).unwrap()
}

/// Prints the result of a push, as a careless program would, and returns how many blobs were uploaded.
pub(crate) fn shown(pushed: Result<Pushed, ImageError>) -> Result<u64, FailureKind> {
    println!("{pushed:?}");
    match pushed {
        Ok(pushed) => Ok(pushed.uploaded),
        Err(ImageError::Failed(failure)) => {
            println!("{failure}");
            Err(failure.kind)
        }
        Err(other) => panic!("{other}"),
    }
}
