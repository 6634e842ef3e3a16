//! The examples that need no network but this machine's own, run.

#[path = "../examples/attach.rs"]
#[expect(dead_code, reason = "a test calls what `main` calls")]
mod attach;
#[path = "../examples/suspend_and_resume.rs"]
mod suspend_and_resume;

use longshore_core::{Digest, Manifest, Push, Reference};
use longshore_mock_registry::server::Server;
use longshore_mock_registry::{Registry, RegistryOptions};
use longshore_reqwest::{Http, Session};

#[test]
fn a_push_is_suspended_and_gone_on_with() {
    suspend_and_resume::main().unwrap();
}

#[tokio::test]
async fn an_sbom_is_attached_and_listed() {
    let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await.unwrap();
    let reference = format!("{}/library/app:v1", server.url().trim_start_matches("http://"));
    let reference: Reference = reference.parse().unwrap();
    tokio::spawn(server.serve(std::future::pending()));
    let session: Session<Digest> = Session::new(Http::default());
    let push = Push::new(reference.registry.clone(), reference.repository.clone());
    let image = push.root(Manifest::index([]).build().unwrap()).tag("v1".parse().unwrap());
    session.start(image).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sbom.json");
    std::fs::write(&file, "{}").unwrap();
    let referrers = attach::attach(&reference, &file).await.unwrap();
    let types: Vec<_> = referrers.iter().map(|referrer| referrer.artifact_type.as_deref()).collect();
    assert_eq!(types, [Some("application/spdx+json")]);
}
