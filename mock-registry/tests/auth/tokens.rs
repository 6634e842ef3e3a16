//! Tokens: how they are had, what they give, and how they end.

use longshore_mock_registry::behaviour::{Grants, TokenField};

use crate::{bearer, origin, token, with_secret};

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
         S: Allow: GET, POST
         C: GET /token?offline_token=true
         C: Authorization: Basic {alice}
         S: 200
         S:
         S: {\"access_token\":\"{v}\",\"expires_in\":300,\"refresh_token\":\"{again}\",\"token\":\"{v}\"}",
    );
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
