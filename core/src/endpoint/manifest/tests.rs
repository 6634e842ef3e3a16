use super::*;
use crate::Algorithm;
use crate::content::ManifestError;
use crate::endpoint::transcript::{self, MANIFEST, answer, origin, parse, play, repository};

const OCI: (&str, &str) = ("content-type", MediaType::OCI_MANIFEST);

#[test]
fn end_3_get_by_tag() {
    let (origin, repository) = (origin(), repository());
    let tag = "latest".parse().unwrap();
    let pulled = play(
        "end-3",
        &PullManifest { origin: &origin, repository: &repository, reference: TagOrDigest::Tag(&tag) },
        r#"C: GET /v2/library/ubuntu/manifests/latest HTTP/1.1
           C: Host: registry.example.org
           C: Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, */*
           C:
           S: HTTP/1.1 200 OK
           S: Content-Type: application/vnd.oci.image.manifest.v1+json
           S: Docker-Content-Digest: sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9
           S: ETag: "sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9"
           S:
           S: {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#,
    )
    .unwrap();
    assert_eq!(pulled.manifest, transcript::manifest());
    assert_eq!(
        pulled.manifest.digest().to_string(),
        "sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9"
    );
    assert!(pulled.etag.is_some_and(|etag| !etag.is_weak()));
}

#[test]
fn end_3_get_by_digest() {
    let (origin, repository, digest) = (origin(), repository(), transcript::manifest().digest());
    let pulled = play(
        "end-3",
        &PullManifest { origin: &origin, repository: &repository, reference: (&digest).into() },
        r#"C: GET /v2/library/ubuntu/manifests/sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9 HTTP/1.1
           C: Host: registry.example.org
           C: Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, */*
           C:
           S: HTTP/1.1 404 Not Found
           S: Content-Type: application/json
           S:
           S: {"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]}"#,
    );
    let error = pulled.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(
        error.to_string(),
        "end-3: the registry refused to pull a manifest: 404 Not Found: MANIFEST_UNKNOWN: manifest unknown"
    );
}

#[test]
fn end_3_head() {
    let (origin, repository, digest) = (origin(), repository(), transcript::manifest().digest());
    let check = CheckManifest { origin: &origin, repository: &repository, reference: (&digest).into() };
    let presence = play(
        "end-3",
        &check,
        "C: HEAD /v2/library/ubuntu/manifests/sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9 HTTP/1.1
         C: Host: registry.example.org
         C: Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, */*
         C:
         S: HTTP/1.1 200 OK
         S: Content-Length: 239
         S: Content-Type: application/vnd.oci.image.manifest.v1+json
         S: Docker-Content-Digest: sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9
         S:",
    );
    let head = ManifestHead {
        reported_digest: Some(digest),
        media_type: Some(MediaType::oci_manifest()),
        size: Some(239),
        etag: None,
    };
    assert_eq!(presence, Ok(ManifestPresence::Present(head)));
    assert_eq!(parse(&check, &answer(404, &[], "")), Ok(ManifestPresence::Absent));
}

#[test]
fn what_is_asked_for_by_digest_has_that_digest() {
    let (origin, repository) = (origin(), repository());
    let by = |digest: &Digest, headers: &[(&str, &str)], body: &str| {
        let pull = PullManifest { origin: &origin, repository: &repository, reference: digest.into() };
        parse(&pull, &answer(200, headers, body)).map(|pulled| pulled.manifest.digest())
    };
    let digest = transcript::manifest().digest();
    let long = Digest::of(Algorithm::Sha512, MANIFEST.as_bytes());
    assert_eq!(
        long.to_string(),
        "sha512:829463233ab1e876c463df1ad5637b08364e33810330e3ecb292b64dfbd430b6223a4d0a3928baafb1b2fbdb3c802856ce7935a3cf38fc5312e804dd23ab70eb"
    );
    assert_eq!(by(&digest, &[OCI], MANIFEST), Ok(digest));
    assert_eq!(by(&long, &[OCI], MANIFEST), Ok(long));
    for asked in [digest, long] {
        let other = format!("{MANIFEST} ");
        assert!(matches!(by(&asked, &[OCI], &other), Err(AnswerError::WrongContent { row: Row::PullManifest, .. })));
    }
    // The registry's own digest counts only where it can be compared: I12, I14.
    assert_eq!(
        by(
            &digest,
            &[
                OCI,
                (
                    "docker-content-digest",
                    "sha512:829463233ab1e876c463df1ad5637b08364e33810330e3ecb292b64dfbd430b6223a4d0a3928baafb1b2fbdb3c802856ce7935a3cf38fc5312e804dd23ab70eb"
                )
            ],
            MANIFEST
        ),
        Ok(digest)
    );
    assert_eq!(
        by(
            &long,
            &[
                OCI,
                ("docker-content-digest", "sha256:1ccb399e44f3e0ec86bb1a95031c6b9f81ac77860556a81a90acb79bab8005d9")
            ],
            MANIFEST
        ),
        Ok(long)
    );
    let other = Digest::of(Algorithm::Sha256, b"other").to_string();
    let error = by(&digest, &[OCI, ("docker-content-digest", &other)], MANIFEST);
    assert!(matches!(error, Err(AnswerError::WrongDigest { .. })));
}

#[test]
fn i12_a_tags_digest_is_computed_and_never_taken() {
    let (origin, repository) = (origin(), repository());
    let tag = "latest".parse().unwrap();
    let pull = PullManifest { origin: &origin, repository: &repository, reference: TagOrDigest::Tag(&tag) };
    let other = Digest::of(Algorithm::Sha256, b"other").to_string();
    let error = parse(&pull, &answer(200, &[OCI, ("docker-content-digest", &other)], MANIFEST));
    assert!(matches!(error, Err(AnswerError::WrongDigest { .. })));
    let long = Digest::of(Algorithm::Sha512, b"other").to_string();
    let pulled = parse(&pull, &answer(200, &[OCI, ("docker-content-digest", &long)], MANIFEST)).unwrap();
    assert_eq!(pulled.manifest.digest(), transcript::manifest().digest());
}

#[test]
fn a_manifest_under_a_tag_is_named_by_the_algorithm_that_the_registry_names_it_by() {
    let (origin, repository) = (origin(), repository());
    let tag = "latest".parse().unwrap();
    let pull = PullManifest { origin: &origin, repository: &repository, reference: TagOrDigest::Tag(&tag) };
    let long = transcript::manifest().with_algorithm(Algorithm::Sha512).digest();
    let pulled = parse(&pull, &answer(200, &[OCI, ("docker-content-digest", &long.to_string())], MANIFEST)).unwrap();
    assert_eq!(pulled.manifest.digest(), long);
}

#[test]
fn i15_the_type_of_a_manifest() {
    let (origin, repository) = (origin(), repository());
    let tag = "latest".parse().unwrap();
    let pull = PullManifest { origin: &origin, repository: &repository, reference: TagOrDigest::Tag(&tag) };
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let both = r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#;
    // (content type, body, media type of the manifest)
    let table = [
        (Some(MediaType::OCI_MANIFEST), MANIFEST, Some(MediaType::OCI_MANIFEST)),
        (Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8"), MANIFEST, Some(MediaType::OCI_MANIFEST)),
        (None, MANIFEST, Some(MediaType::OCI_MANIFEST)),
        (None, index, Some(MediaType::OCI_INDEX)),
        (Some(MediaType::DOCKER_LIST), index, Some(MediaType::DOCKER_LIST)),
        // Of another type: kept as bytes.
        (Some("application/vnd.example+json"), "not JSON", Some("application/vnd.example+json")),
        (Some(MediaType::OCI_INDEX), MANIFEST, None),
        (Some(MediaType::OCI_INDEX), both, None),
        (None, both, None),
        (None, "{}", None),
        (None, "", None),
        (Some("text/html; charset=utf-8"), "<html>", None),
        (Some("text/plain"), MANIFEST, None),
        (Some("nonsense"), MANIFEST, None),
    ];
    for (content_type, body, expected) in table {
        let headers: Vec<(&str, &str)> = content_type.map(|text| ("content-type", text)).into_iter().collect();
        let pulled = parse(&pull, &answer(200, &headers, body));
        match expected {
            Some(expected) => {
                let manifest = pulled.unwrap().manifest;
                assert_eq!((manifest.media_type().as_str(), &manifest.bytes()[..]), (expected, body.as_bytes()));
            }
            None => assert!(
                matches!(pulled, Err(AnswerError::Malformed { row: Row::PullManifest, .. })),
                "{content_type:?} {body}"
            ),
        }
    }
    let error = parse(&pull, &answer(200, &[("content-type", MediaType::OCI_INDEX)], MANIFEST)).unwrap_err();
    let AnswerError::Malformed { why: Flaw::Manifest(why), .. } = error else { panic!("{error:?}") };
    assert!(matches!(*why, ManifestError::MediaTypeMismatch { .. }));
}

#[test]
fn a_head_may_say_little() {
    let (origin, repository) = (origin(), repository());
    let tag = "latest".parse().unwrap();
    let check = CheckManifest { origin: &origin, repository: &repository, reference: TagOrDigest::Tag(&tag) };
    let digest = Digest::of(Algorithm::Sha256, b"standing");
    let text = digest.to_string();
    let head = |headers: &[(&str, &str)]| match parse(&check, &answer(200, headers, "")) {
        Ok(ManifestPresence::Present(head)) => head,
        other => panic!("{other:?}"),
    };
    let nothing = ManifestHead { reported_digest: None, media_type: None, size: None, etag: None };
    assert_eq!(head(&[]), nothing);
    assert_eq!(head(&[("docker-content-digest", "x"), ("content-type", ""), ("content-length", "")]), nothing);
    assert_eq!(head(&[("docker-content-digest", &text)]).reported_digest, Some(digest));
    // Twice says nothing, even where both agree.
    assert_eq!(head(&[("docker-content-digest", &text), ("docker-content-digest", &text)]).reported_digest, None);
    assert!(head(&[("etag", "W/\"1\"")]).etag.is_some_and(|etag| etag.is_weak()));
    for status in [401, 403, 405, 500] {
        assert!(matches!(parse(&check, &answer(status, &[], "")), Err(AnswerError::Refused(_))), "{status}");
    }
    assert!(matches!(parse(&check, &answer(204, &[], "")), Err(AnswerError::Malformed { .. })));
    let other = Digest::of(Algorithm::Sha256, b"other");
    let check = CheckManifest { reference: (&other).into(), ..check };
    let wrong = parse(&check, &answer(200, &[("docker-content-digest", &text)], ""));
    assert!(matches!(wrong, Err(AnswerError::WrongDigest { row: Row::CheckManifest, .. })));
}
