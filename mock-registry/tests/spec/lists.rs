//! Lists: `end-8`, `end-12` and the catalog.

use longshore_mock_registry::{Instant, RegistryOptions};

use crate::stage;
use crate::transcript::{Stage, image, push, sha256};

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
