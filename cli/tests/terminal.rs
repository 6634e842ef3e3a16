//! I30: what a registry, a token service or a layout says steers no terminal, whatever it is shown in.

mod common;

use std::fs;

use common::script::{Script, answer};
use common::{Layout, command};

/// Clears the screen, makes a link, rings, goes back to the beginning of the line; of Latin-1 and of one byte; turns the
/// direction of writing, and hides.
const HOSTILE: &str = "\u{1b}[2J \u{1b}]8;;http://evil.example\u{7} \r\u{8}\u{7f}\u{0} \u{9b}31m \u{202e}gnp.exe \u{2066} \u{200b} \u{feff} \u{ad}";

/// The same as it may stand in a header, and as it must stand in JSON.
const HEADER: &str = "\t\u{9b}31m \u{202e}gnp.exe \u{2066} \u{200b}";

fn hostile_json() -> String {
    serde_json::Value::from(HOSTILE).to_string()
}

/// Runs a command, whose output must be fit for a terminal; gives what it said.
fn run(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let mut command = command(arguments);
    command.args(["--trace", trace.to_str().unwrap()]).env("HOME", folder.path());
    let output = command.output().unwrap();
    let trace = fs::read(&trace).unwrap_or_default();
    for text in [&output.stdout, &output.stderr, &trace] {
        fit(arguments, std::str::from_utf8(text).unwrap());
    }
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

fn fit(arguments: &[&str], text: &str) {
    let steers = |character: &char| {
        character.is_control() && *character != '\n'
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
    };
    assert_eq!(text.chars().find(steers), None, "{arguments:?}: {text:?}");
}

#[test]
fn i30_what_a_registry_says_steers_no_terminal() {
    let layout = Layout::of_file(vec![7; 1000]);
    let hostile = hostile_json();
    let errors = format!(r#"{{"errors":[{{"code":{hostile},"message":{hostile},"detail":{{"x":{hostile}}}}}]}}"#);
    let headers = format!("Warning: 299 - \"{HEADER}\"\r\nX-Error: {HEADER}\r\n");
    let challenge = format!("{headers}WWW-Authenticate: Bearer realm=\"{HEADER}\",error=\"{HEADER}\"\r\n");
    let answers = [
        ("403 Forbidden", headers.clone(), errors.clone()),
        ("400 Bad Request", headers.clone(), HOSTILE.to_owned()),
        ("401 Unauthorized", challenge, errors),
        ("307 Temporary Redirect", format!("{headers}Location: http://evil.example/{HEADER}\r\n"), String::new()),
        ("202 Accepted", format!("{headers}Location: {HEADER}\r\nRange: {HEADER}\r\n"), String::new()),
        (
            "200 OK",
            format!("{headers}Content-Type: {HEADER}\r\nDocker-Content-Digest: {HEADER}\r\n"),
            HOSTILE.to_owned(),
        ),
    ];
    for (status, headers, body) in answers {
        let registry = Script::answering(move |_| answer(status, &headers, &body));
        let (tagged, layout) = (registry.reference("a:v1"), layout.path());
        let digest = registry.reference(&format!("a@sha256:{}", "0".repeat(64)));
        for arguments in [
            &["push", layout, &tagged][..],
            &["push", layout, &tagged, "--progress", "json", "--json"],
            &["push", layout, &tagged, "--progress", "bar"],
            &["attach", &tagged, file!(), "--artifact-type", "a/b"],
            &["artifact", &tagged, file!(), "--artifact-type", "a/b", "--subject", &tagged],
            &["pull", &tagged, "no-such-folder/layout"],
            &["pull", &digest, "--files", "no-such-folder/files"],
            &["referrers", &tagged],
            &["referrers", &digest],
            &["check", &tagged],
            &["rm", &tagged],
        ] {
            // Where all goes well and nothing fits, a push tries for a while.
            if status.starts_with('2') && arguments[0] == "push" && !arguments.contains(&"json") {
                continue;
            }
            let said = run(arguments);
            assert!(said.contains("error: "), "{status} {arguments:?}: {said}");
        }
    }
}

#[test]
fn i30_what_refers_to_an_image_steers_no_terminal() {
    let (hostile, digest) = (hostile_json(), format!("sha256:{}", "0".repeat(64)));
    let descriptor = format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":1,"artifactType":{hostile},"annotations":{{{hostile}:{hostile}}}}}"#
    );
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{descriptor}]}}"#
    );
    let registry = Script::answering(move |_| {
        answer("200 OK", "Content-Type: application/vnd.oci.image.index.v1+json\r\n", &index)
    });
    let subject = registry.reference(&format!("a@sha256:{}", "1".repeat(64)));
    let tree = run(&["referrers", &subject]);
    assert!(tree.contains(r"\u{1b}[2J"), "{tree}");
    let json: serde_json::Value = serde_json::from_str(run(&["referrers", &subject, "--json"]).trim_end()).unwrap();
    assert_eq!(json["referrers"][0]["annotations"][HOSTILE], HOSTILE, "it is all there for a program");
}

#[test]
fn i30_what_a_layout_says_steers_no_terminal() {
    let layout = Layout::two_platforms();
    let index = format!("{}/index.json", layout.path());
    let hostile = hostile_json();
    let entry = |name: &str| {
        let mut entry = serde_json::json!(layout.closure.root);
        entry["annotations"] = serde_json::json!({ "org.opencontainers.image.ref.name": format!("{name}{HOSTILE}") });
        entry["platform"] = serde_json::json!({"os": HOSTILE, "architecture": HOSTILE});
        entry
    };
    let manifests = serde_json::json!([entry("a"), entry("b")]);
    fs::write(&index, format!(r#"{{"schemaVersion":2,"manifests":{manifests}}}"#)).unwrap();
    for source in [layout.path(), &format!("{}:c", layout.path())] {
        for more in [&[][..], &["--platform", "linux/s390x"]] {
            let said = run(&[&["push", source, "localhost:1/a"], more].concat());
            assert!(said.contains("error: "), "{said}");
        }
    }
    fs::write(&index, format!(r#"{{"schemaVersion":2,{hostile}:{hostile},"manifests":{hostile}}}"#)).unwrap();
    assert!(run(&["push", layout.path(), "localhost:1/a"]).contains("error: index.json is malformed"));
    let gone = format!("{}/\u{1b}[2J\u{202e}", layout.path());
    assert!(run(&["push", &gone, "localhost:1/a"]).contains("error: there is no file or folder"));
}
