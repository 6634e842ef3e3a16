//! What the judge says of the lists under referrers tags.

use longshore_core::{Digest, Tag};
use longshore_mock_registry::behaviour::{ReferrersApi, SubjectHeader};
use longshore_mock_registry::judge::REFERRERS_LISTED;
use longshore_mock_registry::report::{CheckStatus, Level};

use crate::transcript::{Stage, sha256};
use crate::{IMAGE, PUT, REFERRER, blob, rules, stage};

/// A list of referrers with these entries.
fn list(entries: &[String]) -> String {
    format!(
        "C: PUT /v2/a/manifests/{{tag}}\nC: Content-Type: application/vnd.oci.image.index.v1+json\nC:\n\
         C: {{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[{}]}}\nS: 201",
        entries.join(",")
    )
}

/// The entry of a referrer.
fn entry(referrer: &str) -> String {
    let (digest, size) = (sha256(referrer), referrer.len());
    format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":{size},"artifactType":"application/x.config","annotations":{{"a":"1"}}}}"#
    )
}

#[test]
fn a_subject_that_nobody_took_up_is_owed() {
    for told in [SubjectHeader::Truthful, SubjectHeader::Never] {
        let mut stage = stage(|b| b.referrers.subject = told);
        stage.play(&format!("{}{PUT}{REFERRER}\nS: 201", blob()));
        let owed = usize::from(told == SubjectHeader::Never);
        assert_eq!(stage.registry.judge.owed.len(), owed);
        stage.play("C: GET /v2/a/referrers/{absent}\nS: 200");
        assert_eq!(stage.registry.judge.owed.len(), 0);
    }
    let mut stage = stage(|b| b.referrers.api = ReferrersApi::NotFound);
    stage.play(&format!("{}{PUT}{REFERRER}\nS: 201\nC: GET /v2/a/referrers/{{absent}}\nS: 404", blob()));
    let digest = sha256(&stage.fill(REFERRER));
    let owed = stage.registry.judge.owed.first().unwrap().clone();
    assert_eq!(owed.digest, digest);
    assert_eq!(owed.tag.as_str(), format!("sha256-{}", sha256("absent").hex()));

    let mut stage = stage.with("tag", owed.tag);
    let entry = entry(&stage.fill(REFERRER));
    stage.play(&list(&[]));
    assert_eq!(stage.registry.judge.owed.len(), 1);
    stage.play(&list(std::slice::from_ref(&entry)));
    assert_eq!((stage.registry.judge.owed.len(), rules(&stage)), (0, vec![]));
    stage.play(&list(&[entry.clone(), entry.clone()]));
    stage.play(&list(&[entry.replace(r#""a":"1""#, "")]));
    stage.play(&list(&[entry.replace("x.config", "x.other")]));
    stage.play(&list(&[entry.replace("image.manifest", "image.index")]));
    stage.play(&list(&[entry.replace(r#""size":"#, r#""size":1"#)]));
    let breaches = std::iter::once(Level::Should).chain([Level::Must; 4]).map(|level| ("referrers-entry", level));
    assert_eq!(rules(&stage), breaches.collect::<Vec<_>>());
    let told: Vec<&str> = stage.registry.judge.breaches.iter().map(|breach| breach.what.as_str()).collect();
    assert!(told[3].ends_with("has not its mediaType") && told[4].ends_with("has not its size"), "{told:?}");
}

#[test]
fn a_referrer_that_is_deleted_is_owed_no_more() {
    let mut stage = stage(|b| b.referrers.api = ReferrersApi::NotFound);
    stage.play(&format!("{}{PUT}{REFERRER}\nS: 201", blob()));
    let digest = sha256(&stage.fill(REFERRER));
    stage.play(&format!("C: DELETE /v2/a/manifests/{digest}\nS: 202"));
    assert_eq!(stage.registry.judge.owed.len(), 0);
}

/// What is owed at the end is a breach in the report, though no request broke a rule.
#[test]
fn a_list_that_is_owed_fails_the_report() {
    let mut stage = stage(|b| b.referrers.api = ReferrersApi::NotFound);
    stage.play(&format!("{}{PUT}{REFERRER}\nS: 201", blob()));
    let report = stage.registry.judge.report("client", 3);
    let failed: Vec<_> = report.checks.iter().filter(|check| check.status == CheckStatus::Failed).collect();
    assert_eq!(failed.iter().map(|check| check.id.as_str()).collect::<Vec<_>>(), [REFERRERS_LISTED]);
    assert!(failed[0].evidence[0].sentence.contains("is not listed under sha256-"), "{:?}", failed[0]);
    assert_eq!(rules(&stage), []);
}

/// A registry without the referrers API, with an image, two referrers to it, and the list of both.
struct Listed {
    stage: Stage,
    digests: [Digest; 2],
    entries: [String; 2],
}

impl Listed {
    fn new() -> Self {
        let mut stage = stage(|b| b.referrers.api = ReferrersApi::NotFound);
        stage.play(&format!("{}{PUT}{IMAGE}\nS: 201", blob()));
        let subject = sha256(&stage.fill(IMAGE));
        let mut stage = stage.with("subject", subject).with("tag", format!("sha256-{}", subject.hex()));
        let referrers = [r#"{"a":"1"}"#, r#"{"a":"1","b":"2"}"#]
            .map(|annotations| REFERRER.replace("{absent}", "{subject}").replace(r#"{"a":"1"}"#, annotations));
        for (tag, referrer) in ["v2", "v3"].iter().zip(&referrers) {
            stage.play(&format!("{}{referrer}\nS: 201", PUT.replace("/v1", &format!("/{tag}"))));
        }
        let [one, two] = referrers.map(|referrer| stage.fill(&referrer));
        let entries = [entry(&one), entry(&two).replace(r#""a":"1""#, r#""a":"1","b":"2""#)];
        let mut listed = Self { stage, digests: [sha256(&one), sha256(&two)], entries };
        assert_eq!(listed.owed(), listed.digests.len());
        listed.put(&[0, 1]);
        assert_eq!((listed.owed(), rules(&listed.stage)), (0, vec![]));
        listed
    }

    /// Puts the list with these of the entries.
    fn put(&mut self, which: &[usize]) {
        let entries: Vec<String> = which.iter().map(|&which| self.entries[which].clone()).collect();
        self.stage.play(&list(&entries));
    }

    fn delete(&mut self, reference: &str) {
        self.stage.play(&format!("C: DELETE /v2/a/manifests/{reference}\nS: 202"));
    }

    fn owed(&self) -> usize {
        self.stage.registry.judge.owed.len()
    }

    /// Whether the report says that all referrers are listed.
    fn passes(&self) -> bool {
        let report = self.stage.registry.judge.report("client", 1);
        report.checks.iter().all(|check| check.status == CheckStatus::Passed)
    }
}

#[test]
fn an_entry_that_a_later_list_drops_is_owed_again_until_a_list_has_it() {
    let mut listed = Listed::new();
    listed.put(&[1]);
    assert_eq!(listed.stage.registry.judge.owed.first().unwrap().digest, listed.digests[0]);
    assert!(!listed.passes());
    listed.put(&[]);
    assert_eq!((listed.owed(), listed.passes()), (2, false));
    // Two clients that read the same list drop each other's entry; the one that sees it repairs the list.
    listed.put(&[0]);
    listed.put(&[1, 0]);
    assert_eq!((listed.owed(), listed.passes()), (0, true));
}

#[test]
fn all_entries_are_owed_again_when_the_tag_of_their_list_is_deleted_or_moved() {
    let mut listed = Listed::new();
    listed.delete("{tag}");
    assert_eq!((listed.owed(), listed.passes()), (2, false));

    // A manifest that is deleted takes its tags with it.
    let mut listed = Listed::new();
    let tag: Tag = listed.stage.fill("{tag}").parse().unwrap();
    let list = listed.stage.registry.state.repositories[&"a".parse().unwrap()].tags[&tag];
    listed.delete(&list.to_string());
    assert_eq!((listed.owed(), listed.passes()), (2, false));

    let mut listed = Listed::new();
    listed.stage.play(&format!("{}{IMAGE}\nS: 201", PUT.replace("/v1", "/{tag}")));
    assert_eq!((listed.owed(), listed.passes()), (2, false));
}

#[test]
fn a_list_that_is_refused_neither_settles_nor_drops_an_entry() {
    let refused =
        |transcript: &str| transcript.replace("S: 201", "S: 412").replace("\nC:\n", "\nC: If-Match: \"x\"\nC:\n");
    let mut listed = Listed::new();
    listed.stage.play(&refused(&list(&[])));
    assert_eq!((listed.owed(), listed.passes()), (0, true));
    listed.put(&[]);
    listed.stage.play(&refused(&list(&listed.entries)));
    assert_eq!(listed.owed(), 2);
}

/// Deleting manifests: a client takes the entry of the referrer out of the list, before or after it deletes it.
#[test]
fn an_entry_of_a_referrer_that_is_deleted_may_go() {
    let mut listed = Listed::new();
    let [one, two] = listed.digests.map(|digest| digest.to_string());
    listed.delete(&one);
    listed.put(&[1]);
    assert_eq!((listed.owed(), listed.passes()), (0, true));
    listed.put(&[]);
    listed.delete(&two);
    assert_eq!((listed.owed(), listed.passes()), (0, true));
    listed.delete("{tag}");
    assert_eq!((listed.owed(), listed.passes()), (0, true));
}

/// Deleting manifests: when a manifest is deleted that has a list of referrers, its tag may be deleted too.
#[test]
fn the_list_of_a_subject_that_is_deleted_may_go() {
    for order in [["{tag}", "{subject}"], ["{subject}", "{tag}"]] {
        let mut listed = Listed::new();
        order.iter().for_each(|reference| listed.delete(reference));
        assert_eq!((listed.owed(), listed.passes()), (0, true));
    }
    // What was never listed is owed all the same.
    let mut listed = Listed::new();
    listed.delete("{tag}");
    listed.stage.play(&format!(
        "{}{}\nS: 201",
        PUT.replace("/v1", "/v4"),
        REFERRER.replace("{absent}", "{subject}").replace(r#""a":"1""#, r#""a":"2""#)
    ));
    listed.delete("{subject}");
    assert_eq!((listed.owed(), listed.passes()), (1, false));
}

#[test]
fn a_referrer_that_is_pushed_again_is_owed_no_second_entry() {
    let mut listed = Listed::new();
    listed.stage.play(&format!("{}{}\nS: 201", PUT.replace("/v1", "/v2"), REFERRER.replace("{absent}", "{subject}")));
    assert_eq!((listed.owed(), listed.passes()), (0, true));
}
