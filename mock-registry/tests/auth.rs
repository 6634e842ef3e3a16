//! Users, challenges, tokens and rights.

mod transcript;

use base64::Engine as _;
use longshore_core::{Host, Origin, Scheme};
use longshore_mock_registry::auth::{Auth, AuthScheme, Password, Rights};
use longshore_mock_registry::behaviour::{ChallengeForm, ChallengeScope, Grants, Realm, TokenField};
use longshore_mock_registry::{Behaviour, RegistryOptions};
use transcript::{Stage, sha256};

fn origin(host: &str) -> Origin {
    Origin::new(Scheme::Https, host.parse::<Host>().unwrap(), None)
}

fn basic(name: &str, password: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"))
}

/// A registry where alice may write to `team/*`, bob may read all, and anybody may read `public`.
fn stage(scheme: AuthScheme, change: impl FnOnce(&mut Behaviour)) -> Stage {
    let mut auth = Auth::bearer()
        .user("alice", Password::plain("wonderland"), "team/*=pull,push".parse().unwrap())
        .user("bob", Password::plain("builder"), "*=pull".parse().unwrap())
        .user("root", Password::plain("toor"), Rights::all())
        .anonymous("public=pull".parse().unwrap());
    auth.scheme = scheme;
    let mut options =
        RegistryOptions { origin: Some(origin("reg.example")), auth: Some(auth), ..RegistryOptions::default() };
    change(&mut options.behaviour);
    Stage::new(options)
        .with("alice", basic("alice", "wonderland"))
        .with("bob", basic("bob", "builder"))
        .with("root", basic("root", "toor"))
        .with("wrong", basic("alice", "looking-glass"))
        .with("nobody", basic("nobody", "wonderland"))
        .with("hello", sha256("hello"))
}

fn bearer(change: impl FnOnce(&mut Behaviour)) -> Stage {
    stage(AuthScheme::Bearer, change)
}

/// Asks for a token and takes it as `{name}`.
fn token(name: &str, user: &str, query: &str) -> String {
    format!(
        "C: GET /token?service=longshore-mock-registry{query}
         C: Authorization: Basic {{{user}}}
         S: 200
         S: Cache-Control: no-store
         S:
         S: {{\"access_token\":\"{{{name}}}\",\"expires_in\":300,\"token\":\"{{{name}}}\"}}\n"
    )
}

#[test]
fn a_token_is_had_and_used_until_it_ends() {
    let mut stage = bearer(|_| ());
    stage.play(&format!(
        "C: POST /v2/team/a/blobs/uploads/
         S: 401
         S: WWW-Authenticate: Bearer realm=\"https://reg.example/token\",service=\"longshore-mock-registry\",scope=\"repository:team/a:pull,push\"
         C: GET /v2/
         S: 401
         S: WWW-Authenticate: Bearer realm=\"https://reg.example/token\",service=\"longshore-mock-registry\"
         {}C: POST /v2/team/a/blobs/uploads/
         C: Authorization: Bearer {{t}}
         S: 202
         C: GET /v2/
         C: Authorization: bearer {{t}}
         S: 200",
        token("t", "alice", "&scope=repository:team/a:pull,push")
    ));
    stage.now = 300_000_000;
    stage.play(
        "C: POST /v2/team/a/blobs/uploads/
         C: Authorization: Bearer {t}
         S: 401
         S: WWW-Authenticate: Bearer realm=\"https://reg.example/token\",service=\"longshore-mock-registry\",scope=\"repository:team/a:pull,push\",error=\"invalid_token\"",
    );
}

#[test]
fn a_token_gives_no_more_than_its_user_may_and_asked_for() {
    let mut stage = bearer(|_| ());
    let ask = |method: &str, path: &str, token: &str, status: u16| {
        format!("C: {method} {path}\nC: Authorization: Bearer {{{token}}}\nS: {status}\n")
    };
    stage.play(&token("pull", "alice", "&scope=repository:team/a:pull"));
    stage.play(&token("more", "bob", "&scope=repository:team/a:pull,push,delete"));
    stage.play(&token("none", "alice", ""));
    stage.play(&token("all", "root", "&scope=repository:team/a:*&scope=repository:team/b:pull"));
    stage.play(&ask("GET", "/v2/team/a/tags/list", "pull", 404));
    stage.play(&ask("GET", "/v2/team/a/tags/list", "more", 404));
    for (method, path, token) in [
        ("GET", "/v2/team/a/tags/list", "none"),
        ("GET", "/v2/team/b/tags/list", "pull"),
        ("POST", "/v2/team/a/blobs/uploads/", "pull"),
        ("POST", "/v2/team/a/blobs/uploads/", "more"),
        ("PUT", "/v2/team/a/manifests/v1", "pull"),
        ("DELETE", "/v2/team/a/manifests/v1", "more"),
        ("POST", "/v2/team/b/blobs/uploads/", "all"),
    ] {
        stage.play(&ask(method, path, token, 401));
    }
    stage.play(&ask("DELETE", "/v2/team/a/manifests/v1", "all", 404));
    stage.play(
        "C: POST /v2/team/a/blobs/uploads/
         C: Authorization: Bearer {pull}
         S: 401
         S: WWW-Authenticate: Bearer realm=\"https://reg.example/token\",service=\"longshore-mock-registry\",scope=\"repository:team/a:pull,push\",error=\"insufficient_scope\"",
    );
}

#[test]
fn wrong_credentials_give_no_token() {
    for user in ["wrong", "nobody"] {
        bearer(|_| ()).play(&format!(
            "C: GET /token?scope=repository:team/a:pull\nC: Authorization: Basic {{{user}}}\nS: 401\nS:\nS: {{\"errors\":[{{\"code\":\"UNAUTHORIZED\"{{more}}"
        ));
    }
    let mut stage = bearer(|_| ());
    stage.play("C: GET /token\nC: Authorization: Basic !!!\nS: 401\nC: GET /token\nC: Authorization: Bearer x\nS: 401");
    for header in ["Bearer x", "Basic {alice}", "Digest x", "Bearer", "x"] {
        stage.play(&format!("C: GET /v2/team/a/tags/list\nC: Authorization: {header}\nS: 401"));
    }
}

#[test]
fn who_says_nothing_reads_what_is_public() {
    bearer(|_| ()).play(
        "C: GET /v2/public/tags/list
         S: 401
         C: GET /token?scope=repository:public:pull,push&scope=repository:team/a:pull
         S: 200
         S:
         S: {\"access_token\":\"{t}\",\"expires_in\":300,\"token\":\"{t}\"}
         C: GET /v2/public/tags/list
         C: Authorization: Bearer {t}
         S: 404
         C: GET /v2/team/a/tags/list
         C: Authorization: Bearer {t}
         S: 401
         C: POST /v2/public/blobs/uploads/
         C: Authorization: Bearer {t}
         S: 401",
    );
}

#[test]
fn forms_and_refresh_tokens() {
    bearer(|_| ()).play(
        "C: POST /token
         C: Content-Type: application/x-www-form-urlencoded
         C:
         C: grant_type=password&username=alice&password=wonderland&access_type=offline&scope=repository%3Ateam/a%3Apull+repository%3Ateam/b%3Apull
         S: 200
         S:
         S: {\"access_token\":\"{t}\",\"expires_in\":300,\"refresh_token\":\"{refresh}\",\"token\":\"{t}\"}
         C: GET /v2/team/b/tags/list
         C: Authorization: Bearer {t}
         S: 404
         C: POST /token
         C:
         C: grant_type=refresh_token&refresh_token={refresh}&scope=repository:team/a:pull,push
         S: 200
         S:
         S: {\"access_token\":\"{u}\",\"expires_in\":300,\"token\":\"{u}\"}
         C: POST /v2/team/a/blobs/uploads/
         C: Authorization: Bearer {u}
         S: 202
         C: GET /v2/
         C: Authorization: Bearer {refresh}
         S: 401
         C: POST /token
         C:
         C: grant_type=refresh_token&refresh_token={t}
         S: 401
         C: POST /token
         C:
         C: grant_type=password&username=alice&password=wrong
         S: 401
         C: POST /token
         C:
         C: grant_type=other
         S: 400
         C: PUT /token
         S: 405
         C: GET /token?offline_token=true
         C: Authorization: Basic {alice}
         S: 200
         S:
         S: {\"access_token\":\"{v}\",\"expires_in\":300,\"refresh_token\":\"{again}\",\"token\":\"{v}\"}",
    );
}

#[test]
fn basic_registries() {
    stage(AuthScheme::Basic, |_| ()).play(
        "C: GET /v2/
         S: 401
         S: WWW-Authenticate: Basic realm=\"longshore-mock-registry\"
         C: GET /v2/
         C: Authorization: Basic {alice}
         S: 200
         C: POST /v2/team/a/blobs/uploads/
         C: Authorization: Basic {alice}
         S: 202
         C: POST /v2/team/a/blobs/uploads/
         C: Authorization: Basic {wrong}
         S: 401
         C: POST /v2/team/a/blobs/uploads/
         C: Authorization: Basic {bob}
         S: 403
         S:
         S: {\"errors\":[{\"code\":\"DENIED\"{more}
         C: GET /v2/public/tags/list
         S: 404
         C: POST /v2/public/blobs/uploads/
         S: 401
         C: GET /token
         S: 404",
    );
}

#[cfg(feature = "htpasswd")]
#[test]
fn s11_htpasswd_files_and_unknown_users() {
    let hash = bcrypt::hash_with_salt("open sesame", 4, *b"0123456789abcdef").unwrap().to_string();
    let auth = Auth::basic().with_htpasswd(&format!("ali:{hash}\nbaba:{hash}:team/*=pull\n")).unwrap();
    let options = RegistryOptions { auth: Some(auth), ..RegistryOptions::default() };
    let mut stage = Stage::new(options)
        .with("ali", basic("ali", "open sesame"))
        .with("baba", basic("baba", "open sesame"))
        .with("wrong", basic("ali", "open barley"))
        .with("nobody", basic("cassim", "open sesame"));
    for _ in 0..2 {
        stage.play(
            "C: POST /v2/team/a/blobs/uploads/\nC: Authorization: Basic {ali}\nS: 202
             C: GET /v2/team/a/tags/list\nC: Authorization: Basic {baba}\nS: 404
             C: POST /v2/team/a/blobs/uploads/\nC: Authorization: Basic {baba}\nS: 403
             C: POST /v2/team/a/blobs/uploads/\nC: Authorization: Basic {wrong}\nS: 401
             C: POST /v2/team/a/blobs/uploads/\nC: Authorization: Basic {nobody}\nS: 401",
        );
    }
}

/// Root puts a blob into `secret` and `team/b`.
fn with_secret(change: impl FnOnce(&mut Behaviour)) -> Stage {
    let mut stage = bearer(change);
    stage.play(&token("r", "root", "&scope=repository:secret:pull,push&scope=repository:team/b:pull,push"));
    for repository in ["secret", "team/b"] {
        let content = if repository == "secret" { "hello" } else { "other" };
        stage.play(&format!(
            "C: POST /v2/{repository}/blobs/uploads/?digest={}\nC: Authorization: Bearer {{r}}\nC:\nC: {content}\nS: 201",
            sha256(content)
        ));
    }
    stage.with("other", sha256("other"))
}

#[test]
fn s3_a_mount_needs_the_right_to_read_its_source() {
    let mut stage = with_secret(|_| ());
    stage.play(&token(
        "t",
        "alice",
        "&scope=repository:team/a:pull,push&scope=repository:secret:pull&scope=repository:team/b:pull",
    ));
    let absent = sha256("absent");
    for query in ["mount={hello}&from=secret", "mount={hello}", &format!("mount={absent}&from=secret")] {
        stage.play(&format!(
            "C: POST /v2/team/a/blobs/uploads/?{query}\nC: Authorization: Bearer {{t}}\nS: 202\nS: Location: /v2/team/a/blobs/uploads/{{id{}}}",
            query.len()
        ));
    }
    stage.play("C: POST /v2/team/a/blobs/uploads/?mount={other}\nC: Authorization: Bearer {t}\nS: 201\nS: Location: /v2/team/a/blobs/{other}");
    // The user may read the source, but this token does not say so.
    stage.play(&token("u", "alice", "&scope=repository:team/c:pull,push"));
    stage.play("C: POST /v2/team/c/blobs/uploads/?mount={other}&from=team/b\nC: Authorization: Bearer {u}\nS: 202");
    for registry_wide in ["mount={hello}", "mount={hello}&from=x"] {
        let mut stage =
            with_secret(|b| b.mount.policy = longshore_mock_registry::behaviour::MountPolicy::AnyRepository);
        stage.play(&token("t", "alice", "&scope=repository:team/a:pull,push"));
        stage.play(&format!(
            "C: POST /v2/team/a/blobs/uploads/?{registry_wide}\nC: Authorization: Bearer {{t}}\nS: 202"
        ));
    }
}

#[test]
fn a_source_that_the_token_does_not_cover_is_challenged() {
    let mut stage = with_secret(|b| b.auth.mount_source_challenged = true);
    stage.play(&token("t", "alice", "&scope=repository:team/a:pull,push"));
    stage.play(
        "C: POST /v2/team/a/blobs/uploads/?mount={other}&from=team/b
         C: Authorization: Bearer {t}
         S: 401
         S: WWW-Authenticate: Bearer realm=\"https://reg.example/token\",service=\"longshore-mock-registry\",scope=\"repository:team/a:pull,push repository:team/b:pull\",error=\"insufficient_scope\"",
    );
    stage.play(&token("u", "alice", "&scope=repository:team/a:pull,push%20repository:team/b:pull"));
    stage.play("C: POST /v2/team/a/blobs/uploads/?mount={other}&from=team/b\nC: Authorization: Bearer {u}\nS: 201");
}

#[test]
fn the_challenge_to_a_mount_names_its_source_though_the_right_to_read_it_is_not_needed() {
    for (named, source) in [(true, " repository:team/b:pull"), (false, "")] {
        let mut stage = with_secret(|b| b.auth.mount_source_named = named);
        stage.play(&format!(
            "C: POST /v2/team/a/blobs/uploads/?mount={{other}}&from=team/b
             S: 401
             S: WWW-Authenticate: Bearer realm=\"https://reg.example/token\",service=\"longshore-mock-registry\",scope=\"repository:team/a:pull,push{source}\""
        ));
        stage.play(&token("t", "alice", "&scope=repository:team/a:pull,push"));
        stage.play("C: POST /v2/team/a/blobs/uploads/?mount={other}&from=team/b\nC: Authorization: Bearer {t}\nS: 202");
    }
}

#[test]
fn a_token_gives_what_was_asked_for_or_all_that_the_user_may_do() {
    for (grants, status) in [(Grants::Asked, 401), (Grants::All, 202)] {
        let mut stage = with_secret(|b| b.auth.grants = grants);
        stage.play(&token("t", "alice", "&scope=*"));
        stage.play(&format!("C: POST /v2/team/a/blobs/uploads/\nC: Authorization: Bearer {{t}}\nS: {status}"));
        // Nobody may do more than the user.
        stage.play("C: POST /v2/foreign/a/blobs/uploads/\nC: Authorization: Bearer {t}\nS: 401");
    }
}

#[test]
fn a_token_server_elsewhere() {
    let mut stage = bearer(|_| ());
    let auth = stage.registry.options.auth.as_mut().unwrap();
    auth.tokens = Some(origin("auth.example"));
    stage.play(
        "C: GET https://reg.example/v2/
         S: 401
         S: WWW-Authenticate: Bearer realm=\"https://auth.example/token\",service=\"longshore-mock-registry\"
         C: GET https://reg.example/token
         C: Authorization: Basic {alice}
         S: 404
         C: GET https://auth.example/v2/
         S: 404
         C: GET /token
         C: Host: auth.example
         C: Authorization: Basic {alice}
         S: 200",
    );
}

#[test]
fn s10_the_realm_is_never_made_of_a_requests_host() {
    bearer(|_| ()).play(
        "C: GET /v2/\nC: Host: evil.example\nC: X-Forwarded-Host: evil.example\nS: 401\nS: WWW-Authenticate: Bearer realm=\"https://reg.example/token\",service=\"longshore-mock-registry\"",
    );
}

#[test]
fn s8_tokens_are_opaque_and_differ_with_the_seed() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in [[0; 32], [1; 32]] {
        let mut stage = bearer(|_| ());
        stage.registry.reseed(seed);
        for name in ["a", "b"] {
            stage.play(&token(name, "alice", ""));
            assert_eq!(stage.value(name).len(), 64);
            assert!(seen.insert(stage.value(name).to_owned()));
        }
    }
}

#[test]
fn a_token_that_a_fault_ends() {
    let mut stage = bearer(|_| ());
    stage.registry.options.faults = "end-4a#2: token-expired".parse().unwrap();
    stage.play(&token("t", "alice", "&scope=repository:team/a:pull,push"));
    let post = "C: POST /v2/team/a/blobs/uploads/\nC: Authorization: Bearer {t}\nS: ";
    stage.play(&format!("{post}202\n{post}401\n{post}401"));
    stage.play(&token("u", "alice", "&scope=repository:team/a:pull,push"));
    stage.play("C: POST /v2/team/a/blobs/uploads/\nC: Authorization: Bearer {u}\nS: 202");
}

#[test]
fn forms_of_challenges() {
    let get = "C: GET /v2/team/a/tags/list\nS: 401\nS: WWW-Authenticate: ";
    let service = "service=\"longshore-mock-registry\"";
    let realm = "realm=\"https://reg.example/token\"";
    let scope = "scope=\"repository:team/a:pull\"";
    bearer(|b| b.auth.challenge = ChallengeForm::Lower)
        .play(&format!("{get}bearer realm=https://reg.example/token,{service},{scope}"));
    bearer(|b| b.auth.challenge = ChallengeForm::BareBasic)
        .play(&format!("{get}Bearer {realm},{service},{scope}\nS: WWW-Authenticate: Basic"));
    bearer(|b| b.auth.challenge = ChallengeForm::Several)
        .play(&format!("{get}Negotiate, Basic realm=\"longshore-mock-registry\", Bearer {realm},{service},{scope}"));
    for (form, expected) in [
        (ChallengeScope::Absent, String::new()),
        (ChallengeScope::Empty, ",scope=\"\"".to_owned()),
        (ChallengeScope::Star, ",scope=\"*\"".to_owned()),
        (ChallengeScope::ShortName, ",scope=\"repository:a:pull\"".to_owned()),
    ] {
        bearer(|b| b.auth.scope = form).play(&format!("{get}Bearer {realm},{service}{expected}"));
    }
    bearer(|b| b.auth.service = false).play(&format!("{get}Bearer {realm},{scope}"));
    for (form, expected) in
        [(Realm::Path, "/token"), (Realm::Downgraded, "http://reg.example:443/token"), (Realm::Words, "Registry Realm")]
    {
        bearer(|b| b.auth.realm = form).play(&format!("{get}Bearer realm=\"{expected}\",{service},{scope}"));
    }
    bearer(|b| b.auth.only_base_is_challenged = true).play(
        "C: GET /v2/team/a/tags/list\nS: 401\nS: !www-authenticate\nC: GET /v2/\nS: 401\nS: WWW-Authenticate: {challenge}",
    );
    bearer(|b| b.auth.open_base = true)
        .play(&format!("C: GET /v2/\nS: 200\nS: WWW-Authenticate: Bearer {realm},{service}"));
    bearer(|b| b.auth.flips_to_basic = true).play(&format!(
        "{get}Bearer {realm},{service},{scope}
         C: GET /v2/team/a/tags/list\nC: Authorization: Bearer old\nS: 401\nS: WWW-Authenticate: Basic realm=\"longshore-mock-registry\""
    ));
    stage(AuthScheme::Basic, |b| b.auth.challenge = ChallengeForm::Lower)
        .play("C: GET /v2/\nS: 401\nS: WWW-Authenticate: basic realm=longshore-mock-registry");
}

#[test]
fn other_statuses() {
    let mut stage_403 = bearer(|b| b.auth.insufficient_scope = 403);
    stage_403.play(&token("t", "alice", ""));
    stage_403.play(
        "C: GET /v2/team/a/tags/list\nC: Authorization: Bearer {t}\nS: 403\nS: WWW-Authenticate: {challenge}
         C: GET /v2/team/a/tags/list\nS: 401",
    );
    stage(AuthScheme::Basic, |b| b.auth.expired_as_text = true)
        .play("C: GET /v2/\nC: Authorization: Basic {wrong}\nS: 403\nS: Content-Type: text/plain\nC: GET /v2/\nS: 401");
    let mut absent = bearer(|b| b.auth.absent_needs_push = true);
    absent.play(&token("t", "alice", "&scope=repository:team/a:pull"));
    absent.play(&token("u", "alice", "&scope=repository:team/a:pull,push"));
    absent.play(
        "C: HEAD /v2/team/a/manifests/v1\nC: Authorization: Bearer {t}\nS: 401
         C: HEAD /v2/team/a/manifests/v1\nC: Authorization: Bearer {u}\nS: 404",
    );
    let mut cancel = bearer(|b| b.auth.cancel_needs_delete = true);
    cancel.play(&token("t", "root", "&scope=repository:a:pull,push"));
    cancel.play(
        "C: POST /v2/a/blobs/uploads/\nC: Authorization: Bearer {t}\nS: 202\nS: Location: {location}
         C: DELETE {location}\nC: Authorization: Bearer {t}\nS: 401",
    );
    let mut cookies = bearer(|b| b.auth.cookies = true);
    cookies.play(&token("t", "alice", "&scope=repository:team/a:pull,push"));
    cookies.play(
        "C: GET /v2/\nS: 401\nS: Set-Cookie: sid=1; Path=/; HttpOnly
         C: POST /v2/team/a/blobs/uploads/\nC: Authorization: Bearer {t}\nC: Cookie: sid=1\nS: 403
         C: POST /v2/team/a/blobs/uploads/\nC: Authorization: Bearer {t}\nS: 202",
    );
}

#[test]
fn other_token_servers() {
    bearer(|b| b.auth.post_refused = Some(404))
        .play("C: POST /token\nC:\nC: grant_type=password&username=alice&password=wonderland\nS: 404");
    bearer(|b| b.auth.delete_scope_refused = Some(400))
        .play("C: GET /token?scope=repository:team/a:pull,delete\nC: Authorization: Basic {root}\nS: 400");
    bearer(|b| b.auth.foreign_scope_refused = Some(401)).play(
        "C: GET /token?scope=repository:team/a:pull&scope=repository:secret:pull\nC: Authorization: Basic {alice}\nS: 401
         C: GET /token?scope=repository:team/a:pull\nC: Authorization: Basic {alice}\nS: 200",
    );
    let mut first = bearer(|b| b.auth.first_scope_only = true);
    first.play(&token("t", "alice", "&scope=repository:team/a:pull&scope=repository:team/b:pull"));
    first.play(
        "C: GET /v2/team/a/tags/list\nC: Authorization: Bearer {t}\nS: 404
         C: GET /v2/team/b/tags/list\nC: Authorization: Bearer {t}\nS: 401",
    );
    let get = "C: GET /token\nC: Authorization: Basic {alice}\nS: 200\nS:\nS: ";
    bearer(|b| b.auth.token_field = TokenField::Token)
        .play(&format!("{get}{{\"expires_in\":300,\"token\":\"{{t}}\"}}"));
    bearer(|b| {
        b.auth.token_field = TokenField::AccessToken;
        b.auth.expires_in = false;
    })
    .play(&format!("{get}{{\"access_token\":\"{{t}}\"}}"));
}

#[test]
fn a_token_that_ends_while_the_body_comes() {
    use longshore_mock_registry::{BodyEnd, Instant, Opened};
    for checked in [true, false] {
        let mut stage = bearer(|b| b.auth.checked_at_end = checked);
        stage.play(&token("t", "alice", "&scope=repository:team/a:pull,push"));
        let post = http::Request::post(stage.fill("/v2/team/a/blobs/uploads/?digest={hello}"))
            .header("authorization", stage.fill("Bearer {t}"));
        let head = post.body(()).unwrap().into_parts().0;
        let Opened::Body(id) = stage.registry.open(Instant::ZERO, head) else { panic!("answered early") };
        let _ = stage.registry.piece(id, &"hello".into());
        let answer = stage.registry.close(Instant::from_micros(300_000_000), id, BodyEnd::Complete);
        assert_eq!(answer.status, if checked { 401 } else { 201 });
        assert_eq!(answer.headers.contains_key("www-authenticate"), checked);
        // What came too late is not there.
        let contents = stage.registry.state.repositories.get(&"team/a".parse().unwrap());
        assert_eq!(contents.is_some_and(|contents| !contents.blobs.is_empty()), !checked);
    }
}
