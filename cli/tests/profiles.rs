//! `longshore mock --profile`, `--set`, `--list` and `--explain`.

mod common;

use common::{Layout, Mock, done, refused};

#[test]
fn every_kind_of_registry_is_pushed_to_over_a_port() {
    for arguments in [
        &["--profile", "quay"][..],
        &["--profile", "quay-2021"],
        &["--profile", "artifactory"],
        // It serves blobs from a storage of its own, at a second port. Uploads that go to such a storage (gcr) take `--allow-origin`.
        &["--profile", "acr"],
        &["--set", "manifests.missing-reference=accepted", "--set", "start.path=singular"],
    ] {
        let (mock, layout) = (Mock::start(arguments), Layout::two_platforms());
        done(&["push", layout.path(), &mock.reference("library/app:v1")]);
        assert_eq!(mock.status("/v2/library/app/manifests/v1"), 200, "{arguments:?}");
    }
}

#[test]
fn profiles_are_listed_with_their_quirks_and_sources() {
    let list = done(&["mock", "--list"]);
    for line in ["quay: Quay (", "ecr: Amazon ECR (", "  mount-without-from-ok-202 mount.without-from=\"upload\""] {
        assert!(list.contains(line), "{line}");
    }
    let one = done(&["mock", "--list", "--profile", "ecr-blob-mounting"]);
    assert!(one.starts_with("ecr-blob-mounting: Amazon ECR with blob mounting (2026-08), as ecr but for\n"), "{one}");
    assert!(one.contains("vendor-doc: Amazon ECR user guide"), "{one}");
}

#[test]
fn a_quirk_is_explained() {
    let text = done(&["mock", "--explain", "mount-always-202"]);
    assert!(text.starts_with("mount-always-202, severity 3: a push fails"), "{text}");
    assert!(
        text.contains("the mock: plays it with mount.policy\n") && text.contains("cloudsmith: Cloudsmith\n"),
        "{text}"
    );
    let error = refused(2, &["mock", "--explain", "mount-always-203"]);
    assert!(error.contains("there is no quirk mount-always-203; did you mean mount-always-202?"), "{error}");
}

#[test]
fn a_file_of_ones_own_is_played_and_what_is_wrong_in_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ours.toml");
    let text = "title = \"Ours\"\nextends = \"quay\"\n[[quirk]]\nid = \"mount-always-202\"\nevidence = \"user-report\"\n\
                source = \"us\"\nset.mount.policy = ";
    std::fs::write(&path, format!("{text}\"never\"\n")).unwrap();
    let mock = Mock::start(&["--profile", path.to_str().unwrap()]);
    assert_eq!(mock.status("/v2/"), 200);
    std::fs::write(&path, format!("{text}\"nevr\"\n")).unwrap();
    let error = refused(2, &["mock", "--profile", path.to_str().unwrap()]);
    assert!(error.contains("ours.toml:7: mount.policy: \"nevr\" is none of source, any-repository, referenced, never, refused; did you mean never?"), "{error}");
    for (arguments, words) in [
        (["--profile", "qay"], "there is no profile \"qay\"; did you mean quay?"),
        (["--set", "mount.polizy=never"], "there is no switch mount.polizy; did you mean mount.policy?"),
        (["--profile", "not/there.toml"], "cannot read not/there.toml"),
    ] {
        let error = refused(2, &[&["mock"][..], &arguments].concat());
        assert!(error.contains(words), "{error}");
    }
}
