use longshore_mock_registry::Behaviour;
use longshore_mock_registry::behaviour::LinkForm;

use crate::stage;
use crate::transcript::{Stage, image, push, sha256};

/// A registry that has the tags v1, v2 and v3.
fn tagged(change: impl FnOnce(&mut Behaviour)) -> Stage {
    let mut stage = stage(change);
    let manifest = image(&mut stage, "a", "");
    for tag in ["v1", "v2", "v3"] {
        stage.play(&format!("C: PUT /v2/a/manifests/{tag}\nC:\nC: {manifest}\nS: 201"));
    }
    stage.with("digest", sha256(&manifest))
}

#[test]
fn links() {
    let page = "C: GET /v2/a/tags/list?n=2\nS: 200\nS: Link: ";
    let next = "/v2/a/tags/list?n=2&last=v2";
    tagged(|_| ()).play(&format!("{page}<{next}>; rel=\"next\""));
    tagged(|b| b.listing.link = LinkForm::Absolute)
        .play(&format!("{page}<https://reg.example:5443{next}>; rel=\"next\""));
    tagged(|b| b.listing.link = LinkForm::Bare).play(&format!("{page}{next}; rel=next"));
    tagged(|b| b.listing.link = LinkForm::ExtraParameter).play(&format!("{page}<{next}&orderby=>; rel=\"next\""));
    tagged(|b| b.listing.link = LinkForm::Always)
        .play("C: GET /v2/a/tags/list\nS: 200\nS: Link: </v2/a/tags/list?last=v3>; rel=\"next\"");
}

#[test]
fn s2_pages_are_bounded() {
    tagged(|_| ()).play("C: GET /v2/a/tags/list?n=1001\nS: 200");
    tagged(|b| b.listing.over_limit_refused = true)
        .play("C: GET /v2/a/tags/list?n=1001\nS: 400\nC: GET /v2/a/tags/list?n=1000\nS: 200");
}

#[test]
fn names_and_empty_lists() {
    tagged(|b| b.listing.name = longshore_mock_registry::behaviour::ListName::Other("other".into()))
        .play("C: GET /v2/a/tags/list\nS: 200\nS:\nS: {\"name\":\"other\",\"tags\":[\"v1\",\"v2\",\"v3\"]}");
    let mut stage = stage(|b| b.listing.empty = 404);
    push(&mut stage, "a", "hello");
    stage.play("C: GET /v2/a/tags/list\nS: 404");
}

#[test]
fn s6_deletion_switched_off() {
    for status in [400, 405] {
        tagged(|b| b.listing.delete_tag = status).play(&format!(
            "C: DELETE /v2/a/manifests/v1\nS: {status}\nC: GET /v2/a/manifests/v1\nS: 200
             C: DELETE /v2/a/manifests/{{digest}}\nS: 202"
        ));
        tagged(|b| b.listing.delete_manifest = status).play(&format!(
            "C: DELETE /v2/a/manifests/v1\nS: {status}\nC: DELETE /v2/a/manifests/{{digest}}\nS: {status}
             C: GET /v2/a/manifests/v1\nS: 200"
        ));
    }
    let mut stage = tagged(|b| b.listing.delete_blob = 405);
    push(&mut stage, "a", "hello");
    stage.play("C: DELETE /v2/a/blobs/{hello}\nS: 405\nC: GET /v2/a/blobs/{hello}\nS: 200");
}

/// What is deleted is gone from everywhere that this repository shows it, and does not come back by itself.
#[test]
fn s5_what_is_deleted_does_not_come_back() {
    let mut stage = stage(|_| ());
    let hello = push(&mut stage, "a", "hello");
    push(&mut stage, "b", "hello");
    let image = image(&mut stage, "a", "");
    let subject = format!(r#","subject":{{"mediaType":"application/x","digest":"{hello}","size":5}}"#);
    let referrer = crate::transcript::image(&mut stage, "a", &subject);
    let (digest, of_referrer) = (sha256(&image), sha256(&referrer));
    let put = |name: &str, document: &str| format!("C: PUT /v2/a/manifests/{name}\nC:\nC: {document}\nS: 201\n");
    stage.play(&[put("v1", &image), put("v2", &image), put("v3", &referrer)].concat());
    stage.play(&format!(
        "C: DELETE /v2/a/manifests/{digest}\nS: 202
         C: GET /v2/a/manifests/{digest}\nS: 404
         C: GET /v2/a/manifests/v1\nS: 404
         C: GET /v2/a/tags/list\nS: 200\nS:\nS: {{\"name\":\"a\",\"tags\":[\"v3\"]}}
         C: DELETE /v2/a/manifests/{of_referrer}\nS: 202
         C: GET /v2/a/referrers/{hello}\nS: 200\nS:\nS: {{\"manifests\":[]{{more}}
         C: DELETE /v2/a/blobs/{hello}\nS: 202
         C: GET /v2/a/blobs/{hello}\nS: 404
         C: HEAD /v2/b/blobs/{hello}\nS: 200
         C: POST /v2/c/blobs/uploads/?mount={hello}&from=a\nS: 202
         C: HEAD /v2/a/blobs/{hello}\nS: 404
         C: DELETE /v2/b/blobs/{hello}\nS: 202
         C: POST /v2/c/blobs/uploads/?mount={hello}\nS: 202"
    ));
    let bytes = longshore_mock_registry::Body::Blob { digest: hello, range: 0..5 };
    assert!(stage.registry.read(&bytes).is_err(), "the bytes are kept though nobody has the blob");
}

#[test]
fn lists_that_are_whole_or_unsorted_or_not_linked() {
    let list = |query: &str| format!("C: GET /v2/a/tags/list{query}\nS: 200\nS: ");
    let body = |tags: &str| format!("\nS:\nS: {{\"name\":\"a\",\"tags\":[{tags}]}}");
    let whole = body(r#""v1","v2","v3""#);
    let mut stage = tagged(|b| b.listing.unpaged = true);
    for query in ["", "?n=2", "?n=2&last=v2", "?n=0", "?n=x"] {
        stage.play(&[list(query), "!link".to_owned(), whole.clone()].concat());
    }
    let mut stage = tagged(|b| b.listing.unsorted = true);
    let sorted: Vec<_> = ["v1", "v2", "v3"].map(|tag| sha256(tag).hex()).into();
    assert!(!sorted.is_sorted(), "{sorted:?}");
    let mut by_digest = ["v1", "v2", "v3"];
    by_digest.sort_by_key(|tag| sha256(tag).hex());
    let [first, second, third] = by_digest.map(|tag| format!("\"{tag}\""));
    stage.play(&[list(""), "!link".to_owned(), body(&format!("{first},{second},{third}"))].concat());
    stage.play(&[list("?n=2"), "Link: {next}".to_owned(), body(&format!("{first},{second}"))].concat());
    let last = format!("?n=2&last={}", by_digest[1]);
    stage.play(&[list(&last), "!link".to_owned(), body(&third)].concat());
    tagged(|b| b.listing.link = LinkForm::Absent)
        .play(&[list("?n=2"), "!link".to_owned(), body(r#""v1","v2""#)].concat());
}
