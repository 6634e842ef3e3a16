//! Who may do what: challenges and tokens.

use bytes::Bytes;
use http::{Method, Response};

use crate::stage::{IMAGE, NAME, SOURCE, Stage};

type Scene = fn(&mut Stage) -> Response<Bytes>;

pub(crate) const SCENES: &[(&str, Scene)] = &[
    ("ping", |stage| stage.get("/v2/")),
    ("challenge", |stage| users(stage).get("/v2/")),
    ("challenge_post_upload", |stage| users(stage).post(&format!("/v2/{NAME}/blobs/uploads/"))),
    ("challenge_manifest_put", |stage| {
        let image = stage.image(true, None);
        users(stage).put_manifest("v1", IMAGE, &image)
    }),
    ("challenge_manifest_head", |stage| users(stage).head(&format!("/v2/{NAME}/manifests/v1"))),
    ("challenge_blob_head", |stage| {
        let path = blob(stage);
        users(stage).head(&path)
    }),
    ("challenge_blob_get", |stage| {
        let path = blob(stage);
        users(stage).get(&path)
    }),
    ("challenge_blob_delete", |stage| {
        let path = blob(stage);
        users(stage).delete(&path)
    }),
    ("challenge_mount", |stage| {
        let path = mount(stage);
        users(stage).post(&path)
    }),
    ("challenge_tags_list", |stage| users(stage).get(&format!("/v2/{NAME}/tags/list"))),
    ("challenge_catalog", |stage| users(stage).get("/v2/_catalog")),
    ("token_get", |stage| users(stage).token(&format!("repository:{NAME}:pull,push"))),
    ("token_get_with_invalid_source_scope", |stage| {
        stage.with_users(&format!("{NAME}=*"));
        stage.token(&format!("repository:{NAME}:pull,push&scope=repository:{SOURCE}:pull"))
    }),
    ("mount_without_source_scope_in_token", |stage| {
        stage.store_blob(SOURCE);
        users(stage).signed_with(&format!("repository:{NAME}:pull,push"));
        let path = mount(stage);
        stage.post(&path)
    }),
    ("mount_source_not_readable", |stage| {
        stage.store_blob(SOURCE);
        stage.with_users(&format!("{NAME}=*"));
        stage.signed_with(&format!("repository:{NAME}:pull,push"));
        let path = mount(stage);
        stage.post(&path)
    }),
    ("manifest_head_repo_missing_pull_token", |stage| {
        users(stage).signed_with(&format!("repository:{NAME}:pull"));
        stage.head(&format!("/v2/{NAME}/manifests/v1"))
    }),
    ("post_upload_pull_token", |stage| {
        users(stage).signed_with(&format!("repository:{NAME}:pull"));
        stage.ask(&Method::POST, &format!("/v2/{NAME}/blobs/uploads/"), &[], &Bytes::new())
    }),
];

fn users(stage: &mut Stage) -> &mut Stage {
    stage.with_users("*=*");
    stage
}

fn blob(stage: &Stage) -> String {
    format!("/v2/{NAME}/blobs/{}", stage.digest())
}

fn mount(stage: &Stage) -> String {
    format!("/v2/{NAME}/blobs/uploads/?mount={}&from={SOURCE}", stage.digest())
}
