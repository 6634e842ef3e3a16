use super::*;

const IMAGE: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.example.config","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":null,"annotations":{"k":"v"}}"#;

fn with(json: &str, field: &str) -> String {
    json.replacen('{', &format!("{{{field},"), 1)
}

#[test]
fn a_document_without_media_type_is_what_its_fields_say() {
    assert_eq!(Manifest::parse(IMAGE).unwrap().media_type(), &MediaType::oci_manifest());
    let docker = IMAGE.replace("application/vnd.example.config", MediaType::DOCKER_CONFIG);
    assert_eq!(Manifest::parse(docker).unwrap().media_type().as_str(), MediaType::DOCKER_MANIFEST);
    assert_eq!(Manifest::parse(r#"{"manifests":[]}"#).unwrap().media_type(), &MediaType::oci_index());
    assert_eq!(Manifest::parse("{}"), Err(ManifestError::NoMediaType));
}

/// CVE-2021-41190: whatever the `Content-Type`, a document of both kinds means two things.
#[test]
fn i15_documents_of_both_kinds_are_refused() {
    let types = [MediaType::OCI_MANIFEST, MediaType::OCI_INDEX, MediaType::DOCKER_MANIFEST, MediaType::DOCKER_LIST];
    for media_type in types.map(MediaType::known) {
        let null = with(IMAGE, r#""manifests":null"#);
        assert_eq!(Manifest::parse_as(media_type.clone(), null).is_ok(), media_type.is_image(), "null is absence");
        for both in [with(IMAGE, r#""manifests":[]"#), with(IMAGE, r#""manifests":[{}]"#)] {
            assert_eq!(Manifest::parse_as(media_type.clone(), both.clone()), Err(ManifestError::BothKinds));
            let said = with(&both, &format!(r#""mediaType":"{media_type}""#));
            assert_eq!(Manifest::parse(said), Err(ManifestError::BothKinds));
        }
        for index_with in [r#""layers":[]"#, r#""config":{}"#] {
            let both = with(r#"{"manifests":[]}"#, index_with);
            assert!(Manifest::parse_as(media_type.clone(), both).is_err());
        }
    }
}

#[test]
fn i15_the_field_and_the_type_agree() {
    let said = with(IMAGE, &format!(r#""mediaType":"{}""#, MediaType::OCI_MANIFEST));
    assert!(Manifest::parse_as(MediaType::oci_manifest(), said.clone()).is_ok());
    let given = MediaType::known(MediaType::DOCKER_MANIFEST);
    let expected = ManifestError::MediaTypeMismatch { field: MediaType::oci_manifest(), given: given.clone() };
    assert_eq!(Manifest::parse_as(given, said), Err(expected));
}

#[test]
fn i17_the_bytes_are_kept() {
    let spaced = format!("  {IMAGE}\n\n");
    let manifest = Manifest::parse(spaced.clone()).unwrap();
    assert_eq!(manifest.bytes(), spaced.as_bytes());
    assert_eq!(manifest.digest(), Digest::of(Algorithm::Sha256, spaced.as_bytes()));
    assert_eq!(manifest.descriptor().size, spaced.len() as u64);
}

#[test]
fn a_referrers_entry_has_type_and_annotations() {
    let entry = Manifest::parse(IMAGE).unwrap().referrer();
    assert_eq!(entry.artifact_type.as_deref(), Some("application/vnd.example.config"));
    assert_eq!(entry.annotations.get("k").map(String::as_str), Some("v"));
    let named = Manifest::parse(with(IMAGE, r#""artifactType":"application/vnd.example.sbom""#)).unwrap();
    assert_eq!(named.referrer().artifact_type.as_deref(), Some("application/vnd.example.sbom"));
    let empty = Manifest::parse(with(IMAGE, r#""artifactType":"""#)).unwrap();
    assert_eq!(empty.referrer().artifact_type.as_deref(), Some("application/vnd.example.config"));
}

#[test]
fn other_types_are_not_looked_into() {
    let schema1 = Manifest::parse_as(MediaType::known(MediaType::DOCKER_SCHEMA1), "not json").unwrap();
    assert_eq!(schema1.document(), &Document::Other);
    assert_eq!(schema1.blobs().count() + schema1.children().count(), 0);
}

#[test]
fn i16_sizes_are_bounded() {
    for size in ["-1", "9223372036854775808", "18446744073709551616", "1.5", "\"1\""] {
        let bad = IMAGE.replace("\"size\":0", &format!("\"size\":{size}"));
        assert!(matches!(Manifest::parse(bad), Err(ManifestError::Malformed(_))), "{size}");
    }
    assert!(Manifest::parse(IMAGE.replace("\"size\":0", "\"size\":9223372036854775807")).is_ok());
}

#[test]
fn blobs_in_an_index_are_blobs() {
    let entry =
        |media_type: &str| format!(r#"{{"mediaType":"{media_type}","digest":"sha256:{}","size":1}}"#, "a".repeat(64));
    let index = format!(r#"{{"manifests":[{},{}]}}"#, entry(MediaType::OCI_MANIFEST), entry(MediaType::OCI_LAYER_GZIP));
    let index = Manifest::parse(index).unwrap();
    assert_eq!(index.children().count(), 1);
    assert_eq!(index.blobs().count(), 1);
}

#[test]
fn a_missing_or_empty_media_type_is_read_as_other_clients_read_it() {
    let media_type = |value: &str| with(IMAGE, &format!(r#""mediaType":{value}"#));
    for image in [media_type("null"), media_type(r#""""#)] {
        assert_eq!(Manifest::parse(image.clone()).unwrap().media_type(), &MediaType::oci_manifest());
        let docker = MediaType::known(MediaType::DOCKER_MANIFEST);
        assert_eq!(Manifest::parse_as(docker.clone(), image).unwrap().media_type(), &docker);
    }
    assert!(Manifest::parse(media_type(r#""image""#)).is_err(), "a type that is none decides nothing");
    let given_none = Manifest::parse_as(MediaType::absent(), IMAGE).unwrap();
    assert_eq!(given_none, Manifest::parse(IMAGE).unwrap());

    let untyped = IMAGE.replace(r#""mediaType":"application/vnd.example.config","#, "");
    let untyped = Manifest::parse(untyped).unwrap();
    assert_eq!((untyped.blobs().count(), untyped.artifact_type()), (1, None));
    let digest = Digest::of(Algorithm::Sha256, b"");
    for entry in ["", r#""mediaType":"","#, r#""mediaType":null,"#] {
        let index = format!(r#"{{"manifests":[{{{entry}"digest":"{digest}","size":0,"platform":{{"os":null}}}}]}}"#);
        let index = Manifest::parse(index).unwrap();
        assert_eq!((index.children().count(), index.blobs().count()), (1, 0), "an index lists manifests");
    }
}

#[test]
fn annotations_may_have_any_key() {
    let image =
        with(IMAGE, r#""x":1,"x":2"#).replace(r#"{"k":"v"}"#, r#"{"Name":"a","OS":"b","Size":null,"k":"v","k":"w"}"#);
    let annotations = Manifest::parse(image).unwrap().annotations().cloned().unwrap();
    let found: Vec<&str> = annotations.values().map(String::as_str).collect();
    assert_eq!(found, ["a", "b", "w"]);
}

#[test]
fn an_artifact_manifest_says_what_it_refers_to() {
    let digest = Digest::of(Algorithm::Sha256, b"");
    let blob = format!(r#"{{"mediaType":"application/octet-stream","digest":"{digest}","size":0}}"#);
    let subject = format!(r#"{{"mediaType":"{}","digest":"{digest}","size":0}}"#, MediaType::OCI_MANIFEST);
    let kind = MediaType::OCI_ARTIFACT;
    let text = format!(
        r#"{{"mediaType":"{kind}","artifactType":"a/b","blobs":[{blob}],"subject":{subject},"annotations":{{"a":"b"}}}}"#
    );
    for manifest in [Manifest::parse(text.clone()), Manifest::parse_as(kind.parse().unwrap(), text)] {
        let manifest = manifest.unwrap();
        assert_eq!(manifest.blobs().map(|blob| blob.digest).collect::<Vec<_>>(), [digest]);
        assert_eq!(manifest.subject().map(|subject| subject.digest), Some(digest));
        assert_eq!((manifest.artifact_type(), manifest.children().count()), (Some("a/b"), 0));
        assert_eq!(manifest.referrer().annotations.len(), 1);
    }
    assert!(Manifest::parse_as(kind.parse().unwrap(), "{}").is_ok_and(|empty| empty.blobs().count() == 0));
    assert!(Manifest::parse_as(kind.parse().unwrap(), r#"{"blobs":7}"#).is_err());
}
