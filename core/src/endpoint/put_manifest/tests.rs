use super::*;
use crate::Algorithm;
use crate::endpoint::transcript::{answer, manifest, origin, parse, play, repository};

/// A manifest about the transcripts' manifest.
const REFERRER: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9","size":239}}"#;

#[test]
fn end_7a_by_tag() {
    let (origin, repository, manifest) = (origin(), repository(), manifest());
    let tag = "latest".parse().unwrap();
    let put = PutManifest {
        origin: &origin,
        repository: &repository,
        manifest: &manifest,
        name: PutName::Tag(&tag),
        condition: Condition::None,
    };
    let stored = play(
        "end-7a",
        &put,
        r#"C: PUT /v2/library/ubuntu/manifests/latest HTTP/1.1
           C: Host: registry.example.org
           C: Content-Length: 239
           C: Content-Type: application/vnd.oci.image.manifest.v1+json
           C:
           C: {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}
           S: HTTP/1.1 201 Created
           S: Location: /v2/library/ubuntu/manifests/latest
           S: Docker-Content-Digest: sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9
           S:"#,
    );
    assert_eq!(stored, Ok(ManifestStored { confirmed: true, subject: None, tags: Vec::new() }));
}

#[test]
fn end_7a_by_digest_with_a_subject() {
    let (origin, repository) = (origin(), repository());
    let referrer = Manifest::parse(REFERRER).unwrap();
    let put = PutManifest {
        origin: &origin,
        repository: &repository,
        manifest: &referrer,
        name: PutName::Digest { tags: &[] },
        condition: Condition::None,
    };
    let stored = play(
        "end-7a",
        &put,
        r#"C: PUT /v2/library/ubuntu/manifests/sha256:2dfa7362eab3cfaf4583b8712c20482ca64116bc00be3abe99027f9140e701dd HTTP/1.1
           C: Host: registry.example.org
           C: Content-Length: 402
           C: Content-Type: application/vnd.oci.image.manifest.v1+json
           C:
           C: {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9","size":239}}
           S: HTTP/1.1 201 Created
           S: Location: /v2/library/ubuntu/manifests/sha256:2dfa7362eab3cfaf4583b8712c20482ca64116bc00be3abe99027f9140e701dd
           S: OCI-Subject: sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9
           S:"#,
    );
    let subject = Some(manifest().digest());
    assert_eq!(stored, Ok(ManifestStored { confirmed: true, subject, tags: Vec::new() }));
}

#[test]
fn end_7b() {
    let (origin, repository, manifest) = (origin(), repository(), manifest());
    let tags = ["1.2.3", "1.2", "1", "latest"].map(|tag| tag.parse::<Tag>().unwrap());
    let put = PutManifest {
        origin: &origin,
        repository: &repository,
        manifest: &manifest,
        name: PutName::Digest { tags: &tags },
        condition: Condition::None,
    };
    let stored = play(
        "end-7b",
        &put,
        r#"C: PUT /v2/library/ubuntu/manifests/sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9?tag=1.2.3&tag=1.2&tag=1&tag=latest HTTP/1.1
           C: Host: registry.example.org
           C: Content-Length: 239
           C: Content-Type: application/vnd.oci.image.manifest.v1+json
           C:
           C: {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}
           S: HTTP/1.1 201 Created
           S: Location: /v2/library/ubuntu/manifests/sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9
           S: OCI-Tag: 1.2.3, 1.2, 1
           S: OCI-Tag: latest
           S:"#,
    );
    assert_eq!(stored, Ok(ManifestStored { confirmed: true, subject: None, tags: tags.to_vec() }));
    // Only those that were asked for, and only those that were set.
    let some = parse(&put, &answer(201, &[("oci-tag", "latest, evil"), ("oci-tag", "1.2")], ""));
    assert_eq!(some.unwrap().tags, [tags[1].clone(), tags[3].clone()]);
    assert_eq!(parse(&put, &answer(201, &[], "")).unwrap().tags, []);
}

#[test]
fn conditions() {
    let (origin, repository, manifest) = (origin(), repository(), manifest());
    let tag = "sha256-1ccb".parse().unwrap();
    let etag = ETag::read(answer(200, &[("etag", "\"a\\b\"")], "").headers()).unwrap();
    for (condition, line) in
        [(Condition::IfMatch(&etag), "C: If-Match: \"a\\b\""), (Condition::IfAbsent, "C: If-None-Match: *")]
    {
        let name = PutName::Tag(&tag);
        let put = PutManifest { origin: &origin, repository: &repository, manifest: &manifest, name, condition };
        let transcript = format!(
            r#"C: PUT /v2/library/ubuntu/manifests/sha256-1ccb HTTP/1.1
               C: Host: registry.example.org
               C: Content-Length: 239
               C: Content-Type: application/vnd.oci.image.manifest.v1+json
               {line}
               C:
               C: {}
               S: HTTP/1.1 412 Precondition Failed
               S:"#,
            crate::endpoint::transcript::MANIFEST
        );
        let error = play("end-7a", &put, &transcript).unwrap_err();
        assert_eq!(error.refused().map(|refused| refused.status), Some(StatusCode::PRECONDITION_FAILED));
    }
}

#[test]
fn a_manifest_has_the_digest_of_its_algorithm() {
    let (origin, repository, manifest) = (origin(), repository(), manifest().with_algorithm(Algorithm::Sha512));
    let name = PutName::Digest { tags: &[] };
    let condition = Condition::None;
    let put = PutManifest { origin: &origin, repository: &repository, manifest: &manifest, name, condition };
    assert_eq!(
        put.target().path(),
        "/v2/library/ubuntu/manifests/sha512:829463233ab1e876c463df1ad5637b08364e33810330e3ecb292b64dfbd430b6223a4d0a3928baafb1b2fbdb3c802856ce7935a3cf38fc5312e804dd23ab70eb"
    );
}

#[test]
fn successes_and_reported_digests() {
    let (origin, repository, manifest) = (origin(), repository(), manifest());
    let tag = "latest".parse().unwrap();
    let name = PutName::Tag(&tag);
    let condition = Condition::None;
    let put = PutManifest { origin: &origin, repository: &repository, manifest: &manifest, name, condition };
    let same = manifest.digest().to_string();
    let other = Digest::of(Algorithm::Sha256, b"altered").to_string();
    let long = Digest::of(Algorithm::Sha512, b"altered").to_string();
    let confirmed = |status, headers: &[(&str, &str)]| parse(&put, &answer(status, headers, "OK")).map(|s| s.confirmed);
    // Quirk `manifest-put-status-variants`; quirk `manifest-location-bogus`.
    assert_eq!(confirmed(201, &[("location", "/../x")]), Ok(true));
    assert_eq!(confirmed(201, &[("docker-content-digest", &long)]), Ok(true));
    for status in [200, 202, 204] {
        assert_eq!(confirmed(status, &[]), Ok(false), "{status}");
        assert_eq!(confirmed(status, &[("docker-content-digest", &long)]), Ok(false), "{status}");
        assert_eq!(confirmed(status, &[("docker-content-digest", &same)]), Ok(true), "{status}");
    }
    assert!(matches!(confirmed(206, &[]), Err(AnswerError::Malformed { why: Flaw::Status, .. })));
    for status in [201, 200] {
        let altered = confirmed(status, &[("docker-content-digest", &other)]);
        assert!(matches!(altered, Err(AnswerError::WrongDigest { row: Row::PutManifest, .. })), "{status}");
    }
    // A subject that is none, or named twice, was not taken note of.
    for headers in [&[("oci-subject", "true")][..], &[("oci-subject", &same), ("oci-subject", &other)]] {
        assert_eq!(parse(&put, &answer(201, headers, "")).unwrap().subject, None);
    }
}
