//! The examples in other languages, each a client's test against `longshore mock`. Those whose language is not here are left
//! out, and say so.

use std::path::Path;
use std::process::Command;

/// Runs an example, if its interpreter is here.
fn example(interpreter: &str, file: &str) {
    if Command::new(interpreter).args(["-c", ""]).output().is_err() {
        eprintln!("SKIPPED: {file}: {interpreter} is not installed");
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mock-registry/examples").join(file);
    let output = Command::new(interpreter).arg(path).arg(env!("CARGO_BIN_EXE_longshore")).output().unwrap();
    assert!(output.status.success(), "{file}: {output:?}");
}

#[test]
fn python() {
    example("python3", "push.py");
}

#[test]
fn javascript() {
    example("node", "push.mjs");
}

#[cfg(unix)]
#[test]
fn shell_with_curl() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("SKIPPED: push.sh: curl is not installed");
        return;
    }
    example("sh", "push.sh");
}

#[test]
fn go() {
    if Command::new("go").arg("version").output().is_err() {
        eprintln!("SKIPPED: push.go: go is not installed");
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mock-registry/examples/push.go");
    let output = Command::new("go").arg("run").arg(path).arg(env!("CARGO_BIN_EXE_longshore")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
