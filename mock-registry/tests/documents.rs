//! What the registry reads of a manifest, apart from the client's reading: what is missing, `null` or odd is data, and every
//! type of document that refers to something waits for it.

mod transcript;

use longshore_core::{Digest, MediaType};
use longshore_mock_registry::RegistryOptions;
use transcript::{Stage, image, sha256};

/// A registry that has the blobs of one image; `{manifest}` is that image.
fn stage() -> Stage {
    let mut stage = Stage::new(RegistryOptions::default());
    let manifest = image(&mut stage, "a", "");
    stage.with("manifest", manifest)
}

/// What a PUT is answered with, and that only what was taken is there.
fn put(stage: &mut Stage, media_type: &str, document: &str, status: u16) {
    stage.play(&format!(
        "C: PUT /v2/a/manifests/v1\nC: Content-Type: {media_type}\nC:\nC: {document}\nS: {status}\nC: GET /v2/a/manifests/v1\nS: {}",
        if status == 201 { 200 } else { 404 }
    ));
}

#[test]
fn what_is_null_missing_or_empty_is_absent() {
    let own_type = r#""mediaType":"application/vnd.oci.image.manifest.v1+json""#;
    let config_type = r#""mediaType":"application/vnd.oci.empty.v1+json""#;
    for (before, after) in [
        (own_type, r#""mediaType":null"#),
        (own_type, r#""mediaType":"""#),
        (own_type, r#""manifests":null,"subject":null,"artifactType":null,"annotations":null"#),
        (own_type, r#""annotations":{"Name":"a","name":"b","Size":null}"#),
        (own_type, r#""unknown":{"Digest":1},"unknown":2"#),
        (config_type, r#""mediaType":null"#),
        (config_type, r#""mediaType":"","urls":null,"annotations":null,"platform":{"os":null}"#),
        (r#""layers":[]"#, r#""layers":null"#),
    ] {
        let stage = stage();
        let odd = stage.value("manifest").replacen(before, after, 1);
        assert_ne!(odd, stage.value("manifest"));
        put(&mut stage.with("odd", odd), MediaType::OCI_MANIFEST, "{odd}", 201);
    }
}

#[test]
fn an_entry_of_an_index_without_a_type_is_a_manifest() {
    for media_type in ["", r#""mediaType":null,"#, r#""mediaType":"","#] {
        let mut stage = stage();
        let index = |digest: Digest| {
            format!(
                r#"{{"schemaVersion":2,"manifests":[{{{media_type}"digest":"{digest}","size":1,"platform":{{"os":null}}}}]}}"#
            )
        };
        let (there, absent) = (index(sha256(stage.value("manifest"))), index(sha256("absent")));
        stage.play("C: PUT /v2/a/manifests/image\nC: Content-Type: application/vnd.oci.image.manifest.v1+json\nC:\nC: {manifest}\nS: 201");
        let mut stage = stage.with("there", there).with("absent", absent);
        put(&mut stage, MediaType::OCI_INDEX, "{absent}", 400);
        put(&mut stage, MediaType::OCI_INDEX, "{there}", 201);
    }
}

#[test]
fn artifact_manifests_and_schema_1_wait_for_their_blobs() {
    let artifact = |digest: &str| {
        format!(
            r#"{{"mediaType":"{}","artifactType":"a/b","blobs":[{{"mediaType":"a/b","digest":"{digest}","size":5}}]}}"#,
            MediaType::OCI_ARTIFACT
        )
    };
    let schema1 = |digest: &str| {
        format!(r#"{{"schemaVersion":1,"name":"a","tag":"v1","fsLayers":[{{"blobSum":"{digest}"}}],"signatures":[]}}"#)
    };
    #[expect(clippy::type_complexity, reason = "two closures in a table")]
    let documents: [(&str, &dyn Fn(&str) -> String); 2] =
        [(MediaType::OCI_ARTIFACT, &artifact), (MediaType::DOCKER_SCHEMA1, &schema1)];
    for (media_type, document) in documents {
        let mut stage = Stage::new(RegistryOptions::default())
            .with("document", document(&sha256("hello").to_string()))
            .with("bad", document("x"));
        put(&mut stage, media_type, "{bad}", 400);
        put(&mut stage, media_type, "not json", 400);
        put(&mut stage, media_type, "{document}", 400);
        let digest = sha256("hello");
        stage.play(&format!("C: POST /v2/a/blobs/uploads/?digest={digest}\nC:\nC: hello\nS: 201"));
        put(&mut stage, media_type, "{document}", 201);
    }
}
