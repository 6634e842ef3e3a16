//! Ctrl-C while the files of an artifact are being written.
#![cfg(unix)]

mod common;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::raw::{RawLayout, with};
use common::{Mock, command, done};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// A folder of one file with 2 GiB of zeros: it takes long to unpack, and not to make, because gzip is written in pieces.
fn a_large_folder() -> Vec<u8> {
    const PIECE: usize = 16 << 20;
    const PIECES: usize = 128;
    let mut header = tar::Header::new_gnu();
    header.set_path("d/zeros").unwrap();
    header.set_size((PIECE * PIECES) as u64);
    header.set_mode(0o644);
    header.set_cksum();
    [gzip(header.as_bytes()), gzip(&vec![0; PIECE]).repeat(PIECES), gzip(&[0; 1024])].concat()
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Whether a file is being written below a temporary folder.
fn is_unpacking(folder: &Path) -> bool {
    names(folder).iter().any(|name| fs::metadata(folder.join(name).join("content/d/zeros")).is_ok())
}

#[test]
fn i43_a_folder_that_is_unpacked_when_ctrl_c_comes_is_not_there_afterwards() {
    let (mock, home) = (Mock::start(&[]), tempfile::tempdir().unwrap());
    let mut layout = RawLayout::new();
    let config = layout.blob("application/vnd.oci.empty.v1+json", b"{}");
    let annotations = json!({"org.opencontainers.image.title": "d", "io.deis.oras.content.unpack": "true"});
    let folder = with(&layout.blob("application/x-folder", &a_large_folder()), "annotations", annotations);
    let artifact = json!({"schemaVersion": 2, "artifactType": "a/b", "config": config, "layers": [folder]});
    let artifact = layout.json("application/vnd.oci.image.manifest.v1+json", &artifact);
    layout.tag(&artifact, "v1");
    let reference = mock.reference("large:v1");
    done(&["push", layout.path(), &reference, "--progress", "none"]);

    for signal in ["INT", "TERM"] {
        let out = home.path().join("out");
        let mut pull = command(&["pull", &reference, "--files", out.to_str().unwrap(), "--progress", "none"]);
        let pull = pull.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while !is_unpacking(home.path()) {
            assert!(begun.elapsed() < Duration::from_secs(120), "it never began to unpack");
            std::thread::yield_now();
        }
        let kill = Command::new("kill").args(["-s", signal, &pull.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let output = pull.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(if signal == "INT" { 130 } else { 143 }), "{said}");
        assert_eq!(said, "error: stopped; nothing is left of it\n");
        assert!(names(home.path()).is_empty(), "{:?}", names(home.path()));
    }
}
