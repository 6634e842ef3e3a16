use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_core::{Authorization, Reference, Target};
use tempfile::TempDir;

use super::*;

mod helpers;

/// A home folder with what a test puts in it, and an environment that knows nothing else.
struct Home {
    folder: TempDir,
    environment: Environment,
}

/// A script cannot be started while it is open for writing, and a fork in another test keeps it open: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let environment = Environment {
            home: Some(folder.path().to_owned()),
            path: Some(bin.into_os_string()),
            ..Environment::default()
        };
        Self { folder, environment }
    }

    fn with(config: &str) -> Self {
        let home = Self::new();
        home.write(".docker/config.json", config);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// A helper named `fake` that does what the shell script says, and leaves what it was asked for in the file `asked`.
    fn helper(&self, script: &str) {
        let path = self.path("bin/docker-credential-fake");
        let asked = self.path("asked");
        let _alone = alone();
        fs::write(&path, format!("#!/bin/sh\n[ \"$1\" = get ] || exit 9\ncat > '{}'\n{script}\n", asked.display()))
            .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn asked(&self) -> Option<String> {
        fs::read_to_string(self.path("asked")).ok()
    }

    fn find(&self, reference: &str) -> Result<Option<Credentials>, CredentialsError> {
        let reference: Reference = reference.parse().unwrap();
        let _alone = alone();
        self.environment.credentials(&reference.registry, Some(&reference.repository))
    }

    /// What would be sent to the registry, and of which kind; `-` for nothing.
    fn found(&self, reference: &str) -> String {
        sent(self.find(reference).unwrap().as_ref())
    }

    fn failure(&self, reference: &str) -> HelperFailure {
        match self.find(reference) {
            Err(CredentialsError::Helper { helper, failure }) => {
                assert_eq!(helper, "fake");
                failure
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A secret can be seen only by sending it.
fn sent(credentials: Option<&Credentials>) -> String {
    let target = Target::parse("https://registry.example/v2/").unwrap();
    let origin = target.origin().clone();
    let (kind, authorization) = match credentials {
        None => return "-".to_owned(),
        Some(Credentials::Basic { user, password }) => ("basic", Authorization::basic(origin, user, password)),
        Some(Credentials::IdentityToken(token)) => ("identity", Authorization::bearer(origin, token)),
        Some(Credentials::RegistryToken(token)) => ("registry", Authorization::bearer(origin, token)),
        Some(other) => unreachable!("{other:?} is no kind that is stored"),
    };
    let mut request = http::HeaderMap::new();
    authorization.unwrap().authorize(&target, &mut request).unwrap();
    let value = request["authorization"].to_str().unwrap().split_once(' ').unwrap().1.to_owned();
    match kind {
        "basic" => String::from_utf8(STANDARD.decode(value).unwrap()).unwrap(),
        kind => format!("{kind} {value}"),
    }
}

fn auth(pair: &str) -> String {
    format!(r#"{{"auth":"{}"}}"#, STANDARD.encode(pair))
}

const ANSWERS: &str =
    r#"printf '{"ServerURL":"%s","Username":"u","Secret":"from the helper"}' "$(cat "$(dirname "$0")/../asked")""#;

#[test]
fn entries_of_every_kind() {
    let table = [
        (auth("u:p"), "u:p"),
        (auth("u:p:with:colons"), "u:p:with:colons"),
        (auth("u:p\0\0\0"), "u:p"),
        (r#"{"username":"u","password":"p"}"#.to_owned(), "u:p"),
        (r#"{"username":"u","password":"{\n\t\"key\": 1\r\n}\n"}"#.to_owned(), "u:{\n\t\"key\": 1\r\n}\n"),
        (auth("u:{\n\t\"key\": 1\r\n}\n"), "u:{\n\t\"key\": 1\r\n}\n"),
        (r#"{"auth":"dTpwYXNz"}"#.to_owned(), "u:pass"),
        (r#"{"auth":"dTpwYQ=="}"#.to_owned(), "u:pa"),
        (r#"{"auth":"dTpwYQ"}"#.to_owned(), "u:pa"),
        (r#"{"auth":"dTpw\nYQ=\r\n=\n"}"#.to_owned(), "u:pa"),
        (r#"{"auth":" dTp wYQ\n"}"#.to_owned(), "u:pa"),
        (r#"{"identitytoken":"it"}"#.to_owned(), "identity it"),
        (
            r#"{"auth":"MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==","identitytoken":"it"}"#.to_owned(),
            "identity it",
        ),
        (r#"{"registrytoken":"rt","identitytoken":"it"}"#.to_owned(), "registry rt"),
        (r#"{"auth":"","identitytoken":""}"#.to_owned(), "-"),
        ("{}".to_owned(), "-"),
        ("null".to_owned(), "-"),
    ];
    for (entry, expected) in table {
        let home = Home::with(&format!(r#"{{"auths":{{"ghcr.io":{entry}}},"HttpHeaders":{{"x":"y"}}}}"#));
        assert_eq!(home.found("ghcr.io/o/n"), expected, "{entry}");
        assert_eq!(home.found("other.io/o/n"), "-");
    }
}

/// Docker and the containers tools are written in Go, whose `encoding/json` reads names in any case, the last of several
/// members, and several objects as one.
#[test]
fn a_file_is_read_as_go_reads_it() {
    let (pair, other) = (auth("u:p"), auth("other:x"));
    let table = [
        (format!(r#"{{"Auths":{{"ghcr.io":{pair}}}}}"#), "u:p"),
        (format!(r#"{{"AUTHS":{{"ghcr.io":{}}}}}"#, pair.replace("auth", "Auth")), "u:p"),
        (r#"{"auths":{"ghcr.io":{"Username":"u","PASSWORD":"p"}}}"#.to_owned(), "u:p"),
        (r#"{"auths":{"ghcr.io":{"IdentityToken":"it"}}}"#.to_owned(), "identity it"),
        (r#"{"credhelpers":{"ghcr.io":"fake"}}"#.to_owned(), "u:from the helper"),
        (r#"{"CredsStore":"fake"}"#.to_owned(), "u:from the helper"),
        (format!(r#"{{"auths":{{"ghcr.io":{pair}}},"auths":{{"other.io":{other}}}}}"#), "u:p"),
        (format!(r#"{{"auths":{{"ghcr.io":{other}}},"auths":{{"ghcr.io":{pair}}}}}"#), "u:p"),
        (format!(r#"{{"auths":{{"ghcr.io":{other},"ghcr.io":{pair}}}}}"#), "u:p"),
        (format!(r#"{{"auths":{{"ghcr.io":{other}}},"auths":null}}"#), "-"),
        (r#"{"auths":{"ghcr.io":{"username":"x","Username":"u","password":"p","password":null}}}"#.to_owned(), "u:p"),
        (r#"{"credsStore":"none","credsStore":"fake","credsStore":null}"#.to_owned(), "u:from the helper"),
        (format!(r#"{{"auths":{{"ghcr.io":{pair}}},"credHelpers":{{"ghcr.io":null}}}}"#), "u:p"),
        (format!(r#"{{"auths":{{"ghcr.io":{pair}}},"credHelpers":{{"other.io":null}},"credsStore":null}}"#), "u:p"),
        (format!(r#"{{"auths":{{"ghcr.io/v2/":{pair}}}}}"#), "u:p"),
    ];
    for (config, expected) in table {
        let home = Home::with(&config);
        home.helper(ANSWERS);
        assert_eq!(home.found("ghcr.io/o/n"), expected, "{config}");
    }
}

#[test]
fn a_malformed_entry_matters_to_its_own_registry_only() {
    for broken in [r#"{"username":12345,"password":"CANARY"}"#, r#"["CANARY"]"#, r#""CANARY""#, "7"] {
        let home = Home::with(&format!(r#"{{"auths":{{"broken.io":{broken},"ghcr.io":{}}}}}"#, auth("u:p")));
        assert_eq!(home.found("ghcr.io/o/n"), "u:p", "{broken}");
        let error = home.find("broken.io/o/n").unwrap_err().to_string();
        assert!(error.starts_with("the entry for broken.io in ") && !error.contains("CANARY"), "{error}");
        assert!(error.ends_with("is not what Docker writes there: log in again to write it anew"), "{error}");
    }
    let home = Home::with(&format!(r#"{{"auths":{{"ghcr.io":{}}},"credHelpers":{{"broken.io":7}}}}"#, auth("u:p")));
    assert_eq!(home.found("ghcr.io/o/n"), "u:p");
    assert!(matches!(home.find("broken.io/o/n"), Err(CredentialsError::Entry { why: EntryError::Malformed, .. })));
}

#[test]
fn a_password_in_latin_1_is_named_as_such() {
    for (pair, expected) in [(&b"u:p\xe4ss"[..], EntryError::NotUtf8), (b"\xe4ss", EntryError::NotAPair)] {
        let home = Home::with(&format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{}"}}}}}}"#, STANDARD.encode(pair)));
        let error = home.find("ghcr.io/o/n").unwrap_err();
        assert!(matches!(&error, CredentialsError::Entry { why, .. } if *why == expected), "{error}");
    }
}

#[test]
fn docker_hub_by_its_historic_key() {
    for key in ["https://index.docker.io/v1/", "docker.io", "index.docker.io"] {
        let home = Home::with(&format!(r#"{{"auths":{{"{key}":{}}}}}"#, auth("u:p")));
        assert_eq!(home.found("alpine"), "u:p", "{key}");
    }
    let both = format!(r#"{{"auths":{{"docker.io":{},"https://index.docker.io/v1/":{}}}}}"#, auth("b:b"), auth("a:a"));
    assert_eq!(Home::with(&both).found("alpine"), "a:a");
}

#[test]
fn the_nearest_path_counts() {
    let entries = [
        ("reg.example", "host:x"),
        ("reg.example/a", "a:x"),
        ("reg.example/a/b/c", "abc:x"),
        ("https://reg.example/v1/", "url:x"),
    ];
    let entries: Vec<_> = entries.iter().map(|(key, pair)| format!(r#""{key}":{}"#, auth(pair))).collect();
    let home = Home::with(&format!(r#"{{"auths":{{{}}}}}"#, entries.join(",")));
    for (reference, expected) in
        [("a/b/c", "abc:x"), ("a/b/c/d", "abc:x"), ("a/b", "a:x"), ("a", "a:x"), ("ab", "host:x"), ("z/a", "host:x")]
    {
        assert_eq!(home.found(&format!("reg.example/{reference}")), expected, "{reference}");
    }
    let registry = "reg.example".parse().unwrap();
    assert_eq!(sent(home.environment.credentials(&registry, None).unwrap().as_ref()), "host:x");
}

#[test]
fn files_are_read_in_order() {
    let mut home = Home::new();
    let file = |pair: &str| format!(r#"{{"auths":{{"ghcr.io":{}}}}}"#, auth(pair));
    assert_eq!(home.found("ghcr.io/a/b"), "-");
    home.write(".docker/config.json", &file("docker:x"));
    assert_eq!(home.found("ghcr.io/a/b"), "docker:x");
    home.write(".config/containers/auth.json", &file("config:x"));
    assert_eq!(home.found("ghcr.io/a/b"), "config:x");
    home.environment.runtime_auth_file = Some(home.path("run/auth.json"));
    home.write("run/auth.json", "");
    assert_eq!(home.found("ghcr.io/a/b"), "config:x", "a file without the entry has no say");
    home.write("run/auth.json", &file("run:x"));
    assert_eq!(home.found("ghcr.io/a/b"), "run:x");
    home.environment.xdg_config_home = Some(home.path("xdg"));
    home.environment.docker_config = Some(home.path("elsewhere"));
    assert_eq!(home.found("ghcr.io/a/b"), "-", "the folder that DOCKER_CONFIG names has no file, and no other is read");
    home.write("elsewhere/config.json", &file("elsewhere:x"));
    assert_eq!(home.found("ghcr.io/a/b"), "elsewhere:x");
    home.environment.registry_auth_file = Some(home.path("given.json"));
    let error = home.find("ghcr.io/a/b").unwrap_err();
    assert!(matches!(error, CredentialsError::Unreadable { .. }), "a file that was named must be there: {error}");
    home.write("given.json", &file("given:x"));
    assert_eq!(home.found("ghcr.io/a/b"), "given:x");
}

#[test]
fn docker_auth_config_comes_before_any_file_and_may_have_nothing_to_say() {
    let mut home = Home::with(&format!(r#"{{"auths":{{"ghcr.io":{}}}}}"#, auth("docker:x")));
    let variable = format!(r#"{{"auths":{{"ghcr.io/team":{}}}}}"#, auth("variable:x"));
    home.environment.docker_auth_config = Some(variable.into());
    assert_eq!(home.found("ghcr.io/team/a"), "variable:x");
    assert_eq!(home.found("ghcr.io/other/a"), "docker:x", "it has no entry for that");
    home.environment.registry_auth_file = Some(home.path("given.json"));
    home.write("given.json", &format!(r#"{{"auths":{{"ghcr.io":{}}}}}"#, auth("given:x")));
    assert_eq!((home.found("ghcr.io/team/a"), home.found("ghcr.io/b")), ("variable:x".into(), "given:x".into()));
    for text in ["CANARY", r#"{"auths":{"ghcr.io":{"auth":"CANARY, no"}}}"#] {
        home.environment.docker_auth_config = Some(text.into());
        let error = home.find("ghcr.io/a/b").unwrap_err();
        assert!(error.to_string().contains("DOCKER_AUTH_CONFIG"), "{error}");
        assert!(!format!("{error} {error:?} {:?}", home.environment).contains("CANARY"), "I29: {error:?}");
    }
}

#[test]
fn a_file_that_is_not_in_order_is_an_error_and_quotes_nothing() {
    let good = format!(r#"{{"auths":{{"ghcr.io":{}}}}}"#, auth("docker:x"));
    let bad = [
        "CANARY",
        "[]",
        r#"{"auths":"CANARY"}"#,
        r#"{"auths":{"ghcr.io":"CANARY"}}"#,
        r#"{"auths":{"ghcr.io":{"auth":{"CANARY":1}}}}"#,
        r#"{"auths":{"ghcr.io":{"auth":"CANARY, not base64"}}}"#,
        r#"{"auths":{"ghcr.io":{"auth":"Q0FOQVJZ"}}}"#,
        r#"{"auths":{"ghcr.io":{"auth":"OkNBTkFSWQ=="}}}"#,
        r#"{"auths":{"ghcr.io":{"username":"CANARY"}}}"#,
        r#"{"auths":{"ghcr.io":{"username":"CANARY:","password":"p"}}}"#,
        r#"{"auths":{"ghcr.io":{"username":"CANARY\n","password":"p"}}}"#,
        r#"{"auths":{"ghcr.io":{"username":"u","password":"CANARY\u0007"}}}"#,
        r#"{"auths":{"ghcr.io":{"registrytoken":"CANARY\n"}}}"#,
        r#"{"auths":{"ghcr.io":{"identitytoken":"CANARY\r\n"}}}"#,
        r#"{"credsStore":["CANARY"]}"#,
        r#"{"credHelpers":["CANARY"]}"#,
        r#"{"credHelpers":{"ghcr.io":{"CANARY":1}}}"#,
    ];
    for text in bad {
        let home = Home::with(&good);
        home.write(".config/containers/auth.json", text);
        let error = home.find("ghcr.io/a/b").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
        assert!(error.to_string().contains("containers/auth.json"), "{error}");
    }
    let home = Home::with(&good);
    home.write(".config/containers/auth.json", &" ".repeat(1024 * 1024 + 1));
    assert!(matches!(home.find("ghcr.io/a/b"), Err(CredentialsError::TooLarge { .. })));
    let home = Home::new();
    fs::create_dir_all(home.path(".docker/config.json")).unwrap();
    assert!(matches!(home.find("ghcr.io/a/b"), Err(CredentialsError::Unreadable { .. })));
}

#[test]
fn the_environment_of_this_process_can_be_read() {
    let environment = Environment::from_process();
    assert!(environment.files().iter().all(|(path, _)| path != Path::new("")));
    assert_eq!((environment.helper_time, environment.helper_output), (Duration::from_secs(30), 65536));
}
