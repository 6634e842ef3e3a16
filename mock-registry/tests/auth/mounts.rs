//! What a mount needs.

use crate::transcript::sha256;
use crate::{token, with_secret};

/// Root puts a blob into `secret` and `team/b`.
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
