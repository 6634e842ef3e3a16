//! `longshore push`: what it does, prints and writes.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::{Layout, Mock, done, json_lines, refused, run};
use longshore_core::Manifest;

#[test]
fn a_push_ends_with_digest_and_cost() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    let reference = mock.reference("a/b:v1");
    let output = run(&["push", layout.path(), &reference]);
    assert!(output.status.success(), "{output:?}");
    let (printed, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], layout.digest().to_string());
    assert!(lines[1].starts_with(&format!("pushed {reference} in ")), "{printed}");
    assert!(lines[1].ends_with("blobs: 5 sent") && lines.len() == 2, "{printed}");
    assert_eq!(said.lines().filter(|line| line.starts_with("blob ")).count(), 5, "{said}");
    assert_eq!(mock.status(&format!("/v2/a/b/manifests/{}", layout.digest())), 200);

    let again = done(&["push", layout.path(), &reference]);
    assert!(
        again.contains(" in 3 requests, 0 B sent; blobs: 5 there already (not asked about; --recheck asks)"),
        "{again}"
    );
}

#[test]
fn tags_are_those_that_were_said() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    done(&["push", layout.path(), &mock.reference("a:v1"), "--tag", "v2", "--tag", "v3"]);
    done(&["push", layout.path(), &mock.reference("b")]);
    done(&["push", layout.path(), &mock.reference(&format!("c@{}", layout.digest()))]);
    let tags = |repository: &str, tags: &[&str]| {
        tags.iter().map(|tag| mock.status(&format!("/v2/{repository}/manifests/{tag}"))).collect::<Vec<_>>()
    };
    assert_eq!(tags("a", &["v1", "v2", "v3", "latest"]), [200, 200, 200, 404]);
    assert_eq!(tags("b", &["latest"]), [200]);
    assert_eq!(tags("c", &["latest", &layout.digest().to_string()]), [404, 200]);
    let other = format!("sha256:{}", "0".repeat(64));
    let said = refused(1, &["push", layout.path(), &mock.reference(&format!("d@{other}"))]);
    assert!(said.contains(&format!("not {other}")), "{said}");
}

#[test]
fn a_platform_is_pushed_alone() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    let image = &layout.closure.manifests[1];
    let out = done(&["push", layout.path(), &mock.reference("a:v1"), "--platform", "linux/arm64"]);
    assert!(out.starts_with(&image.digest().to_string()), "{out}");
    let named = format!("{}:v1", layout.path());
    assert!(done(&["push", &named, &mock.reference("b")]).starts_with(&layout.digest().to_string()));
    let by_digest = format!("{}@{}", layout.path(), image.digest());
    assert!(done(&["push", &by_digest, &mock.reference("c")]).starts_with(&image.digest().to_string()));
}

#[test]
fn a_trace_has_a_line_for_each_exchange() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    let trace = path.to_str().unwrap();
    let out = done(&["push", layout.path(), &mock.reference("a:v1"), "--trace", trace, "--json"]);
    let receipt: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&receipt["digest"], &receipt["tags"][0]), (&layout.digest().to_string().into(), &"v1".into()));
    assert_eq!(receipt["blobs"], serde_json::json!({"uploaded": 5, "mounted": 0, "existing": 0}));
    let lines = json_lines(&path);
    assert_eq!(receipt["requests"], lines.len());
    let sent: u64 = lines.iter().map(|line| line["sent"].as_u64().unwrap()).sum();
    assert_eq!(receipt["bytes"], sent);
    let url = format!("http://{}/v2/a/", mock.authority);
    for line in &lines {
        assert!(line["url"].as_str().unwrap().starts_with(&url), "{line}");
        assert!(line["time"].as_f64().unwrap() > 1.7e9 && line["seconds"].as_f64().is_some(), "{line}");
        assert_eq!(line["attempt"], 1, "{line}");
        assert!(matches!(line["status"].as_u64().unwrap(), 200..=202 | 404), "{line}");
    }
    let rows: BTreeSet<&str> = lines.iter().map(|line| line["row"].as_str().unwrap()).collect();
    assert!(rows.is_superset(&BTreeSet::from(["end-3", "end-7a"])), "{rows:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "I32: for its owner only");
    }
}

#[test]
fn progress_is_shown_as_asked() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    let said = |style: &str| {
        let output = run(&["push", layout.path(), &mock.reference(&format!("{style}:v1")), "--progress", style]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(said("none"), "");
    assert!(said("plain").lines().any(|line| line.starts_with("tag ") && line.ends_with("v1")));
    assert!(said("bar").lines().any(|line| line.starts_with("tag ") && line.ends_with("v1")));
    let events: Vec<serde_json::Value> = said("json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stored = events.iter().filter(|event| event["event"] == "blob-stored" && event["how"] == "uploaded");
    assert_eq!(stored.count(), 5);
    let done = events.iter().filter(|event| event["event"] == "progress").map(|event| event["done"].as_u64().unwrap());
    let done: Vec<u64> = done.collect();
    let layers = layout.closure.blobs.iter().map(|blob| blob.descriptor.size).sum();
    assert!(done.is_sorted() && done.last() == Some(&layers), "{done:?}");
}

#[test]
fn a_trusted_layout_is_not_hashed_here_and_still_not_taken_by_the_registry() {
    let (mock, layout) = (Mock::start(&[]), Layout::two_platforms());
    layout.damage(&layout.layer());
    let ours = refused(1, &["push", layout.path(), &mock.reference("a:v1"), "--progress", "none"]);
    assert!(ours.contains("the blob is damaged"), "{ours}");
    let theirs = refused(1, &["push", layout.path(), &mock.reference("a:v1"), "--no-verify", "--progress", "none"]);
    assert!(theirs.contains("DIGEST_INVALID"), "{theirs}");
    let manifests = layout.closure.manifests.iter().map(Manifest::digest).map(|digest| digest.to_string());
    for name in manifests.chain(["v1".to_owned()]) {
        assert_eq!(mock.status(&format!("/v2/a/manifests/{name}")), 404, "{name}");
    }
}
