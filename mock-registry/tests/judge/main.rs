//! What the judge writes down, and what it lets pass.

mod referrers;
#[path = "../transcript/mod.rs"]
mod transcript;

use longshore_mock_registry::behaviour::{ChunkMin, DigestHeader, StateQuery};
use longshore_mock_registry::judge::{REFERRERS_LISTED, RULES};
use longshore_mock_registry::report::{CheckStatus, Level};
use longshore_mock_registry::{Behaviour, RegistryOptions};
use transcript::{Stage, sha256};

fn stage(change: impl FnOnce(&mut Behaviour)) -> Stage {
    let origin = |name: &str| name.parse::<longshore_core::Registry>().unwrap().origin();
    let mut options =
        RegistryOptions::default().with_origin(origin("reg.example")).with_storage(origin("storage.example"));
    change(&mut options.behaviour);
    Stage::new(options).with("hello", sha256("hello")).with("empty", sha256("{}")).with("absent", sha256("absent"))
}

fn rules(stage: &Stage) -> Vec<(&'static str, Level)> {
    stage.registry.judge.breaches.iter().map(|breach| (breach.rule, breach.level)).collect()
}

const BEGIN: &str = "C: POST /v2/a/blobs/uploads/\nC: Content-Length: 0\nS: 202\nS: Location: {location}\n";
const IMAGE: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/x.config","digest":"{hello}","size":5}}"#;
const REFERRER: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/x.config","digest":"{hello}","size":5},"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{absent}","size":9},"annotations":{"a":"1"}}"#;
const PUT: &str = "C: PUT /v2/a/manifests/v1\nC: Content-Type: application/vnd.oci.image.manifest.v1+json\nC:\nC: ";

fn blob() -> String {
    format!(
        "{BEGIN}C: PUT {{location}}?digest={{hello}}\nC: Content-Length: 5\nC: Content-Type: application/octet-stream\nC:\nC: hello\nS: 201\n"
    )
}

#[test]
fn a_client_that_keeps_to_the_spec_is_let_pass() {
    let mut stage = stage(|b| b.start.state = StateQuery::Newest);
    stage.play(&format!(
        "C: GET /v2/
         S: 200
         C: HEAD /v2/a/blobs/{{hello}}
         S: 404
         {BEGIN}C: PATCH {{location}}
         C: Content-Length: 3
         C: Content-Range: 0-2
         C: Content-Type: application/octet-stream
         C:
         C: hel
         S: 202
         S: Location: {{second}}
         C: PUT {{second}}&digest={{hello}}
         C: Content-Length: 2
         C: Content-Range: 3-4
         C: Content-Type: application/octet-stream
         C:
         C: lo
         S: 201
         C: POST /v2/b/blobs/uploads/?mount={{hello}}&from=a
         C: Content-Length: 0
         S: 201
         {PUT}{IMAGE}
         S: 201
         C: GET /v2/a/manifests/v1
         C: Accept: application/vnd.oci.image.manifest.v1+json
         S: 200
         C: GET /v2/a/tags/list?n=1&last=v0
         S: 200
         C: POST /v2/a/blobs/uploads/
         C: Content-Length: 0
         S: 202
         S: Location: {{other}}
         C: GET {{other}}
         S: 204
         C: DELETE {{other}}
         C: Content-Length: 0
         S: 204"
    ));
    assert_eq!(rules(&stage), []);
}

#[test]
fn every_rule_about_heads() {
    let must = |rule| (rule, Level::Must);
    let should = |rule| (rule, Level::Should);
    let quirk = |rule| (rule, Level::Quirk);
    let octet = "C: Content-Type: application/octet-stream\n";
    let table = [
        ("C: POST /v2/a/blobs/uploads\nC: Content-Length: 0\nS: 404".to_owned(), must("trailing-slash")),
        ("C: POST /v2/a/blobs/uploads/\nS: 202".to_owned(), must("content-length")),
        ("C: POST /v2/a/blobs/uploads/\nC: Content-Length: 1\nC:\nC: x\nS: 202".to_owned(), must("content-length")),
        ("C: GET /v2/\nC: Cookie: a=b\nS: 200".to_owned(), quirk("no-cookies")),
        ("C: POST /v2/\nS: 405".to_owned(), should("endpoint")),
        ("C: HEAD /v2/a/blobs/uploads/x\nS: 405".to_owned(), should("endpoint")),
        ("C: GET /v2/a/manifests/v1\nS: 404".to_owned(), should("accept")),
        ("C: GET /v2/a/tags/list?last=.x\nS: 404".to_owned(), must("last-is-a-tag")),
        (
            "C: POST /v2/a/blobs/uploads/?mount={hello}\nC: Content-Length: 0\nS: 202".to_owned(),
            quirk("mount-names-its-source"),
        ),
        ("C: POST /v2/a/blobs/uploads/?from=b\nC: Content-Length: 0\nS: 202".to_owned(), quirk("from-with-mount")),
        (
            "C: POST /v2/a/blobs/uploads/?mount={hello}&from=b&origin=c\nC: Content-Length: 0\nS: 202".to_owned(),
            quirk("no-foreign-origin"),
        ),
        (format!("{BEGIN}C: PUT {{location}}\nC: Content-Length: 0\nS: 400"), must("digest")),
        (format!("{BEGIN}C: PUT {{location}}?digest={{hello}}\n{octet}C:\nC: hello\nS: 201"), must("content-length")),
        (
            format!("{BEGIN}C: PUT {{location}}?digest={{hello}}\nC: Content-Length: 5\nC:\nC: hello\nS: 201"),
            should("octet-stream"),
        ),
        (
            format!(
                "{BEGIN}C: PUT {{location}}?x=1&digest={{hello}}\nC: Content-Length: 5\n{octet}C:\nC: hello\nS: 201"
            ),
            should("location-verbatim"),
        ),
        (
            format!(
                "{BEGIN}C: PUT {{location}}?digest={{hello}}\nC: Content-Range: 0-4\nC: Content-Length: 5\n{octet}C:\nC: hello\nS: 201"
            ),
            quirk("no-range-on-whole-blob"),
        ),
        (
            format!(
                "{BEGIN}C: PATCH {{location}}\nC: Content-Range: bytes 0-4/5\nC: Content-Length: 5\n{octet}C:\nC: hello\nS: 400"
            ),
            must("content-range-form"),
        ),
        (
            format!(
                "{BEGIN}C: PATCH {{location}}\nC: Content-Range: 0-5\nC: Content-Length: 5\n{octet}C:\nC: hello\nS: 400"
            ),
            must("content-range-form"),
        ),
        (
            format!(
                "{BEGIN}C: PATCH {{location}}\nC: Content-Range: 1-5\nC: Content-Length: 5\n{octet}C:\nC: hello\nS: 416"
            ),
            must("chunk-order"),
        ),
        (format!("{BEGIN}C: PATCH {{location}}\nC: Content-Length: 0\nS: 202"), quirk("no-empty-chunk")),
        (
            format!(
                "{BEGIN}C: PATCH {{location}}\n{octet}C:\nC: hel\nS: 202\nC: PATCH {{location}}\n{octet}C:\nC: lo\nS: 202"
            ),
            quirk("content-range"),
        ),
        (
            format!(
                "{BEGIN}C: PATCH {{location}}\n{octet}C:\nC: hel\nS: 202\n\
                 C: PUT {{location}}?digest={{hello}}\nC: Content-Length: 2\n{octet}C:\nC: lo\nS: 201"
            ),
            quirk("content-range"),
        ),
        (
            "C: GET https://storage.example/v2/a/blobs/{hello}\nC: Authorization: Bearer x\nS: 403".to_owned(),
            must("authorization-stays-home"),
        ),
    ];
    for (transcript, breach) in table {
        let mut stage = stage(|_| ());
        stage.play(&transcript);
        assert_eq!(rules(&stage), [breach], "{transcript}");
    }
}

#[test]
fn the_newest_url_and_the_shortest_chunk() {
    let mut stage = stage(|b| {
        b.start.state = StateQuery::Ignored;
        b.start.chunk_min = Some(ChunkMin::new(4, true));
    });
    let octet = "C: Content-Type: application/octet-stream\n";
    stage.play(&format!(
        "{BEGIN}C: PATCH {{location}}\nC: Content-Length: 2\nC: Content-Range: 0-1\n{octet}C:\nC: he\nS: 202\nS: Location: {{second}}
         C: GET {{location}}\nS: 204
         C: PATCH {{location}}\nC: Content-Length: 3\nC: Content-Range: 2-4\n{octet}C:\nC: llo\nS: 400"
    ));
    assert_eq!(rules(&stage), [("location-newest", Level::Should), ("chunk-min-length", Level::Should)]);
}

/// RFC 9110, section 9.2.2: a client that does not know whether its PATCH arrived should ask and not repeat it.
#[test]
fn a_chunk_whose_answer_was_lost_may_be_sent_again_though_the_client_should_ask() {
    let octet = "C: Content-Type: application/octet-stream\n";
    let chunk = |status: u16| {
        format!("C: PATCH {{location}}\nC: Content-Length: 3\nC: Content-Range: 0-2\n{octet}C:\nC: hel\nS: {status}\n")
    };
    let rest = format!(
        "C: PUT {{location}}?digest={{hello}}\nC: Content-Length: 2\nC: Content-Range: 3-4\n{octet}C:\nC: lo\nS: 201\n"
    );
    let asked = "C: GET {location}\nS: 204\n";
    let (should, must) = (("chunk-order", Level::Should), ("chunk-order", Level::Must));
    for (faults, requests, breaches) in [
        ("#2: answer-lost", format!("{}{}{rest}", chunk(500), chunk(416)), vec![should]),
        ("#2: answer-lost", format!("{}{asked}{rest}", chunk(500)), vec![]),
        ("#2: request-lost", format!("{}{}{rest}", chunk(500), chunk(202)), vec![]),
        // These know that it arrived.
        ("#2: answer-lost", format!("{}{asked}{}", chunk(500), chunk(416)), vec![must]),
        ("#2: answer-lost", format!("{}{}{}", chunk(500), chunk(416), chunk(416)), vec![should, must]),
        ("#9: answer-lost", format!("{}{}", chunk(202), chunk(416)), vec![must]),
        // And this one sends another chunk.
        ("#2: answer-lost", format!("{}{}", chunk(500), chunk(416).replace("0-2", "4-6")), vec![must]),
    ] {
        let mut stage = stage(|_| ());
        stage.registry.options.faults = faults.parse().unwrap();
        stage.play(&format!("{BEGIN}{requests}"));
        assert_eq!(rules(&stage), breaches, "{faults}: {requests}");
    }
}

#[test]
fn i33_children_are_acknowledged_first() {
    // The registry does not check, or knows the blob from elsewhere; the judge asks what this client was told.
    let put = format!("{PUT}{IMAGE}\nS: 201");
    let mut stage = stage(|_| ());
    stage.registry.options.faults = "#2: answer-lost".parse().unwrap();
    // A transcript writes 500 where no answer came.
    let lost = |transcript: &str| transcript.replace("S: 201", "S: 500");
    stage.play(&format!("{}{put}", lost(&blob())));
    assert_eq!(rules(&stage), [("children-first", Level::Must)]);
    let told = stage.registry.judge.breaches[0].to_string();
    assert!(
        told.starts_with("request 3 (end-7a) breaks children-first (MUST): 1 that the manifest refers to"),
        "{told}"
    );

    for acknowledgement in [
        "C: HEAD /v2/a/blobs/{hello}\nS: 200",
        "C: POST /v2/a/blobs/uploads/?mount={hello}&from=a\nC: Content-Length: 0\nS: 201",
        "C: GET /v2/a/manifests/v0\nC: Accept: */*\nS: 200",
    ] {
        let mut stage = crate::stage(|_| ());
        stage.registry.options.faults = "#2: answer-lost; #3: answer-lost".parse().unwrap();
        stage.play(&lost(&format!("{}{}", blob(), put.replace("/v1", "/v0"))));
        stage.registry.judge.breaches.clear();
        stage.play(&format!("{acknowledgement}\n{put}"));
        assert_eq!(rules(&stage), [], "{acknowledgement}");
    }
    // HEAD of a manifest says nothing about what is in it.
    let mut stage = crate::stage(|_| ());
    stage.registry.options.faults = "#2: answer-lost; #3: answer-lost".parse().unwrap();
    stage.play(&lost(&format!("{}{}", blob(), put.replace("/v1", "/v0"))));
    stage.registry.judge.breaches.clear();
    stage.play(&format!("C: HEAD /v2/a/manifests/v0\nC: Accept: */*\nS: 200\n{put}"));
    assert_eq!(rules(&stage), [("children-first", Level::Must)]);
}

#[test]
fn types_of_manifests() {
    let table = [
        (
            PUT.replace("C: Content-Type: application/vnd.oci.image.manifest.v1+json\n", ""),
            201,
            ("content-type", Level::Should),
        ),
        (PUT.replace("v1+json", "v1+json; charset=utf-8"), 201, ("content-type", Level::Should)),
        (PUT.replace("image.manifest", "image.index"), 400, ("content-type", Level::Must)),
    ];
    for (put, status, breach) in table {
        let mut stage = stage(|_| ());
        stage.play(&format!("{}{put}{IMAGE}\nS: {status}", blob()));
        assert_eq!(rules(&stage), [breach]);
    }
    let mut stage = stage(|_| ());
    let bare = IMAGE.replace(r#""mediaType":"application/vnd.oci.image.manifest.v1+json","config""#, r#""config""#);
    stage.play(&format!("{}{PUT}{bare}\nS: 201", blob()));
    assert_eq!(rules(&stage), [("media-type", Level::Should)]);
}

/// For each rule what comes near to a breach of it and is none.
#[test]
fn every_rule_lets_pass_what_only_comes_near_to_a_breach() {
    let octet = "C: Content-Type: application/octet-stream\n";
    let chunk = |at: &str, range: &str, bytes: &str, location: &str| {
        let len = bytes.len();
        format!(
            "C: PATCH {at}\nC: Content-Length: {len}\nC: Content-Range: {range}\n{octet}C:\nC: {bytes}\nS: 202\nS: Location: {location}\n"
        )
    };
    let table = [
        ("accept", "C: GET /v2/a/manifests/v1\nC: Accept: */*\nS: 404\nC: DELETE /v2/a/manifests/{absent}\nS: 404".to_owned()),
        ("authorization-stays-home", "C: GET https://reg.example/v2/a/blobs/{hello}\nC: Authorization: Bearer x\nS: 404".to_owned()),
        ("children-first", format!("{}{PUT}{IMAGE}\nS: 201", blob())),
        // The last chunk may be short, and so may the only one.
        ("chunk-min-length", format!(
            "{BEGIN}{}C: PUT {{second}}&digest={{hello}}\nC: Content-Length: 1\nC: Content-Range: 4-4\n{octet}C:\nC: o\nS: 201",
            chunk("{location}", "0-3", "hell", "{second}")
        )),
        ("chunk-order", format!("{BEGIN}{}{}", chunk("{location}", "0-3", "hell", "{second}"), chunk("{second}", "4-4", "o", "{third}"))),
        // A streamed PATCH has no length.
        ("content-length", format!("{BEGIN}C: PATCH {{location}}\nC: Transfer-Encoding: chunked\n{octet}C:\nC: hello\nS: 202")),
        ("content-range", format!("{BEGIN}C: PATCH {{location}}\n{octet}C:\nC: hello\nS: 202\nS: Location: {{second}}\nC: PUT {{second}}&digest={{hello}}\nC: Content-Length: 0\nS: 201")),
        ("content-range-form", format!("{BEGIN}{}", chunk("{location}", "0-0", "h", "{second}"))),
        ("content-type", format!("{}{PUT}{IMAGE}\nS: 201", blob())),
        ("digest", format!("{BEGIN}C: DELETE {{location}}\nC: Content-Length: 0\nS: 204")),
        ("endpoint", "C: GET /v2/a/referrers/{absent}?artifactType=x\nS: 200".to_owned()),
        ("from-with-mount", "C: POST /v2/a/blobs/uploads/?mount={hello}&from=b\nC: Content-Length: 0\nS: 202".to_owned()),
        ("last-is-a-tag", "C: GET /v2/a/tags/list?n=1&last=_x\nS: 404".to_owned()),
        // Only bytes go to the newest URL: a question may go to an older one.
        ("location-newest", format!("{BEGIN}{}C: GET {{location}}\nS: 204", chunk("{location}", "0-3", "hell", "{second}"))),
        // The digest is added to the query of the URL.
        ("location-verbatim", format!("{BEGIN}C: PUT {{location}}&digest={{hello}}\nC: Content-Length: 5\n{octet}C:\nC: hello\nS: 201")),
        ("media-type", format!("{}{PUT}{IMAGE}\nS: 201", blob())),
        ("mount-names-its-source", "C: POST /v2/a/blobs/uploads/?digest={hello}\nC: Content-Length: 5\nC: Content-Type: application/octet-stream\nC:\nC: hello\nS: 201".to_owned()),
        ("no-cookies", "C: GET /v2/\nC: Cookies: a=b\nS: 200".to_owned()),
        ("no-empty-chunk", format!("{BEGIN}C: PUT {{location}}&digest={}\nC: Content-Length: 0\nS: 201", sha256(""))),
        ("no-foreign-origin", "C: POST /v2/a/blobs/uploads/?mount={hello}&from=b&x=origin\nC: Content-Length: 0\nS: 202".to_owned()),
        // The last chunk has a range, though it ends the upload.
        ("no-range-on-whole-blob", format!(
            "{BEGIN}{}C: PUT {{second}}&digest={{hello}}\nC: Content-Length: 1\nC: Content-Range: 4-4\n{octet}C:\nC: o\nS: 201",
            chunk("{location}", "0-3", "hell", "{second}")
        )),
        ("octet-stream", format!("{}{PUT}{IMAGE}\nS: 201", blob())),
        ("referrers-entry", format!("{}{PUT}{REFERRER}\nS: 201", blob())),
        (REFERRERS_LISTED, format!("{}{PUT}{REFERRER}\nS: 201\nS: OCI-Subject: {{absent}}", blob())),
        ("trailing-slash", BEGIN.to_owned()),
    ];
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(table.clone().map(|(rule, _)| rule).as_slice(), names, "each rule has its line");
    for (rule, transcript) in table {
        let mut stage = stage(|b| {
            // Then each answer gives another URL, with a query.
            if transcript.contains("{second}") || transcript.contains("}&digest") {
                b.start.state = StateQuery::Ignored;
            }
            b.start.chunk_min = (rule == "chunk-min-length").then(|| ChunkMin::new(4, true));
        });
        stage.play(&transcript);
        assert_eq!(rules(&stage), [], "{rule}: {transcript}");
        assert!(
            stage.registry.judge.report("client", 1).checks.iter().all(|check| check.status == CheckStatus::Passed)
        );
    }
}

/// Quirk `manifest-digest-header-unreliable`: a client that is not told the digest computes it.
#[test]
fn i33_a_manifest_that_is_served_without_its_digest_acknowledges_its_blobs() {
    let lost = |transcript: &str| transcript.replace("S: 201", "S: 500");
    for (digest, is_acknowledged) in [(DigestHeader::Absent, true), (DigestHeader::Wrong, false)] {
        let mut stage = stage(|b| b.read.manifest_digest = digest);
        stage.registry.options.faults = "#2: answer-lost; #3: answer-lost".parse().unwrap();
        let put = format!("{PUT}{IMAGE}\nS: 201");
        stage.play(&lost(&format!("{}{}", blob(), put.replace("/v1", "/v0"))));
        stage.registry.judge.breaches.clear();
        stage.play(&format!("C: GET /v2/a/manifests/v0\nC: Accept: */*\nS: 200\n{put}"));
        assert_eq!(rules(&stage).is_empty(), is_acknowledged, "{digest:?}: {:?}", rules(&stage));
    }
}
