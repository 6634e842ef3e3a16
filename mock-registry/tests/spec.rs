//! The spec's own text as transcripts.

mod transcript;

use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::profile::Profile;
use longshore_mock_registry::{BodyEnd, Instant, Opened, Progress, Registry, RegistryOptions};
use transcript::{Stage, image, push, sha256};

fn stage() -> Stage {
    Stage::new(RegistryOptions::default())
        .with("hello", sha256("hello"))
        .with("hello512", Digest::of(Algorithm::Sha512, b"hello"))
        .with("absent", sha256("absent"))
}

#[test]
fn end_1_support() {
    stage().play(
        "C: GET /v2/
         S: 200
         C: GET /v2/_nothing
         S: 404
         C: DELETE /v2/
         S: 405",
    );
}

#[test]
fn answers_say_which_api_it_is_unless_a_profile_says_that_they_do_not() {
    for (value, base, other) in [("always", true, true), ("base-only", true, false), ("absent", false, false)] {
        let mut profile = Profile::named("spec").unwrap();
        profile.set(&format!("read.api-version={value}")).unwrap();
        let mut registry = Registry::new(profile.options());
        for (path, is_said) in [("/v2/", base), ("/v2/a/tags/list", other)] {
            let request = http::Request::get(path).body(bytes::Bytes::new()).unwrap();
            let answer = registry.answer(Instant::default(), request).unwrap();
            let said =
                answer.headers().get("docker-distribution-api-version").is_some_and(|said| said == "registry/2.0");
            assert_eq!(said, is_said, "{value} {path}");
        }
    }
}

#[test]
fn end_4a_6_post_then_put() {
    stage().play(
        "C: POST /v2/library/a/blobs/uploads/
         C: Content-Length: 0
         S: 202
         S: Location: /v2/library/a/blobs/uploads/{id}
         S: Range: 0-0
         C: PUT /v2/library/a/blobs/uploads/{id}?digest={hello}
         C: Content-Length: 5
         C: Content-Type: application/octet-stream
         C:
         C: hello
         S: 201
         S: Location: /v2/library/a/blobs/{hello}
         S: Docker-Content-Digest: {hello}
         C: HEAD /v2/library/a/blobs/{hello}
         S: 200
         S: Content-Length: 5
         S: Docker-Content-Digest: {hello}
         C: GET /v2/library/a/blobs/{hello}
         S: 200
         S: Content-Length: 5
         S:
         S: hello
         C: GET /v2/library/b/blobs/{hello}
         S: 404
         C: PUT /v2/library/a/blobs/uploads/{id}?digest={hello}
         S: 404",
    );
}

#[test]
fn a_digest_that_is_not_the_contents_is_refused() {
    for query in ["digest={absent}", "digest=sha256:00", "digest=md5:d41d8cd98f00b204e9800998ecf8427e", ""] {
        stage().play(&format!(
            "C: POST /v2/a/blobs/uploads/
             S: 202
             S: Location: {{location}}
             C: PUT {{location}}?{query}
             C:
             C: hello
             S: 400
             C: GET /v2/a/blobs/{{absent}}
             S: 404"
        ));
    }
    stage().play(
        "C: POST /v2/a/blobs/uploads/?digest={absent}
         C:
         C: hello
         S: 400",
    );
}

#[test]
fn end_4b_single_post() {
    let mut stage = stage();
    stage.play(
        "C: POST /v2/a/blobs/uploads/?digest={hello}
         C: Content-Length: 5
         C: Content-Type: application/octet-stream
         C:
         C: hello
         S: 201
         S: Location: /v2/a/blobs/{hello}
         C: GET /v2/a/blobs/{hello}
         S: 200
         S:
         S: hello",
    );
    assert!(stage.registry.state.uploads.is_empty());
}

#[test]
fn end_4c_sha512_named_at_the_start_or_at_the_end() {
    for start in ["?digest-algorithm=sha512", ""] {
        stage().play(&format!(
            "C: POST /v2/a/blobs/uploads/{start}
             S: 202
             S: Location: {{location}}
             C: PATCH {{location}}
             C:
             C: hel
             S: 202
             C: PUT {{location}}?digest={{hello512}}
             C:
             C: lo
             S: 201
             C: GET /v2/a/blobs/{{hello512}}
             S: 200
             S: Docker-Content-Digest: {{hello512}}
             S:
             S: hello"
        ));
    }
    stage().play("C: POST /v2/a/blobs/uploads/?digest-algorithm=md5\nS: 400");
}

#[test]
fn end_5_chunks_in_order() {
    stage().play(
        "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: {location}
         C: PATCH {location}
         C: Content-Length: 2
         C: Content-Range: 0-1
         C:
         C: he
         S: 202
         S: Location: {location}
         S: Range: 0-1
         C: PATCH {location}
         C: Content-Length: 2
         C: Content-Range: 3-4
         C:
         C: lo
         S: 416
         S: Location: {location}
         S: Range: 0-1
         C: GET {location}
         S: 204
         S: Location: {location}
         S: Range: 0-1
         C: PATCH {location}
         C: Content-Range: 2-3
         C:
         C: ll
         S: 202
         S: Range: 0-3
         C: PUT {location}?digest={hello}
         C: Content-Range: 3-3
         C:
         C: o
         S: 416
         C: PUT {location}?digest={hello}
         C: Content-Range: 4-4
         C:
         C: o
         S: 201
         C: GET /v2/a/blobs/{hello}
         S: 200
         S:
         S: hello",
    );
}

#[test]
fn a_chunk_that_is_not_what_it_says_leaves_the_upload_as_it_was() {
    for range in ["0-9", "0-1", "bytes 0-4/5", "0-4/5", "4-0"] {
        stage().play(&format!(
            "C: POST /v2/a/blobs/uploads/
             S: 202
             S: Location: {{location}}
             C: PATCH {{location}}
             C: Content-Range: {range}
             C:
             C: hello
             S: 400
             C: PUT {{location}}?digest={{hello}}
             C:
             C: hello
             S: 201"
        ));
    }
}

#[test]
fn end_14_cancel() {
    let mut stage = stage();
    stage.play(
        "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: {location}
         C: DELETE {location}
         C: Content-Length: 0
         S: 204
         C: GET {location}
         S: 404
         C: DELETE {location}
         S: 404",
    );
    assert!(stage.registry.state.uploads.is_empty());
}

#[test]
fn uploads_belong_to_their_repository_and_end_in_time() {
    let mut stage = stage();
    stage.play(
        "C: POST /v2/a/blobs/uploads/
         S: 202
         S: Location: /v2/a/blobs/uploads/{id}
         C: GET /v2/b/blobs/uploads/{id}
         S: 404
         C: GET /v2/a/blobs/uploads/{id}
         S: 204",
    );
    stage.now = 3600 * 1_000_000 - 1;
    stage.play("C: GET /v2/a/blobs/uploads/{id}\nS: 204");
    stage.now *= 2;
    stage.play("C: GET /v2/a/blobs/uploads/{id}\nS: 204");
    stage.now += 3600 * 1_000_000;
    stage.play("C: GET /v2/a/blobs/uploads/{id}\nS: 404");
}

#[test]
fn end_11_mount() {
    let mut stage = stage();
    push(&mut stage, "from/here", "hello");
    stage.play(
        "C: POST /v2/a/blobs/uploads/?mount={hello}&from=from/here
         S: 201
         S: Location: /v2/a/blobs/{hello}
         S: Docker-Content-Digest: {hello}
         C: HEAD /v2/a/blobs/{hello}
         S: 200
         C: POST /v2/b/blobs/uploads/?mount={hello}
         S: 201
         C: POST /v2/a/blobs/uploads/?mount={absent}&from=from/here
         S: 202
         S: Location: {location}
         C: DELETE {location}
         S: 204
         C: POST /v2/c/blobs/uploads/?mount={hello}&from=no/such
         S: 202
         C: POST /v2/c/blobs/uploads/?mount=sha256:00&from=from/here
         S: 400
         C: HEAD /v2/c/blobs/{hello}
         S: 404",
    );
}

#[test]
fn end_2_ranges() {
    let mut stage = stage();
    push(&mut stage, "a", "hello");
    stage.play(
        "C: GET /v2/a/blobs/{hello}
         C: Range: bytes=1-2
         S: 206
         S: Content-Range: bytes 1-2/5
         S: Content-Length: 2
         S:
         S: el
         C: GET /v2/a/blobs/{hello}
         C: Range: bytes=9-
         S: 416
         S: Content-Range: bytes */5
         C: HEAD /v2/a/blobs/{hello}
         C: Range: bytes=1-2
         S: 200
         S: Content-Length: 5
         C: GET /v2/a/blobs/sha256:00
         S: 400
         C: GET /v2/a/blobs/md5:d41d8cd98f00b204e9800998ecf8427e
         S: 404",
    );
}

#[test]
fn end_7a_3_9_manifests_and_tags() {
    let mut stage = stage();
    let manifest = image(&mut stage, "a", "");
    let mut stage = stage.with("manifest", &manifest).with("digest", sha256(&manifest));
    stage.play(
        "C: PUT /v2/a/manifests/v1
         C: Content-Type: application/vnd.oci.image.manifest.v1+json; charset=utf-8
         C:
         C: {manifest}
         S: 201
         S: Location: /v2/a/manifests/{digest}
         S: Docker-Content-Digest: {digest}
         S: !oci-subject
         C: GET /v2/a/manifests/v1
         S: 200
         S: Content-Type: application/vnd.oci.image.manifest.v1+json
         S: Docker-Content-Digest: {digest}
         S:
         S: {manifest}
         C: HEAD /v2/a/manifests/{digest}
         S: 200
         S: Docker-Content-Digest: {digest}
         C: PUT /v2/a/manifests/{absent}
         C:
         C: {manifest}
         S: 400
         C: PUT /v2/a/manifests/sha256:bad
         C:
         C: {manifest}
         S: 400
         C: PUT /v2/a/manifests/.bad
         C:
         C: {manifest}
         S: 400
         C: GET /v2/a/manifests/v2
         S: 404
         C: GET /v2/b/manifests/v1
         S: 404
         C: DELETE /v2/a/manifests/v1
         S: 202
         C: GET /v2/a/manifests/v1
         S: 404
         C: PUT /v2/a/manifests/v2
         C:
         C: {manifest}
         S: 201
         C: DELETE /v2/a/manifests/{digest}
         S: 202
         C: GET /v2/a/manifests/v2
         S: 404
         C: DELETE /v2/a/manifests/{digest}
         S: 404
         C: DELETE /v2/b/manifests/v1
         S: 404",
    );
}

#[test]
fn end_7b_tags_in_the_query() {
    let mut stage = stage();
    let manifest = image(&mut stage, "a", "");
    let mut stage = stage.with("manifest", &manifest).with("digest", sha256(&manifest));
    stage.play(
        "C: PUT /v2/a/manifests/{digest}?tag=v1&tag=v2
         C:
         C: {manifest}
         S: 201
         S: OCI-Tag: v1
         S: OCI-Tag: v2
         C: GET /v2/a/manifests/v2
         S: 200
         S: Docker-Content-Digest: {digest}
         C: PUT /v2/a/manifests/{digest}?tag=.bad
         C:
         C: {manifest}
         S: 400
         C: PUT /v2/a/manifests/v3?tag=v4
         C:
         C: {manifest}
         S: 201
         S: !oci-tag
         C: GET /v2/a/manifests/v4
         S: 404",
    );
}

#[test]
fn a_manifest_waits_for_all_it_refers_to_but_its_subject() {
    let mut stage = stage();
    let subject =
        r#","subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{absent}","size":9}"#;
    let subject = stage.fill(subject);
    let manifest = image(&mut stage, "a", &subject);
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":1}}]}}"#,
        sha256(&manifest)
    );
    let mut stage = stage.with("manifest", manifest).with("index", index);
    stage.play(
        r#"C: PUT /v2/b/manifests/v1
           C:
           C: {manifest}
           S: 400
           S:
           S: {"errors":[{"code":"MANIFEST_BLOB_UNKNOWN",{any}
           C: PUT /v2/a/manifests/v1
           C:
           C: {index}
           S: 400
           C: PUT /v2/a/manifests/v1
           C:
           C: {manifest}
           S: 201
           S: OCI-Subject: {absent}
           C: PUT /v2/a/manifests/v1
           C:
           C: {index}
           S: 201
           S: !oci-subject"#,
    );
}

#[test]
fn malformed_manifests_are_refused() {
    let mut stage = stage();
    let manifest = image(&mut stage, "a", "");
    let both = image(&mut stage, "a", r#","manifests":[]"#);
    let mut stage = stage.with("manifest", manifest).with("both", both);
    for (content_type, body) in [
        ("application/vnd.oci.image.index.v1+json", "{manifest}"),
        ("application/vnd.oci.image.manifest.v1+json", "{both}"),
        ("application/vnd.oci.image.manifest.v1+json", "{}"),
        ("application/vnd.oci.image.manifest.v1+json", "[]"),
        ("application/vnd.oci.image.manifest.v1+json", "not json"),
        ("application/json", "{manifest}"),
        ("no type", "{manifest}"),
    ] {
        stage.play(&format!(
            "C: PUT /v2/a/manifests/v1\nC: Content-Type: {content_type}\nC:\nC: {body}\nS: 400\nC: GET /v2/a/manifests/v1\nS: 404"
        ));
    }
}

#[test]
fn s1_a_manifest_over_4_mib_is_refused_before_and_while_it_comes() {
    let mut registry = Registry::new(RegistryOptions::default());
    let now = Instant::default();
    let head = |len: Option<usize>| {
        let mut put = http::Request::put("/v2/a/manifests/v1");
        if let Some(len) = len {
            put = put.header("content-length", len);
        }
        put.body(()).unwrap().into_parts().0
    };
    let Opened::Answer(answer) = registry.open(now, head(Some((4 << 20) + 1))) else { panic!("not answered early") };
    assert_eq!(answer.status, 413);
    let Opened::Body(id) = registry.open(now, head(None)) else { panic!("answered early") };
    assert!(matches!(registry.piece(id, &vec![b' '; 4 << 20].into()), Progress::More));
    let Progress::Answer(answer) = registry.piece(id, &" ".into()) else { panic!("took too much") };
    assert_eq!(answer.status, 413);
    assert_eq!(registry.close(now, id, BodyEnd::Complete).status, 400);
}

#[test]
fn conditions_guard_a_tag() {
    let mut stage = stage();
    let one = image(&mut stage, "a", "");
    let two = image(&mut stage, "a", r#","annotations":{"a":"b"}"#);
    let mut stage = stage.with("one", one).with("two", two);
    stage.play(
        "C: PUT /v2/a/manifests/v1
         C: If-None-Match: *
         C:
         C: {one}
         S: 201
         S: ETag: {etag}
         C: PUT /v2/a/manifests/v1
         C: If-None-Match: *
         C:
         C: {two}
         S: 412
         C: PUT /v2/a/manifests/v1
         C: If-Match: \"other\"
         C:
         C: {two}
         S: 412
         C: GET /v2/a/manifests/v1
         C: If-None-Match: {etag}
         S: 304
         C: PUT /v2/a/manifests/v1
         C: If-Match: {etag}
         C:
         C: {two}
         S: 201
         C: PUT /v2/a/manifests/v1
         C: If-Match: {etag}
         C:
         C: {one}
         S: 412
         C: PUT /v2/a/manifests/v9
         C: If-Match: *
         C:
         C: {one}
         S: 412",
    );
}

#[test]
fn end_8_tags_in_pages() {
    let mut stage = stage();
    let manifest = image(&mut stage, "a", "");
    let mut stage = stage.with("manifest", manifest);
    stage.play("C: GET /v2/b/tags/list\nS: 404\nC: GET /v2/a/tags/list\nS: 200\nS:\nS: {\"name\":\"a\",\"tags\":[]}");
    for tag in ["b", "B", "a", "_", "c"] {
        stage.play(&format!("C: PUT /v2/a/manifests/{tag}\nC:\nC: {{manifest}}\nS: 201"));
    }
    stage.play(
        r#"C: GET /v2/a/tags/list
           S: 200
           S: !link
           S:
           S: {"name":"a","tags":["B","_","a","b","c"]}
           C: GET /v2/a/tags/list?n=2
           S: 200
           S: Link: <{next}>; rel="next"
           S:
           S: {"name":"a","tags":["B","_"]}
           C: GET {next}
           S: 200
           S: Link: <{last}>; rel="next"
           S:
           S: {"name":"a","tags":["a","b"]}
           C: GET {last}
           S: 200
           S: !link
           S:
           S: {"name":"a","tags":["c"]}
           C: GET /v2/a/tags/list?n=0
           S: 200
           S: !link
           S:
           S: {"name":"a","tags":[]}
           C: GET /v2/a/tags/list?last=a
           S: 200
           S:
           S: {"name":"a","tags":["b","c"]}
           C: GET /v2/a/tags/list?n=x
           S: 400"#,
    );
}

#[test]
fn end_10_s5_deleted_blobs_are_gone_here_and_stay_elsewhere() {
    let mut stage = stage();
    push(&mut stage, "a", "hello");
    push(&mut stage, "b", "hello");
    stage.play(
        "C: DELETE /v2/a/blobs/{hello}
         S: 202
         C: GET /v2/a/blobs/{hello}
         S: 404
         C: DELETE /v2/a/blobs/{hello}
         S: 404
         C: GET /v2/b/blobs/{hello}
         S: 200
         S:
         S: hello
         C: DELETE /v2/b/blobs/{hello}
         S: 202
         C: POST /v2/a/blobs/uploads/?mount={hello}
         S: 202",
    );
}

#[test]
fn end_12_referrers_filtered_and_in_pages() {
    let mut stage = stage();
    stage.play(
        r#"C: GET /v2/a/referrers/{absent}
           S: 200
           S: Content-Type: application/vnd.oci.image.index.v1+json
           S: !oci-filters-applied
           S:
           S: {"manifests":[],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}
           C: GET /v2/a/referrers/md5:d41d8cd98f00b204e9800998ecf8427e
           S: 200
           C: GET /v2/a/referrers/sha256:00
           S: 400"#,
    );
    stage.registry.options.limits.page = 2;
    let mut pushed = Vec::new();
    for kind in ["sbom", "sbom", "sbom", "signature"] {
        let subject =
            stage.fill(r#"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{absent}","size":9}"#);
        let extra = format!(
            r#","artifactType":"application/x.{kind}+json","subject":{subject},"annotations":{{"n":"{}"}}"#,
            pushed.len()
        );
        let manifest = image(&mut stage, "a", &extra);
        stage.play(&format!("C: PUT /v2/a/manifests/{}\nC:\nC: {manifest}\nS: 201", sha256(&manifest)));
        pushed.push((sha256(&manifest), kind, manifest.len()));
    }
    let list = |stage: &mut Stage, first: &str| {
        let (mut next, mut pages) = (Some(first.to_owned()), Vec::new());
        while let Some(uri) = next.take() {
            let request = http::Request::get(stage.fill(&uri)).body(bytes::Bytes::new()).unwrap();
            let response = stage.registry.answer(Instant::default(), request).unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers().contains_key("oci-filters-applied"), uri.contains("artifactType"));
            let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
            next = link.map(|link| link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned());
            let index: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            pages.push(index["manifests"].as_array().unwrap().clone());
        }
        pages
    };
    let pages = list(&mut stage, "/v2/a/referrers/{absent}");
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    let mut listed: Vec<_> = pages.concat();
    for (n, (digest, kind, size)) in pushed.iter().enumerate() {
        let expected = serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest.to_string(),
            "size": size,
            "artifactType": format!("application/x.{kind}+json"),
            "annotations": { "n": n.to_string() },
        });
        let before = listed.len();
        listed.retain(|entry| *entry != expected);
        assert_eq!(listed.len(), before - 1, "{expected}");
    }
    let filtered = list(&mut stage, "/v2/a/referrers/{absent}?artifactType=application/x.sbom%2Bjson");
    assert_eq!(filtered.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);

    stage.play(&format!("C: DELETE /v2/a/manifests/{}\nS: 202", pushed[3].0));
    assert_eq!(list(&mut stage, "/v2/a/referrers/{absent}").concat().len(), 3);
}

#[test]
fn a_referrer_without_artifact_type_has_its_configs_and_an_index_has_none() {
    let mut stage = stage();
    let subject = stage
        .fill(r#","subject":{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{absent}","size":9}"#);
    let manifest = image(&mut stage, "a", &subject);
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]{subject}}}"#
    );
    for document in [&manifest, &index] {
        stage.play(&format!(
            "C: PUT /v2/a/manifests/{}\nC:\nC: {document}\nS: 201\nS: OCI-Subject: {{absent}}",
            sha256(document)
        ));
    }
    let mut stage = stage.with("manifest", sha256(&manifest)).with("index", sha256(&index));
    stage.play(&format!(
        r#"C: GET /v2/a/referrers/{{absent}}?artifactType=application/vnd.oci.empty.v1%2Bjson
           S: 200
           S:
           S: {{"manifests":[{{"artifactType":"application/vnd.oci.empty.v1+json","digest":"{{manifest}}","mediaType":"application/vnd.oci.image.manifest.v1+json","size":{}}}],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}}"#,
        manifest.len()
    ));
    let request = http::Request::get(stage.fill("/v2/a/referrers/{absent}")).body(bytes::Bytes::new()).unwrap();
    let response = stage.registry.answer(Instant::default(), request).unwrap();
    let listed: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    let entry = listed["manifests"].as_array().unwrap().iter().find(|entry| entry["digest"] == stage.value("index"));
    assert!(entry.unwrap().get("artifactType").is_none());
}

#[test]
fn the_catalog_lists_repositories_in_pages() {
    let mut stage = Stage::new(RegistryOptions::default()).with("hello", sha256("hello"));
    for name in ["b", "a/c", "a"] {
        push(&mut stage, name, "hello");
    }
    stage.play(
        "C: GET /v2/_catalog\nS: 200\nS: Content-Type: application/json\nS:\nS: {\"repositories\":[\"a\",\"a/c\",\"b\"]}
         C: GET /v2/_catalog?n=2\nS: 200\nS: Link: </v2/_catalog?n=2&last=a/c>; rel=\"next\"\nS:\nS: {\"repositories\":[\"a\",\"a/c\"]}
         C: GET /v2/_catalog?n=2&last=a/c\nS: 200\nS: !link\nS:\nS: {\"repositories\":[\"b\"]}
         C: GET /v2/_catalog?n=x\nS: 400",
    );
}
