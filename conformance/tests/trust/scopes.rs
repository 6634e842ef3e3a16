//! I11: the rights that each operation asks for, in order, and no other.

use longshore_core::{Deletion, ManifestReference, Operation, Push, Tag};
use longshore_mock_registry::auth::{Auth, Password};
use longshore_mock_registry::behaviour::ReferrersApi;

use crate::drive::{PASSWORD, Seen, Setup, blob, image, image_into, manifest};
use crate::mock::{rights, run_prepared, with, with_base};

const PULL: &str = "repository:library/app:pull";
const PUSH: &str = "repository:library/app:pull,push";
const DELETE: &str = "repository:library/app:pull,push,delete";
const NEW: &str = "repository:library/new:pull,push";
const BASE: &str = "repository:library/base:pull";

/// A registry where the user may do everything, with one image, and one layer of it in another repository.
fn registry(api: ReferrersApi) -> longshore_conformance::Mock {
    let mut options = with(|_| {});
    options.auth = Some(Auth::bearer().user("user", Password::plain(PASSWORD), rights("*=*")));
    options.behaviour.referrers.api = api;
    let mut mock = with_base(options);
    let app = "library/app".parse().unwrap();
    for key in ["config", "base", "app"] {
        let (digest, bytes) = blob(key);
        mock.put_blob(&app, &digest, &bytes);
    }
    let put = mock.ask_plainly(http::Method::PUT, "/v2/library/app/manifests/v1", manifest("").bytes().clone());
    assert!(put.status().is_success(), "{put:?}");
    mock
}

/// An artifact that refers to the image.
fn referring() -> Push<&'static str> {
    let subject = manifest("");
    let (media_type, digest, size) = (subject.media_type(), subject.digest(), subject.bytes().len());
    let subject = format!(r#","subject":{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#);
    let artifact = manifest(&format!(r#"{subject},"artifactType":"application/vnd.example""#));
    image().manifest(artifact)
}

/// The scopes of each exchange for a token, in order.
fn asked(api: ReferrersApi, operation: impl Into<Operation<&'static str>>) -> Vec<Vec<String>> {
    let mut options = longshore_core::Options::default();
    options.ask_above = 0;
    let setup = Setup { operations: vec![operation.into()], options, ..Setup::default() };
    let outcome = run_prepared(registry(api), setup);
    outcome.succeeded();
    outcome.tokens().map(Seen::scopes).collect()
}

#[test]
fn i11_what_each_operation_asks_for() {
    use Operation as O;
    let registry = || "registry.example".parse().unwrap();
    let repository = || "library/app".parse().unwrap();
    let (subject, (layer, _)) = (manifest("").digest(), blob("base"));
    let tag = || "v1".parse::<Tag>().unwrap();
    let mounting = || {
        let from = |key: &str, blob: longshore_core::Blob<_>| {
            if key == "base" { blob.mount_from("library/base".parse().unwrap()) } else { blob }
        };
        // Into a repository that has none of it.
        image_into("library/new", from)
    };
    let delete = |what| O::Delete { registry: registry(), repository: repository(), what };
    let referrers =
        || O::ListReferrers { registry: registry(), repository: repository(), subject, artifact_type: None };
    let pull = |reference| O::PullManifest { registry: registry(), repository: repository(), reference };
    let (api, none) = (|| ReferrersApi::On, || ReferrersApi::NotFound);
    let pull_blob =
        O::PullBlob { registry: registry(), repository: repository(), digest: layer, size: None, sink: "x" };

    expect("push what is there", &asked(api(), image()), &[&[PUSH]]);
    expect("push and mount", &asked(api(), mounting()), &[&[NEW], &[NEW, BASE]]);
    expect("push what refers", &asked(api(), referring()), &[&[PUSH]]);
    expect("push what refers, fallback tag", &asked(none(), referring()), &[&[PUSH]]);
    expect(
        "try a push out",
        &asked(api(), O::CheckPush { registry: registry(), repository: repository() }),
        &[&[PUSH]],
    );
    expect("pull by tag", &asked(api(), pull(ManifestReference::Tag(tag()))), &[&[PULL]]);
    expect("pull by digest", &asked(api(), pull(ManifestReference::Digest(subject))), &[&[PULL]]);
    expect("pull a blob", &asked(api(), pull_blob), &[&[PULL]]);
    expect("list tags", &asked(api(), O::ListTags { registry: registry(), repository: repository() }), &[&[PULL]]);
    expect("list referrers", &asked(api(), referrers()), &[&[PULL]]);
    expect("list referrers, fallback tag", &asked(none(), referrers()), &[&[PULL]]);
    expect("delete a tag", &asked(api(), delete(Deletion::Tag(tag()))), &[&[DELETE]]);
    expect("delete a manifest", &asked(api(), delete(Deletion::Manifest(subject))), &[&[PULL], &[DELETE]]);
    expect("delete a blob", &asked(api(), delete(Deletion::Blob(layer))), &[&[DELETE]]);
}

fn expect(what: &str, asked: &[Vec<String>], expected: &[&[&str]]) {
    assert_eq!(asked, expected, "{what}");
}

#[test]
fn i11_a_challenge_widens_only_what_it_is_for() {
    // What a challenge hands out beside our own rights is asked for on the requests that it answered.
    let outcome = run_prepared(
        with_base(with(|auth| auth.mount_source_challenged = true)),
        Setup { operations: vec![image().into()], ..Setup::default() },
    );
    outcome.succeeded();
    assert!(outcome.tokens().all(|token| token.scopes() == [PUSH]), "{}", outcome.transcript);
}
