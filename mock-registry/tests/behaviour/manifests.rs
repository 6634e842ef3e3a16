use longshore_mock_registry::Behaviour;
use longshore_mock_registry::behaviour::{
    BadDigest, DigestHeader, DuplicatePut, Echo, EtagForm, ImmutableTags, ManifestLocation, MissingReference,
    RefusedTypes,
};

use crate::stage;
use crate::transcript::{Stage, image, sha256};

/// A registry that has what `{image}` refers to; `{other}` is another manifest of the same blobs.
fn ready(change: impl FnOnce(&mut Behaviour)) -> Stage {
    let mut stage = stage(change);
    let one = image(&mut stage, "a", "");
    let other = image(&mut stage, "a", r#","annotations":{"other":"1"}"#);
    let digest = sha256(&one);
    stage.with("image", one).with("digest", digest).with("other", other)
}

fn put(name: &str, document: &str, expected: &str) -> String {
    format!("C: PUT /v2/a/manifests/{name}\nC:\nC: {document}\nS: {expected}\n")
}

fn code(status: u16, code: &str) -> String {
    format!("{status}\nS:\nS: {{\"errors\":[{{\"code\":\"{code}\"{{more}}")
}

#[test]
fn answers_to_success() {
    for status in [200, 202, 204] {
        ready(|b| b.manifests.status = status).play(&put(
            "v1",
            "{image}",
            &format!("{status}\nS: Docker-Content-Digest: {{digest}}"),
        ));
    }
    let locations = [
        (ManifestLocation::Digest, "Location: /v2/a/manifests/{digest}"),
        (ManifestLocation::Reference, "Location: /v2/a/manifests/v1"),
        (ManifestLocation::Upload, "Location: /v2/a/blobs/uploads/{digest}"),
        (ManifestLocation::PrivateHost, "Location: http://10.0.0.7:80/v2/a/manifests/v1"),
        (ManifestLocation::Absent, "!location"),
    ];
    for (location, expected) in locations {
        ready(|b| b.manifests.location = location).play(&put("v1", "{image}", &format!("201\nS: {expected}")));
    }
    ready(|b| b.manifests.digest = DigestHeader::Absent).play(&put("v1", "{image}", "201\nS: !docker-content-digest"));
    let mut wrong = ready(|b| b.manifests.digest = DigestHeader::Wrong);
    wrong.play(&put("v1", "{image}", "201\nS: Docker-Content-Digest: {given}"));
    assert_ne!(wrong.value("given"), wrong.value("digest"));
    ready(|b| b.manifests.echo = Echo::Manifest).play(&put("v1", "{image}", "201\nS:\nS: {image}"));
    ready(|b| b.manifests.echo = Echo::Text).play(&put(
        "v1",
        "{image}",
        "201\nS: Content-Type: text/html; charset=utf-8\nS:\nS: OK",
    ));
}

#[test]
fn etags() {
    ready(|_| ()).play(&put("v1", "{image}", "201\nS: ETag: \"{digest}\""));
    ready(|b| b.manifests.etag = EtagForm::Absent).play(&put("v1", "{image}", "201\nS: !etag"));
    let mut unquoted = ready(|b| b.manifests.etag = EtagForm::Unquoted);
    unquoted.play(&put("v1", "{image}", "201\nS: ETag: {etag}"));
    assert_eq!(unquoted.value("etag").len(), 40);
    unquoted.play("C: GET /v2/a/manifests/v1\nS: 200\nS: ETag: {etag}");
    let mut read = ready(|b| b.manifests.etag_when_stored = false);
    read.play(&put("v1", "{image}", "201\nS: !etag"));
    for method in ["GET", "HEAD"] {
        read.play(&format!("C: {method} /v2/a/manifests/v1\nS: 200\nS: ETag: \"{{digest}}\""));
    }
}

#[test]
fn missing_references() {
    let kinds = [
        (MissingReference::ManifestBlobUnknown, code(400, "MANIFEST_BLOB_UNKNOWN")),
        (MissingReference::ManifestBlobUnknownNotFound, code(404, "MANIFEST_BLOB_UNKNOWN")),
        (MissingReference::BlobUnknown, code(400, "BLOB_UNKNOWN")),
        (MissingReference::BlobUnknownNotFound, code(404, "BLOB_UNKNOWN")),
        (MissingReference::ManifestInvalid, code(400, "MANIFEST_INVALID")),
        (MissingReference::Accepted, "201".to_owned()),
    ];
    for (kind, expected) in kinds {
        let put = format!("C: PUT /v2/b/manifests/v1\nC:\nC: {{image}}\nS: {expected}");
        ready(|b| b.manifests.missing_reference = kind).play(&put);
    }
}

const SUBJECT: &str =
    r#","subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":9}"#;

#[test]
fn subjects_that_must_exist_and_artifacts_refused() {
    let mut stage = ready(|b| b.manifests.subject_must_exist = true);
    let subject = stage.fill(SUBJECT);
    let referrer = image(&mut stage, "a", &subject);
    stage.play(&put("v2", &referrer, &code(400, "MANIFEST_BLOB_UNKNOWN")));
    stage.play(&put("v1", "{image}", "201")).play(&put("v2", &referrer, "201"));

    let artifact = image(&mut stage, "a", r#","artifactType":"application/x""#);
    let mut stage = ready(|b| b.manifests.artifacts_refused = Some(405));
    stage.play(&put("v1", "{image}", "201"));
    for document in [&referrer, &artifact] {
        stage.play(&put("v2", document, &code(405, "UNSUPPORTED")));
    }
}

#[test]
fn tastes() {
    let mut stage = ready(|b| b.manifests.media_type_required = true);
    let bare = stage
        .value("image")
        .replace(r#""mediaType":"application/vnd.oci.image.manifest.v1+json","config""#, r#""config""#);
    assert_ne!(bare, stage.value("image"));
    let put_bare = format!(
        "C: PUT /v2/a/manifests/v2\nC: Content-Type: application/vnd.oci.image.manifest.v1+json\nC:\nC: {bare}\nS: "
    );
    stage.play(&put("v1", "{image}", "201")).play(&format!("{put_bare}405"));
    ready(|_| ()).play(&format!("{put_bare}201"));

    for status in [415, 400, 405, 500] {
        let types = vec!["application/vnd.oci.image.manifest.v1+json".to_owned()];
        ready(|b| b.manifests.refused_types = RefusedTypes::new(types, status)).play(&put(
            "v1",
            "{image}",
            &status.to_string(),
        ));
    }
    ready(|b| b.manifests.empty_config_refused = true).play(&put("v1", "{image}", "400"));
    ready(|b| b.manifests.no_layers_refused = true).play(&put("v1", "{image}", "400"));
}

#[test]
fn types_under_a_tag() {
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    ready(|_| ()).play(&[put("v1", "{image}", "201"), put("v1", index, "201")].concat());
    ready(|b| b.manifests.type_change_refused = true)
        .play(&[put("v1", "{image}", "201"), put("v1", index, "400"), put("v1", "{other}", "201")].concat());
}

#[test]
fn digests_unverified() {
    ready(|b| b.manifests.unverified = true)
        .play(&[put("{absent}", "{image}", "201"), "C: GET /v2/a/manifests/{absent}\nS: 200".to_owned()].concat());
}

#[test]
fn duplicates() {
    let mut stage = ready(|b| b.manifests.duplicate = DuplicatePut::ConflictWithin(1000));
    stage.play(&[put("v1", "{image}", "201"), put("v2", "{image}", "201"), put("v1", "{other}", "201")].concat());
    stage.play(&put("v1", "{other}", "409"));
    stage.now = 1000;
    stage.play(&put("v1", "{other}", "201"));
}

#[test]
fn s4_immutable_tags_all_of_them() {
    let kinds = [(409, "TAG_IMMUTABLE"), (412, "PRECONDITION"), (403, "DENIED"), (400, "TAG_INVALID")];
    for (status, given) in kinds {
        for same_is_fine in [true, false] {
            let rule = ImmutableTags::new(status, given, same_is_fine);
            let same = if same_is_fine { "201".to_owned() } else { code(status, given) };
            for tag in ["v1", "latest"] {
                ready(|b| b.manifests.immutable_tags = Some(rule.clone())).play(
                    &[
                        put(tag, "{image}", "201"),
                        put(tag, "{image}", &same),
                        put(tag, "{other}", &code(status, given)),
                        put("{digest}", "{image}", "201"),
                        put(
                            &format!("{{digest}}?tag={tag}&tag=new"),
                            "{image}",
                            if same_is_fine { "201" } else { "4" },
                        ),
                    ]
                    .concat()
                    .replace("S: 4\n", &format!("S: {status}\n")),
                );
            }
        }
    }
}

#[test]
fn conditions_ignored() {
    ready(|b| b.manifests.conditions = false).play(
        &[
            put("v1", "{image}", "201"),
            "C: PUT /v2/a/manifests/v1\nC: If-None-Match: *\nC: If-Match: \"x\"\nC:\nC: {other}\nS: 201".to_owned(),
        ]
        .concat(),
    );
}

#[test]
fn tags_in_the_query_ignored() {
    ready(|b| b.manifests.tag_parameters = false).play(
        &[put("{digest}?tag=v1", "{image}", "201\nS: !oci-tag"), "C: GET /v2/a/manifests/v1\nS: 404".to_owned()]
            .concat(),
    );
}

#[test]
fn limits_and_bad_references() {
    let mut stage = ready(|b| b.manifests.over_limit = 400);
    stage.registry.options.limits.manifest = 10;
    stage.play(&put("v1", "{image}", "400"));
    ready(|b| b.manifests.bad_reference = 404).play(&put(
        "sha256:totallywrong",
        "{image}",
        "404\nS: Content-Type: text/plain; charset=utf-8",
    ));
}

#[test]
fn malformed_digests() {
    for (change, of_digest, of_tag) in [
        ((|_| ()) as fn(&mut Behaviour), code(400, "DIGEST_INVALID"), code(400, "MANIFEST_INVALID")),
        (|b| b.manifests.bad_digest = BadDigest::Refused(500), code(500, "UNKNOWN"), code(400, "MANIFEST_INVALID")),
    ] {
        ready(change).play(&put("sha256:totallywrong", "{image}", &of_digest));
        ready(change).play(&put(".no", "{image}", &of_tag));
        ready(change).play(&format!("C: GET /v2/a/manifests/sha256:totallywrong\nS: {of_digest}"));
        ready(change).play(&format!("C: GET /v2/a/manifests/.no\nS: {}", code(404, "MANIFEST_UNKNOWN")));
    }
    ready(|b| {
        b.manifests.bad_digest = BadDigest::Refused(500);
        b.read.bad_reference_as_text = true;
    })
    .play("C: HEAD /v2/a/manifests/sha256:00\nS: 500\nC: HEAD /v2/a/manifests/.no\nS: 404");
}

#[test]
fn read_only() {
    for status in [403, 405] {
        let mut stage = ready(|_| ());
        stage.registry.options.behaviour.manifests.read_only = Some(status);
        stage.play(&put("v1", "{image}", &code(status, "DENIED")));
        stage.play(&format!("C: POST /v2/a/blobs/uploads/\nS: {status}\nC: GET /v2/a/tags/list\nS: 200"));
    }
}

#[test]
fn families_are_not_mixed() {
    let mixed = |of: &str, config: &str, layer: &str| {
        let digest = "{config}";
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{of}","config":{{"mediaType":"{config}","digest":"{digest}","size":2}},"layers":[{{"mediaType":"{layer}","digest":"{digest}","size":2}}]}}"#
        )
    };
    let (oci, docker) = ("application/vnd.oci.image", "application/vnd.docker");
    let (of, of_docker) = (format!("{oci}.manifest.v1+json"), format!("{docker}.distribution.manifest.v2+json"));
    let (config, layer) = (format!("{oci}.config.v1+json"), format!("{oci}.layer.v1.tar+gzip"));
    let docker_layer = format!("{docker}.image.rootfs.diff.tar.gzip");
    let table = [
        (mixed(&of, &config, &layer), "201"),
        (mixed(&of, "application/x", &layer), "201"),
        (mixed(&of, &config, &docker_layer), "400"),
        (mixed(&of_docker, &config, &docker_layer), "400"),
        (mixed(&of_docker, "application/x", &docker_layer), "201"),
    ];
    for (document, expected) in table {
        let ready = |change: fn(&mut Behaviour)| ready(change).with("config", sha256("{}"));
        ready(|b| b.manifests.mixed_types_refused = true).play(&put("v1", &document, expected));
        ready(|_| ()).play(&put("v1", &document, "201"));
    }
}

fn list(media_type: &str, extra: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{digest}}","size":9{extra}}}]}}"#
    )
}

#[test]
fn annotations_in_dockers_lists() {
    let annotated = r#","annotations":{"a":"b"}"#;
    let (docker, oci) =
        ("application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json");
    for (media_type, extra, expected) in [(docker, annotated, "400"), (docker, "", "201"), (oci, annotated, "201")] {
        ready(|b| b.manifests.annotations_refused = true)
            .play(&[put("{digest}", "{image}", "201"), put("v1", &list(media_type, extra), expected)].concat());
    }
}

#[test]
fn what_no_tag_names_goes() {
    let get = |name: &str, expected: &str| format!("C: GET /v2/a/manifests/{name}\nS: {expected}\n");
    let mut stage = ready(|b| b.manifests.untagged_lifetime = Some(1000));
    stage.play(&put("{digest}", "{image}", "201"));
    stage.now = 999;
    stage.play(&get("{digest}", "200"));
    stage.now = 1000;
    stage.play(&get("{digest}", "404"));
    let list = list("application/vnd.oci.image.index.v1+json", "");
    stage.play(&[put("{digest}", "{image}", "201"), put("v1", &list, "201")].concat());
    let subject = stage.fill(SUBJECT);
    let referrer = image(&mut stage, "a", &subject);
    let its_digest = sha256(&referrer).to_string();
    stage.play(&put(&its_digest, &referrer, "201"));
    stage.now = 9000;
    stage.play(&[get("{digest}", "200"), get("v1", "200"), get(&its_digest, "200")].concat());
}
