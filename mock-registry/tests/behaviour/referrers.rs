use longshore_mock_registry::Behaviour;
use longshore_mock_registry::behaviour::{ReferrersApi, SubjectHeader};

use crate::stage;
use crate::transcript::{Stage, image, sha256};

/// A registry into which a referrer of `{absent}` was pushed, whose digest is `{referrer}`.
fn referring(change: impl FnOnce(&mut Behaviour), header: &str) -> Stage {
    let mut stage = stage(change);
    let subject =
        r#","subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{absent}","size":9}"#;
    let subject = stage.fill(subject);
    let manifest = image(&mut stage, "a", &subject);
    stage.play(&format!("C: PUT /v2/a/manifests/{}\nC:\nC: {manifest}\nS: 201\nS: {header}", sha256(&manifest)));
    stage.with("referrer", sha256(&manifest)).with("length", manifest.len())
}

const GET: &str = "C: GET /v2/a/referrers/{absent}\nS: ";

#[test]
fn other_answers() {
    let api = |api, expected: &str| {
        referring(|b| b.referrers.api = api, "!oci-subject").play(&format!("{GET}{expected}"));
    };
    api(ReferrersApi::NotFound, "404\nS:\nS: {\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"{more}");
    api(ReferrersApi::NoRoute, "404\nS: Content-Type: text/plain; charset=utf-8\nS:\nS: 404 page not found{newline}");
    api(
        ReferrersApi::SeeOther,
        "303\nS: Content-Type: text/html\nS: Location: https://www.registry.example/-/v2/referrers",
    );
    api(ReferrersApi::Html, "200\nS: Content-Type: text/html; charset=utf-8");
    api(ReferrersApi::OtherJson, "200\nS: Content-Type: application/json\nS:\nS: {\"data\":[]}");
    for status in [400, 403, 405, 406, 415] {
        api(ReferrersApi::Refused(status), &status.to_string());
    }
}

#[test]
fn subject_headers() {
    referring(|_| (), "OCI-Subject: {absent}");
    referring(|b| b.referrers.subject = SubjectHeader::Never, "!oci-subject").play(&format!("{GET}200"));
    let lies = |b: &mut Behaviour| {
        b.referrers.subject = SubjectHeader::Always;
        b.referrers.api = ReferrersApi::NotFound;
    };
    referring(lies, "OCI-Subject: {absent}").play(&format!("{GET}404"));
}

#[test]
fn filters_ignored() {
    referring(|b| b.referrers.filter = false, "OCI-Subject: {absent}").play(
        r#"C: GET /v2/a/referrers/{absent}?artifactType=application/other
           S: 200
           S: !oci-filters-applied
           S:
           S: {"manifests":[{"artifactType":"application/vnd.oci.empty.v1+json","digest":"{referrer}",{more}"#,
    );
}

#[test]
fn unknown_subjects() {
    referring(|b| b.referrers.unknown_subject = 400, "OCI-Subject: {absent}")
        .play(&format!("{GET}400\nC: GET /v2/a/referrers/{{referrer}}\nS: 200"));
}

#[test]
fn entries_without_artifact_type() {
    referring(|b| b.referrers.artifact_types = false, "OCI-Subject: {absent}").play(
        r#"C: GET /v2/a/referrers/{absent}
           S: 200
           S:
           S: {"manifests":[{"digest":"{referrer}","mediaType":"application/vnd.oci.image.manifest.v1+json","size":{length}}],{more}"#,
    );
}
