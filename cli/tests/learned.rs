//! `longshore push --learned`: what the probe found out is not tried out again.

mod common;

use std::fs;
use std::path::Path;

use common::{Layout, Mock, command, done, json_lines, refused, run_with_bytes};
use serde_json::Value;
use tempfile::TempDir;

/// What was asked, what was answered, and how many bytes went there.
#[derive(Debug)]
struct Exchange {
    method: String,
    url: String,
    status: u64,
    sent: u64,
}

fn exchanges(trace: &Path) -> Vec<Exchange> {
    let of = |line: &Value| {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| line[key].as_u64().unwrap_or_default();
        Exchange { method: text("method"), url: text("url"), status: number("status"), sent: number("sent") }
    };
    json_lines(trace).iter().map(of).collect()
}

fn sent(exchanges: &[Exchange]) -> u64 {
    exchanges.iter().map(|exchange| exchange.sent).sum()
}

/// Probes a registry, and pushes an image of several layers to it twice: without what was learned, and with it.
fn pushes(profile: &[&str], more: &[&str]) -> (Vec<Exchange>, Vec<Exchange>) {
    let (mock, folder) = (Mock::start(profile), TempDir::new().unwrap());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (learned, trace, layout) = (path("learned.toml"), path("trace"), Layout::two_platforms());
    done(&["probe", &mock.reference("probe/one"), "--output", &learned]);
    let push = |name: &str, extra: &[&str]| {
        let reference = mock.reference(name);
        let arguments = ["push", layout.path(), &reference, "--progress", "none", "--jobs", "1", "--trace", &trace];
        done(&[&arguments[..], extra, more].concat());
        exchanges(Path::new(&trace))
    };
    let cold = push("cold/one:v1", &[]);
    let told = push("told/one:v1", &["--learned", &learned]);
    assert_eq!(mock.status("/v2/told/one/manifests/v1"), 200);
    (cold, told)
}

#[test]
fn a_single_post_is_not_tried_where_it_is_ignored() {
    let (cold, told) = pushes(&["--profile", "distribution-3"], &[]);
    let posts = |all: &[Exchange]| all.iter().filter(|it| it.method == "POST" && it.url.contains("digest=")).count();
    assert_eq!((posts(&cold), posts(&told)), (1, 0), "{told:?}");
    assert!(sent(&told) < sent(&cold), "{} bytes sent, and {} without", sent(&told), sent(&cold));
    assert!(told.len() <= cold.len(), "{} requests, and {} without", told.len(), cold.len());
}

#[test]
fn tags_are_set_at_once_where_that_is_known_to_be_taken_and_one_by_one_where_it_is_not() {
    let tags = ["--tag", "a", "--tag", "b", "--tag", "c"];
    let puts =
        |told: &[Exchange]| told.iter().filter(|it| it.method == "PUT" && it.url.contains("/manifests/")).count();
    let (_, told) = pushes(&[], &tags);
    let with_tags = told.iter().filter(|it| it.url.contains("tag=a") && it.url.contains("tag=c")).count();
    assert_eq!((puts(&told), with_tags), (3, 1), "two images, and the index under all tags: {told:?}");
    let (_, told) = pushes(&["--set", "manifests.tag-parameters=false"], &tags);
    assert!(told.iter().all(|it| !it.url.contains("tag=")), "{told:?}");
}

#[test]
fn nothing_that_is_asked_with_it_is_refused() {
    for profile in ["spec", "distribution-2.8", "zot", "quay", "gitea", "cloudflare", "ecr"] {
        let (cold, told) = pushes(&["--profile", profile], &["--tag", "other"]);
        assert!(told.len() <= cold.len(), "{profile}: {} requests, and {} without", told.len(), cold.len());
        let is_wasted = |it: &&Exchange| {
            let is_question = matches!(it.method.as_str(), "GET" | "HEAD");
            let is_ignored = it.method == "POST" && it.url.contains("digest=") && it.status == 202;
            is_ignored || !is_question && it.status >= 400
        };
        let wasted: Vec<_> = told.iter().filter(is_wasted).collect();
        assert!(wasted.is_empty(), "{profile}: {wasted:?}");
    }
}

#[test]
fn what_is_piped_is_sent_with_it_too() {
    let (mock, folder) = (Mock::start(&["--profile", "distribution-3"]), TempDir::new().unwrap());
    let learned = folder.path().join("learned.toml");
    let learned = learned.to_str().unwrap();
    done(&["probe", &mock.reference("probe/one"), "--output", learned]);
    let reference = mock.reference("pipe:v1");
    let push = command(&["push", "--stdin-layer", "text/plain", &reference, "--learned", learned]);
    assert!(run_with_bytes(push, b"hello").status.success());
}

#[test]
fn what_is_not_known_in_it_is_an_error_that_names_the_line() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ours.toml");
    let layout = Layout::two_platforms();
    let push = |text: &str| {
        fs::write(&path, text).unwrap();
        refused(2, &["push", layout.path(), "localhost:1/a:v1", "--learned", path.to_str().unwrap()])
    };
    let quirk = "[[quirk]]\nid = \"mount-always-202\"\nevidence = \"wire-trace\"\nsource = \"here\"\n";
    let said = push(&format!("title = \"x\"\n{quirk}set.mount.polizy = \"never\"\n"));
    assert!(said.contains("ours.toml:6: ") && said.contains("mount.polizy"), "{said}");
    let said = push("title = \"x\"\nlearnt = true\n");
    assert!(said.contains("ours.toml:2") && said.contains("learnt"), "{said}");
    let said = push("no TOML");
    assert!(said.contains("ours.toml:1"), "{said}");
    let gone = refused(2, &["push", layout.path(), "localhost:1/a:v1", "--learned", "/not/there.toml"]);
    assert!(gone.starts_with("cannot read /not/there.toml: "), "{gone}");
}
