//! Credentials: where they come from, what is said when they do not do, and that none of them is ever printed.

mod common;

use std::fs;
use std::process::{Command, Output};

use common::door::Door;
use common::{HTPASSWD, Layout, Mock, command, refused, run_with_input as run, sentence};

/// `user:CANARY-PASSWORD`.
const BASIC: &str = "Basic dXNlcjpDQU5BUlktUEFTU1dPUkQ=";

struct World {
    layout: Layout,
    _registry: Mock,
    door: Door,
    folder: tempfile::TempDir,
}

impl World {
    fn new(challenge: &'static str, expected: &'static str) -> Self {
        let registry = Mock::start(&["--allow-host", "127.0.0.1"]);
        let door = Door::before(&registry, challenge, expected);
        Self { layout: Layout::two_platforms(), _registry: registry, door, folder: tempfile::tempdir().unwrap() }
    }

    /// A push through the door, with these arguments; the trace is kept.
    fn push(&self, arguments: &[&str]) -> Command {
        let reference = format!("{}/a:v1", self.door.authority);
        let trace = self.folder.path().join("trace");
        let mut command = command(&["push", self.layout.path(), &reference, "--trace", trace.to_str().unwrap()]);
        command.args(arguments).env("HOME", self.folder.path());
        command
    }

    /// A push with what `docker login` would have left behind.
    fn push_with_config(&self, config: &str) -> Command {
        fs::create_dir_all(self.folder.path().join(".docker")).unwrap();
        fs::write(self.folder.path().join(".docker/config.json"), config).unwrap();
        self.push(&[])
    }

    /// I29: neither the secret nor what stands for it in a header.
    fn no_secret_in(&self, output: &Output) {
        let trace = fs::read(self.folder.path().join("trace")).unwrap();
        for text in [&output.stdout, &output.stderr, &trace] {
            let text = String::from_utf8_lossy(text);
            for secret in ["CANARY", "dXNlcjpDQU5BUlkt", "Q0FOQVJZ", "X2pzb25fa2V5"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

#[test]
fn i29_i32_a_password_comes_by_standard_input_and_goes_nowhere_else() {
    let world = World::new("Basic realm=\"x\"", BASIC);
    for input in ["CANARY-PASSWORD", "CANARY-PASSWORD\n", "CANARY-PASSWORD\r\n"] {
        let output = run(world.push(&["--username", "user", "--password-stdin"]), input);
        assert!(output.status.success(), "{output:?}");
        world.no_secret_in(&output);
    }
    let output = run(world.push(&["--username", "user", "--password-stdin"]), "CANARY-OTHER");
    let said = sentence(1, &output);
    assert!(said.contains("401") && said.contains("check user name and password"), "{said}");
    world.no_secret_in(&output);
    let said = sentence(2, &run(world.push(&["--username", "user", "--password-stdin"]), "\n"));
    assert_eq!(said, "there is no password on standard input");
    let place = format!("{}/a", world.door.authority);
    for arguments in [
        &["--username", "user"][..],
        &["--password-stdin"],
        &["--username", "u", "--password-stdin", "--anonymous"],
        &["--registry-token-stdin", "--anonymous"],
        &["--password", "x"],
    ] {
        refused(2, &[&["check", &place], arguments].concat());
    }
}

/// `_json_key:{\n\t"CANARY-KEY": 1,\r\n}\n`: the key of a cloud's service account.
const JSON_KEY: &str = "Basic X2pzb25fa2V5OnsKCSJDQU5BUlktS0VZIjogMSwNCn0K";

#[test]
fn i29_a_password_of_several_lines_comes_by_every_way() {
    let world = World::new("Basic realm=\"x\"", JSON_KEY);
    // Of the line ends at the end, one is not a part of the password.
    for end in ["\n", "\r\n"] {
        let input = format!("{{\n\t\"CANARY-KEY\": 1,\r\n}}\n{end}");
        let output = run(world.push(&["--username", "_json_key", "--password-stdin"]), &input);
        assert!(output.status.success(), "{output:?}");
        world.no_secret_in(&output);
    }
    let base64 = JSON_KEY.strip_prefix("Basic ").unwrap();
    let broken = format!("{}\\n{}", &base64[..20], base64[20..].trim_end_matches('='));
    for entry in [
        format!(r#"{{"auth":"{base64}"}}"#),
        format!(r#"{{"auth":"{broken}"}}"#),
        r#"{"username":"_json_key","password":"{\n\t\"CANARY-KEY\": 1,\r\n}\n"}"#.to_owned(),
    ] {
        let config = format!(r#"{{"auths":{{"{}":{entry}}}}}"#, world.door.authority);
        let output = run(world.push_with_config(&config), "");
        assert!(output.status.success(), "{entry}: {output:?}");
        world.no_secret_in(&output);
        fs::remove_dir_all(world.folder.path().join(".docker")).unwrap();
        let mut push = world.push(&[]);
        push.env("DOCKER_AUTH_CONFIG", &config);
        let output = run(push, "");
        assert!(output.status.success(), "{entry}: {output:?}");
        world.no_secret_in(&output);
    }
    let said = sentence(2, &run(world.push(&["--username", "user", "--password-stdin"]), "CANARY\u{7}"));
    assert!(said.contains("the password contains a control character other than a line break or a tab"), "{said}");
}

#[test]
fn i29_a_registry_token_is_shown_as_it_is() {
    let world = World::new("Bearer realm=\"http://127.0.0.1:1/token\"", "Bearer CANARY-TOKEN");
    let said = sentence(1, &run(world.push(&["--registry-token-stdin"]), "CANARY-TOKEN\n"));
    assert!(
        said.contains("http://127.0.0.1:1 as its token service")
            && said.ends_with("here that is --allow-origin URL, if you trust what is there"),
        "{said}"
    );
    let push = || world.push(&["--registry-token-stdin", "--allow-origin", "http://127.0.0.1:1"]);
    let output = run(push(), "CANARY-TOKEN\n");
    assert!(output.status.success(), "{output:?}");
    world.no_secret_in(&output);
    let output = run(push(), "CANARY-OTHER\n");
    assert!(sentence(1, &output).contains("401"));
    world.no_secret_in(&output);
}

#[test]
fn i29_what_docker_login_left_behind_is_used() {
    let world = World::new("Basic realm=\"x\"", BASIC);
    let said = sentence(1, &run(world.push(&[]), ""));
    assert!(said.contains("401") && said.contains("log in"), "{said}");

    let auth = BASIC.strip_prefix("Basic ").unwrap();
    let config = format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, world.door.authority);
    let output = run(world.push_with_config(&config), "");
    assert!(output.status.success(), "{output:?}");
    world.no_secret_in(&output);
    let said = sentence(1, &run(world.push(&["--anonymous"]), ""));
    assert!(said.contains("401"), "{said}");
    let by_path = format!(
        r#"{{"auths":{{"{0}":{{"auth":"eDp4"}},"{0}/a":{{"auth":"{auth}"}},"{0}/b":{{"auth":"eDp4"}}}}}}"#,
        world.door.authority
    );
    assert!(run(world.push_with_config(&by_path), "").status.success());
    let elsewhere = format!(r#"{{"auths":{{"localhost:1":{{"auth":"{auth}"}}}}}}"#);
    assert!(sentence(1, &run(world.push_with_config(&elsewhere), "")).contains("401"));
}

#[cfg(unix)]
#[test]
fn a_helper_is_asked_and_one_that_fails_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new("Basic realm=\"x\"", BASIC);
    let config = r#"{"credsStore":"test"}"#;
    let helper = |script: &str| {
        let path = world.folder.path().join("docker-credential-test");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let mut command = world.push_with_config(config);
        command.env("PATH", format!("{}:/usr/bin:/bin", world.folder.path().display()));
        run(command, "")
    };
    let answer =
        r#"read -r server; printf '{"ServerURL":"%s","Username":"user","Secret":"CANARY-PASSWORD"}' "$server""#;
    let output = helper(answer);
    assert!(output.status.success(), "{output:?}");
    world.no_secret_in(&output);
    let output = helper("echo CANARY; exit 3");
    let said = sentence(1, &output);
    assert!(said.contains("docker-credential-test"), "{said}");
    world.no_secret_in(&output);
}

#[test]
fn the_registry_lets_in_whom_its_file_names() {
    let (folder, layout) = (tempfile::tempdir().unwrap(), Layout::two_platforms());
    let file = folder.path().join("htpasswd");
    fs::write(&file, HTPASSWD).unwrap();
    for scheme in ["bearer", "basic"] {
        let registry = Mock::start(&["--auth", file.to_str().unwrap(), "--auth-scheme", scheme]);
        let push = |user: &str, password: &str| {
            let reference = registry.reference(&format!("{user}:v1"));
            let arguments = ["--username", user, "--password-stdin", "--progress", "none"];
            run(command(&[&["push", layout.path(), &reference], &arguments[..]].concat()), password)
        };
        let output = push("alice", "wonderland");
        assert!(output.status.success(), "{scheme}: {output:?}");
        let said = sentence(1, &push("alice", "wrong"));
        assert!(said.contains("401") && said.contains("password"), "{scheme}: {said}");
        let said = sentence(1, &push("reader", "wonderland"));
        assert!(said.contains("40") && said.contains("refuse"), "{scheme}: {said}");
        let said = refused(1, &["check", &registry.reference("a/b")]);
        assert!(said.contains("log in"), "{scheme}: {said}");
    }
    fs::write(&file, "alice:plain").unwrap();
    assert!(refused(1, &["mock", "--auth", file.to_str().unwrap()]).contains("not hashed with bcrypt"));
    assert!(refused(1, &["mock", "--auth", "no/such/file"]).starts_with("cannot read no/such/file: "));
    refused(2, &["mock", "--auth-scheme", "basic"]);
}

#[test]
fn a_certificate_is_trusted_only_where_that_was_said() {
    let (folder, layout) = (tempfile::tempdir().unwrap(), Layout::two_platforms());
    let (ca, htpasswd) = (folder.path().join("ca.pem"), folder.path().join("htpasswd"));
    fs::write(&htpasswd, HTPASSWD).unwrap();
    let registry = Mock::start(&["--tls", "--tls-ca", ca.to_str().unwrap(), "--auth", htpasswd.to_str().unwrap()]);
    let reference = registry.reference("a:v1");
    let login = ["push", layout.path(), &reference, "--username", "alice", "--password-stdin", "--progress", "none"];
    let push = |arguments: &[&str]| run(command(&[&login, arguments].concat()), "wonderland");

    let output = push(&["--https", "--ca", ca.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let said = sentence(1, &push(&["--https"]));
    assert!(said.contains("certificate") && said.contains("not trusted"), "{said}");
    for _ in 0..2 {
        let output = push(&["--https", "--insecure-skip-verify"]);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("warning: the certificate of https://") && said.contains("is not checked"), "{said}");
    }
    let said = refused(1, &["mock", "--tls", "--tls-ca", "no/such/folder/ca"]);
    assert!(said.starts_with("cannot write no/such/folder/ca: "), "{said}");
    refused(2, &["mock", "--tls-ca", "ca"]);
}

#[test]
fn files_that_should_hold_certificates_and_do_not_are_named() {
    let world = World::new("Basic realm=\"x\"", BASIC);
    let empty = world.folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    let place = "localhost:1/a";
    assert!(refused(1, &["check", place, "--ca", "no/such/file"]).starts_with("cannot read no/such/file: "));
    assert!(refused(1, &["check", place, "--ca", empty]).contains("the CA certificates cannot be used"));
    let said = refused(1, &["check", place, "--client-cert", empty, "--client-key", empty]);
    assert!(said.contains("the client certificate for https://localhost:1 cannot be used"), "{said}");
    refused(2, &["check", place, "--client-cert", empty]);
    assert!(refused(2, &["check", place, "--allow-origin", "https://a.example/x"]).contains("no path"));
}
