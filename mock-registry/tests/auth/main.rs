//! Users, challenges, tokens and rights.

mod challenges;
mod mounts;
mod tokens;
#[path = "../transcript/mod.rs"]
mod transcript;

use base64::Engine as _;
use longshore_core::{Host, Origin, Scheme};
use longshore_mock_registry::auth::{Auth, AuthScheme, Password, Rights};
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
    let mut options = RegistryOptions::default().with_origin(origin("reg.example")).with_auth(auth);
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

/// The same registry, where `secret` and `team/b` have a blob each.
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
