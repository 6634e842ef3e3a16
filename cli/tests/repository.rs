//! What is done with a repository beside pushing an image: mounts, chunks, artifacts, deletion, and going on after a stop.

mod common;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::script::{Script, answer};
use common::{Layout, Mock, command, done, json_lines, refused, run};
use longshore_core::{Algorithm, Digest};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn layers_are_mounted_from_where_they_are() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    done(&["push", layout.path(), &mock.reference("library/base:v1")]);
    let to = mock.reference("mine:v1");
    let out = done(&["push", layout.path(), &to, "--mount-from", "library/base", "--json"]);
    assert_eq!(json(&out)["blobs"], serde_json::json!({"uploaded": 0, "mounted": 5, "existing": 0}));
    assert!(refused(2, &["push", layout.path(), &to, "--mount-from", "UPPER"]).contains("lower case"));
}

#[test]
fn large_blobs_go_in_chunks_of_the_size_that_was_asked_for() {
    let (mock, layout) = (Mock::start(&[]), Layout::of_file(vec![3; 1 << 20]));
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let arguments = ["--chunk-size", "256K", "--trace", trace.to_str().unwrap()];
    done(&[&["push", layout.path(), &mock.reference("a:v1")], &arguments[..]].concat());
    let lines = json_lines(&trace);
    let chunks: Vec<u64> =
        lines.iter().filter(|line| line["row"] == "end-5").map(|line| line["sent"].as_u64().unwrap()).collect();
    assert!(chunks.len() >= 4 && chunks.iter().all(|sent| *sent <= 256 << 10), "{chunks:?}");
    assert_eq!(mock.status("/v2/a/manifests/v1"), 200);
}

#[test]
fn an_artifact_is_attached_listed_and_deleted() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    let subject = mock.reference("a:v1");
    done(&["push", layout.path(), &subject]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sbom.json");
    fs::write(&file, "{}").unwrap();
    let file = file.to_str().unwrap();
    let attach = |subject: &str, kind: &str| {
        let out = done(&["attach", subject, file, "--artifact-type", kind, "--annotation", "made=by hand", "--json"]);
        json(&out)["digest"].as_str().unwrap().to_owned()
    };
    let sbom = attach(&subject, "application/spdx+json");
    let signature = attach(&mock.reference(&format!("a@{sbom}")), "application/vnd.example.signature");
    let other = attach(&subject, "application/vnd.example.other");

    let tree = done(&["referrers", &subject]);
    let lines: Vec<&str> = tree.lines().collect();
    assert_eq!(lines[0], format!("{}@{}", mock.reference("a"), layout.digest()));
    let below = lines.iter().position(|line| line.contains(&sbom)).unwrap() + 1;
    assert!(lines[below].contains(&format!("└── application/vnd.example.signature  {signature}")), "{tree}");
    assert!(tree.contains(&other) && lines.len() == 4, "{tree}");
    let listed = json(&done(&["referrers", &subject, "--artifact-type", "application/spdx+json", "--json"]));
    assert_eq!(listed["referrers"].as_array().unwrap().len(), 1);
    assert_eq!(listed["referrers"][0]["annotations"]["made"], "by hand");
    assert_eq!(listed["referrers"][0]["referrers"][0]["digest"], signature.as_str());

    let gone = mock.reference(&format!("a@{other}"));
    assert_eq!(json(&done(&["rm", &gone, "--json"]))["deleted"], gone.as_str());
    assert!(!done(&["referrers", &subject]).contains(&other));
    assert_eq!(done(&["rm", &subject]), format!("deleted {subject}\n"));
    assert_eq!(mock.status("/v2/a/manifests/v1"), 404);
    assert_eq!(mock.status(&format!("/v2/a/manifests/{}", layout.digest())), 200, "the tag alone was deleted");
    assert!(refused(1, &["attach", &subject, file, "--artifact-type", "a/b"]).contains("404"));
    assert!(refused(1, &["rm", &subject]).contains("404"));
    assert!(refused(2, &["rm", &mock.reference("a")]).starts_with("say what to delete"));
}

/// A registry that deletes by digest alone: what else would go with it is for the user to decide.
#[test]
fn a_tag_that_cannot_be_deleted_alone_is_told_with_the_digest_that_it_names() {
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let digest = Digest::of(Algorithm::Sha256, index.as_bytes());
    for status in ["405 Method Not Allowed", "400 Bad Request"] {
        let deleted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&deleted);
        let registry = Script::answering(move |head| match head.split(' ').next().unwrap() {
            "DELETE" if head.contains("sha256:") => {
                counter.fetch_add(1, Ordering::SeqCst);
                answer("202 Accepted", "", "")
            }
            "DELETE" => answer(status, "", r#"{"errors":[{"code":"UNSUPPORTED","message":"by digest alone"}]}"#),
            _ => answer("200 OK", "Content-Type: application/vnd.oci.image.index.v1+json\r\n", index),
        });
        let said = refused(1, &["rm", &registry.reference("a:v1")]);
        let named = registry.reference(&format!("a@{digest}"));
        let advice = format!("`longshore rm {named}` deletes the manifest, with all its tags");
        assert!(said.contains("UNSUPPORTED") && said.ends_with(&advice), "{said}");
        assert_eq!(deleted.load(Ordering::SeqCst), 0, "not unless somebody says so");
        let output = run(&["rm", &named]);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("deleted {named}\n"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, format!("warning: the registry serves {named} still: to delete it may take a while there\n"));
        assert_eq!(deleted.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn a_check_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mock = Mock::start(&["--log", log.to_str().unwrap()]);
    let place = mock.reference("a/b");
    assert_eq!(done(&["check", &place]), format!("a push to {place} is allowed\n"));
    assert_eq!(json(&done(&["check", &place, "--json"])), serde_json::json!({"repository": place, "allowed": true}));
    let lines = json_lines(&log);
    let row = |row: &str| lines.iter().filter(|line| line["row"] == row).count();
    assert_eq!((row("end-4a"), row("end-14")), (2, 2), "each upload that was begun was cancelled");
}

/// The disk fills up in the middle of a push; when there is room again, the push goes on where it was.
#[cfg(unix)]
#[test]
fn a_push_goes_on_where_it_stopped() {
    let (data, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let layout = Layout::of_file((0..4_000_000_u32).map(|i| i as u8).collect());
    let full = Mock::full_disk(data.path());
    let checkpoint = here.path().join("checkpoint");
    let resume = checkpoint.to_str().unwrap();
    // The same port: a checkpoint is good for one registry.
    let reference = full.reference("a:v1");
    let push = ["push", layout.path(), &reference, "--progress", "none", "--resume", resume, "--json"];
    assert!(refused(1, &push).contains("507"));
    let saved = json(&fs::read_to_string(&checkpoint).unwrap());
    assert_eq!(saved["stored"].as_array().unwrap().len(), 1, "{saved}");
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&checkpoint).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let other = full.reference("b:v1");
    let said = refused(1, &["push", layout.path(), &other, "--resume", resume]);
    assert!(said.contains("not of this one"), "{said}");

    let address = full.authority.clone();
    assert_eq!(full.stop("TERM"), Some(0));
    let mut command = command(&["mock", "--listen", &address, "--data-dir"]);
    command.arg(data.path());
    let _roomy = Mock::spawn(command);
    let receipt = json(&done(&push));
    assert_eq!(receipt["blobs"], serde_json::json!({"uploaded": 1, "mounted": 0, "existing": 1}), "{receipt}");
    assert!(!checkpoint.exists(), "there is nothing left to go on with");
}
