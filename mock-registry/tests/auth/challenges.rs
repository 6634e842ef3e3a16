//! Challenges, passwords and statuses.

use longshore_mock_registry::auth::AuthScheme;
use longshore_mock_registry::behaviour::{ChallengeForm, ChallengeScope, Realm};

use crate::{bearer, stage, token};

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
    use longshore_mock_registry::RegistryOptions;
    use longshore_mock_registry::auth::Auth;

    use crate::basic;
    use crate::transcript::Stage;

    let hash = bcrypt::hash_with_salt("open sesame", 4, *b"0123456789abcdef").unwrap().to_string();
    let auth = Auth::basic().with_htpasswd(&format!("ali:{hash}\nbaba:{hash}:team/*=pull\n")).unwrap();
    let options = RegistryOptions::default().with_auth(auth);
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

#[test]
fn s10_the_realm_is_never_made_of_a_requests_host() {
    bearer(|_| ()).play(
        "C: GET /v2/\nC: Host: evil.example\nC: X-Forwarded-Host: evil.example\nS: 401\nS: WWW-Authenticate: Bearer realm=\"https://reg.example/token\",service=\"longshore-mock-registry\"",
    );
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
