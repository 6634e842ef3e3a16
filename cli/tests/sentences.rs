//! What is said when the registry, the way to it, or the credentials are not as they should be: one sentence that says what
//! happened and what can be done.

mod common;

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use common::{HTPASSWD, Mock, command, refused, run_with_input, sentence};
use tempfile::TempDir;

/// A registry with users, behind TLS with a CA of its own or not.
struct World {
    folder: TempDir,
    mock: Mock,
}

impl World {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (users, ca) = (folder.path().join("users"), folder.path().join("ca.pem"));
        fs::write(&users, HTPASSWD).unwrap();
        let mut mock = vec!["--auth", users.to_str().unwrap()];
        mock.extend(arguments);
        if arguments.contains(&"--tls") {
            mock.extend(["--tls-ca", ca.to_str().unwrap()]);
        }
        let mock = Mock::start(&mock);
        Self { folder, mock }
    }

    fn ca(&self) -> String {
        self.folder.path().join("ca.pem").to_str().unwrap().to_owned()
    }

    fn check(&self, arguments: &[&str]) -> Command {
        command(&[&["check", &self.mock.reference("a")], arguments].concat())
    }

    /// What a check says that fails.
    fn said(&self, arguments: &[&str], input: &str) -> String {
        sentence(1, &run_with_input(self.check(arguments), input))
    }

    fn upload(&self, scheme: &str) -> String {
        format!("(end-4a, {scheme}://{}/v2/a/blobs/uploads/)", self.mock.authority)
    }
}

const PASSWORD: &str = "check --username and what --password-stdin reads";

#[test]
fn a_wrong_password() {
    let bearer = World::start(&[]);
    let token = format!("(token, http://{}/token)", bearer.mock.authority);
    let alice = ["--username", "alice", "--password-stdin"];
    assert_eq!(
        bearer.said(&alice, "sesame"),
        format!(
            "the registry refuses access: the token service answered 401: UNAUTHORIZED: the user name or the password is wrong {token}; {PASSWORD}"
        )
    );
    let basic = World::start(&["--auth-scheme", "basic"]);
    assert_eq!(
        basic.said(&alice, "sesame"),
        format!(
            "the registry refuses access: the registry answered 401: UNAUTHORIZED: authentication required; check user name and password {}",
            basic.upload("http")
        )
    );
}

#[test]
fn an_expired_token() {
    let world = World::start(&[]);
    assert_eq!(
        world.said(&["--registry-token-stdin"], "of-yesterday"),
        format!(
            "the registry refuses access: the registry answered 401: UNAUTHORIZED: authentication required; the token that was given has expired or lacks the right to do this {}; check what --registry-token-stdin reads",
            world.upload("http")
        )
    );
}

#[test]
fn a_missing_right() {
    let reader = ["--username", "reader", "--password-stdin"];
    let bearer = World::start(&[]);
    assert_eq!(
        bearer.said(&reader, "wonderland"),
        format!(
            "the registry refuses access: the registry answered 401: UNAUTHORIZED: authentication required; log in with an account that has the right to do this {}",
            bearer.upload("http")
        )
    );
    let basic = World::start(&["--auth-scheme", "basic"]);
    assert_eq!(
        basic.said(&reader, "wonderland"),
        "end-4a: the registry refused to begin an upload: 403 Forbidden: DENIED: you may not do this here"
    );
    let nobody = bearer.said(&[], "");
    assert!(
        nobody.ends_with("; log in with `docker login` or `skopeo login`, or give --username and --password-stdin"),
        "{nobody}"
    );
    let anonymous = bearer.said(&["--anonymous"], "");
    assert!(anonymous.ends_with("; --anonymous sends no credentials"), "{anonymous}");
}

#[test]
fn an_untrusted_certificate() {
    let world = World::start(&["--tls"]);
    let authority = &world.mock.authority;
    let ca = "; --ca FILE trusts the certificates in that file";
    assert_eq!(
        world.said(&["--https"], ""),
        format!(
            "the certificate of {authority} is not trusted: no CA that is trusted here issued it {}{ca}",
            world.upload("https")
        )
    );
    let mut without = world.check(&["--https"]);
    without.env("SSL_CERT_FILE", "/nowhere").env("SSL_CERT_DIR", "/nowhere");
    assert_eq!(
        sentence(1, &run_with_input(without, "")),
        format!(
            "no CA is trusted on this machine: install the system's CA certificates, or name one {}{ca}",
            world.upload("https")
        )
    );
    // To name a CA is to want TLS.
    let arguments = ["--ca", &world.ca(), "--username", "alice", "--password-stdin"];
    assert!(run_with_input(world.check(&arguments), "wonderland").status.success());
    let other = tempfile::tempdir().unwrap();
    let other_ca = other.path().join("ca.pem");
    let _other = Mock::start(&["--tls", "--tls-ca", other_ca.to_str().unwrap()]);
    let said = world.said(&["--ca", other_ca.to_str().unwrap()], "");
    assert!(said.starts_with(&format!("the certificate of {authority} is not trusted: ")), "{said}");
}

#[test]
fn plain_http_and_tls_mistaken_for_each_other() {
    let tls = World::start(&["--tls"]);
    assert_eq!(
        tls.said(&[], ""),
        format!(
            "{} does not answer in HTTP; if it serves HTTPS, connect with HTTPS {}; --https talks HTTPS to it",
            tls.mock.authority,
            tls.upload("http")
        )
    );
    let plain = World::start(&[]);
    assert_eq!(
        plain.said(&["--https"], ""),
        format!(
            "{} does not speak TLS; if it serves plain HTTP, connect with plain HTTP {}; --plain-http talks plain HTTP to it",
            plain.mock.authority,
            plain.upload("https")
        )
    );
}

#[test]
fn nobody_there() {
    let said = refused(1, &["check", "registry.invalid/a"]);
    let start = "the request was not sent: no address is known for registry.invalid: ";
    let end = " (end-4a, https://registry.invalid/v2/a/blobs/uploads/, 5 attempts)";
    assert!(said.starts_with(start) && said.ends_with(end), "{said}");
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(
        refused(1, &["check", &format!("{address}/a")]),
        format!(
            "the request was not sent: connection refused: nothing listens at {address} (end-4a, http://{address}/v2/a/blobs/uploads/, 5 attempts)"
        )
    );
}

/// I29: a password that was written before the host by mistake is not repeated.
#[test]
fn i29_a_password_in_a_url_is_not_shown() {
    for arguments in [
        &["check", "localhost:1/a", "--allow-origin", "http://u:CANARY@x.example"][..],
        &["check", "http://u:CANARY@x.example/a:v1"],
        &["check", "u:CANARY@x.example/a:v1"],
        &["probe", "http://u:CANARY@x.example"],
        &["push", "--stdin-layer", "a/b", "http://u:CANARY@x.example/a"],
    ] {
        let output = common::run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("…@x.example") && !said.contains("CANARY"), "{said}");
    }
}

#[test]
fn options_that_do_not_go_together() {
    for (arguments, expected) in [
        (&["--plain-http", "--https"][..], "'--plain-http' cannot be used with '--https'"),
        (&["--plain-http", "--insecure-skip-verify"], "'--plain-http' cannot be used with '--insecure-skip-verify'"),
        (&["--plain-http", "--client-cert", "c", "--client-key", "k"], "cannot be used with"),
        (&["--username", "u"], "required arguments were not provided"),
        (&["--password-stdin"], "required arguments were not provided"),
        (&["--registry-token-stdin", "--username", "u", "--password-stdin"], "cannot be used with"),
        (&["--anonymous", "--registry-token-stdin"], "cannot be used with"),
        (&["--client-key", "k"], "required arguments were not provided"),
    ] {
        let said = refused(2, &[&["check", "localhost:1/a"], arguments].concat());
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
