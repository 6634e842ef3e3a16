//! Credential helpers: which one is asked, what it may answer, and what is done if it fails.

use super::*;

#[test]
fn helpers_come_before_entries_and_the_own_one_first() {
    let plain = auth("plain:x");
    let home = Home::with(&format!(
        r#"{{"auths":{{"ghcr.io":{plain},"other.io":{plain}}},"credHelpers":{{"ghcr.io":"fake"}}}}"#
    ));
    home.helper(ANSWERS);
    assert_eq!(home.found("ghcr.io/a/b"), "u:from the helper");
    assert_eq!(home.asked().as_deref(), Some("ghcr.io"));
    assert_eq!(home.found("other.io/a/b"), "plain:x");

    home.write(".docker/config.json", r#"{"credHelpers":{"ghcr.io/o":"fake","io":"fake"}}"#);
    assert_eq!(home.found("ghcr.io/o/n"), "-", "a helper is for a whole registry");

    home.write(
        ".docker/config.json",
        &format!(r#"{{"auths":{{"quiet.io":{plain}}},"credsStore":"fake","credHelpers":{{"quiet.io":""}}}}"#),
    );
    assert_eq!(home.found("quiet.io/a"), "plain:x", "an empty name is no helper");
    assert_eq!(home.found("localhost:5000/a"), "u:from the helper");
    assert_eq!(home.asked().as_deref(), Some("localhost:5000"));
    assert_eq!(home.found("alpine"), "u:from the helper");
    assert_eq!(home.asked().as_deref(), Some("https://index.docker.io/v1/"));
}

#[test]
fn what_helpers_may_answer() {
    let home = Home::with(r#"{"credsStore":"fake"}"#);
    let table = [
        (r#"printf '{"Username":"u","Secret":"s"}'"#, "u:s"),
        (r#"printf '{"ServerURL":"https://ghcr.io/","Username":"u","Secret":"s"}\n'"#, "u:s"),
        (r#"printf '{"ServerURL":"ghcr.io","Username":"<token>","Secret":"t0ken"}'"#, "identity t0ken"),
        (r#"printf '{"ServerURL":"ghcr.io","Username":"","Secret":""}'"#, "-"),
        (r#"printf '{"ServerURL":null,"Username":null,"Secret":null}'"#, "-"),
        (r#"printf '{"ServerURL":null,"Username":"u","Secret":"s"}'"#, "u:s"),
        (r#"printf '{"username":"u","secret":"s","serverURL":"ghcr.io"}'"#, "u:s"),
        ("echo 'credentials not found in native keychain'; exit 1", "-"),
        (r#"echo noise >&2; printf '{"Username":"u","Secret":"s"}'"#, "u:s"),
        (r#"printf '%s' '{"Username":"_json_key","Secret":"{\n\t1\r\n}\n"}'"#, "_json_key:{\n\t1\r\n}\n"),
    ];
    for (script, expected) in table {
        home.helper(script);
        assert_eq!(home.found("ghcr.io/a/b"), expected, "{script}");
    }
}

#[test]
fn i9_a_helper_that_is_not_in_order_is_an_error_and_nothing_else_is_tried() {
    let plain = auth("plain:x");
    let mut home = Home::with(&format!(r#"{{"auths":{{"ghcr.io":{plain}}},"credsStore":"fake"}}"#));
    type F = HelperFailure;
    type Is = fn(&F) -> bool;
    let table: [(&str, Is); 18] = [
        ("exit 1", |f| matches!(f, F::Failed { .. })),
        ("echo 'CANARY: the keychain is locked'; exit 1", |f| matches!(f, F::Failed { .. })),
        ("kill -9 $$", |f| matches!(f, F::Failed { .. })),
        ("head -c 10000000 /dev/zero", |f| matches!(f, F::TooMuch { limit: 65536 })),
        ("yes CANARY", |f| matches!(f, F::TooMuch { .. })),
        ("echo 'CANARY, not JSON'", |f| matches!(f, F::Garbage)),
        ("", |f| matches!(f, F::Garbage)),
        ("echo '{}'", |f| matches!(f, F::Garbage)),
        (r#"echo '["ghcr.io","u","CANARY"]'"#, |f| matches!(f, F::Garbage)),
        (r#"echo '{"Username":"u","Secret":7}'"#, |f| matches!(f, F::Garbage)),
        (r#"printf '{"Username":"u","Secret":"CANARY\000"}'"#, |f| matches!(f, F::Garbage)),
        (r#"printf '%s' '{"Username":"u","Secret":"CANARY\u0000"}'"#, |f| matches!(f, F::Garbage)),
        (r#"echo '{"Username":"","Secret":"CANARY"}'"#, |f| matches!(f, F::Garbage)),
        (r#"printf '%s' '{"Username":"u\n","Secret":"CANARY"}'"#, |f| matches!(f, F::Garbage)),
        (r#"printf '%s' '{"Username":"<token>","Secret":"CANARY\n"}'"#, |f| matches!(f, F::Garbage)),
        // A registry would read the password from the first colon on.
        (r#"echo '{"Username":"u:CANARY","Secret":"s"}'"#, |f| matches!(f, F::User { .. })),
        (r#"echo '{"SERVERurl":"evil.example","Username":"u","Secret":"CANARY"}'"#, |f| {
            matches!(f, F::OtherServer { .. })
        }),
        (r#"echo '{"ServerURL":"evil.example","Username":"u","Secret":"CANARY"}'"#, |f| {
            matches!(f, F::OtherServer { .. })
        }),
    ];
    for (script, expected) in table {
        home.helper(script);
        let failure = home.failure("ghcr.io/a/b");
        assert!(expected(&failure), "{script}: {failure:?}");
        assert!(!format!("{failure} {failure:?}").contains("CANARY"), "I29: {failure}");
    }
    home.environment.helper_time = Duration::from_millis(50);
    home.helper("exec sleep 60");
    assert!(matches!(home.failure("ghcr.io/a/b"), F::TimedOut { .. }));
    // It says what it should, and does not end.
    home.helper(r#"printf '{"Username":"u","Secret":"CANARY"}'; exec >&-; exec sleep 60"#);
    assert!(matches!(home.failure("ghcr.io/a/b"), F::TimedOut { .. }));
}

#[test]
fn only_plain_names_in_absolute_folders_are_run() {
    for name in ["../fake", "a/b", "..\\\\fake", "fa ke", "fake;ls", "fake\\u0000", "é", &"a".repeat(129)] {
        let home = Home::with(&format!(r#"{{"credsStore":"{name}"}}"#));
        let error = home.find("ghcr.io/a/b").unwrap_err();
        assert!(matches!(error, CredentialsError::Helper { failure: HelperFailure::Name, .. }), "{name}: {error}");
    }
    let mut home = Home::with(r#"{"credsStore":"fake"}"#);
    assert!(matches!(home.failure("ghcr.io/a/b"), HelperFailure::NotInstalled));
    home.helper(ANSWERS);
    let from_here = format!("{}{}", "../".repeat(64), home.path("bin").display().to_string().trim_start_matches('/'));
    assert!(Path::new(&from_here).join("docker-credential-fake").exists());
    home.environment.path = Some(format!("{from_here}:.:").into());
    assert!(matches!(home.failure("ghcr.io/a/b"), HelperFailure::NotInstalled));
    home.environment.path = None;
    assert!(matches!(home.failure("ghcr.io/a/b"), HelperFailure::NotInstalled));
    let file = home.path("bin/docker-credential-fake");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    home.environment.path = Some(home.path("bin").into_os_string());
    assert!(matches!(home.failure("ghcr.io/a/b"), HelperFailure::Start(_)));
    assert_eq!(home.asked(), None);
}
