//! Artifacts: files and folders that are pushed, attached and pulled back.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Layout, Mock, command, done, refused, run, run_with_input};
use longshore_core::{Algorithm, Descriptor, Digest, Manifest, MediaType};
use longshore_sources::layout::LayoutWriter;
use serde_json::Value;

/// A folder with a file, a folder in it, and the data of a chart.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join("docs/sub/empty")).unwrap();
    for (name, text) in [
        ("a.json", "{\"a\":1}"),
        ("docs/guide.md", "# Guide"),
        ("docs/sub/x", "x"),
        ("chart.json", "{\"name\":\"app\"}"),
    ] {
        fs::write(home.path().join(name), text).unwrap();
    }
    home
}

/// Runs what must succeed in a folder, and gives its standard output.
fn done_in(folder: &Path, arguments: &[&str]) -> String {
    let output = command(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            found.insert(format!("{name}/"), String::new());
            found.extend(tree(&entry.path()).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            found.insert(name, String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned());
        }
    }
    found
}

fn expected(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

const DOCS: [(&str, &str); 5] =
    [("docs/", ""), ("docs/guide.md", "# Guide"), ("docs/sub/", ""), ("docs/sub/empty/", ""), ("docs/sub/x", "x")];

fn manifest(mock: &Mock, name: &str) -> Value {
    serde_json::from_slice(&mock.get(&format!("/v2/a/manifests/{name}"))).unwrap()
}

#[test]
fn files_and_folders_are_pushed_as_an_artifact_and_pulled_as_they_were() {
    let (mock, home) = (Mock::start(&[]), home());
    let reference = mock.reference("a:v1");
    let push = ["artifact", &reference, "a.json:application/json", "docs", "./docs/guide.md:text/markdown"];
    let options =
        ["--artifact-type", "application/vnd.example.docs", "--annotation", "Made=by hand", "--tag", "v2", "--json"];
    let said: Value = serde_json::from_str(&done_in(home.path(), &[&push[..], &options].concat())).unwrap();
    assert_eq!(said["tags"], serde_json::json!(["v1", "v2"]));
    let document = manifest(&mock, "v2");
    assert_eq!(document["artifactType"], "application/vnd.example.docs");
    assert_eq!(document["config"]["mediaType"], MediaType::OCI_EMPTY);
    assert_eq!(document["annotations"], serde_json::json!({"Made": "by hand"}));
    let layers = document["layers"].as_array().unwrap();
    let of = |key: &str| layers.iter().map(|layer| layer["annotations"][key].as_str()).collect::<Vec<_>>();
    assert_eq!(of("org.opencontainers.image.title"), [Some("a.json"), Some("docs"), Some("docs/guide.md")]);
    assert_eq!(of("io.deis.oras.content.unpack"), [None, Some("true"), None]);
    let types: Vec<_> = layers.iter().map(|layer| layer["mediaType"].as_str().unwrap()).collect();
    assert_eq!(types, ["application/json", MediaType::OCI_LAYER_GZIP, "text/markdown"]);
    // The folder has a file of that title too.
    let said = refused(1, &["pull", &reference, "--files", home.path().join("out").to_str().unwrap()]);
    assert!(said.contains("\"docs/guide.md\" and \"docs/guide.md\"") && said.contains("are one path"), "{said}");

    let push = ["artifact", &reference, "a.json", "docs", "chart.json", "--artifact-type", "a/b"];
    let again = ["artifact", &reference, "a.json", "docs", "chart.json", "--artifact-type", "a/b", "--json"];
    let digest = done_in(home.path(), &push).lines().next().unwrap().to_owned();
    let same: Value = serde_json::from_str(&done_in(home.path(), &again)).unwrap();
    assert_eq!((same["digest"].as_str().unwrap(), same["requests"].as_u64().unwrap()), (digest.as_str(), 1));
    let said = done_in(home.path(), &["pull", &reference, "--files", "new/out"]);
    assert!(said.starts_with(&digest) && said.contains("4 files"), "{said}");
    let files = [&DOCS[..], &[("a.json", "{\"a\":1}"), ("chart.json", "{\"name\":\"app\"}")]].concat();
    assert_eq!(tree(&home.path().join("new/out")), expected(&files));
    assert_eq!(tree(&home.path().join("new")).len(), files.len() + 1, "nothing else is left");
}

#[test]
fn what_is_attached_is_pulled_by_its_digest_into_a_folder_that_is_there() {
    let (mock, home, layout) = (Mock::start(&[]), home(), Layout::two_platforms());
    let image = mock.reference("a:v1");
    done(&["push", layout.path(), &image]);
    let said = done_in(home.path(), &["attach", &image, "a.json", "docs", "--artifact-type", "a/b"]);
    let digest = said.lines().next().unwrap();
    let out = home.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine"), "mine").unwrap();
    let artifact = mock.reference(&format!("a@{digest}"));
    let pull = ["pull", &artifact, "--files", out.to_str().unwrap()];
    done(&pull);
    let files = [&DOCS[..], &[("a.json", "{\"a\":1}"), ("mine", "mine")]].concat();
    assert_eq!(tree(&out), expected(&files));
    // Nothing is replaced, and nothing of the rest is written.
    fs::remove_dir_all(out.join("docs")).unwrap();
    let said = refused(1, &pull);
    assert!(said.contains("a.json exists already: remove it, or name another folder"), "{said}");
    assert_eq!(tree(&out), expected(&[("a.json", "{\"a\":1}"), ("mine", "mine")]));

    let subject = layout.digest().to_string();
    let by_artifact =
        ["artifact", &mock.reference("a:notes"), "a.json", "--artifact-type", "a/c", "--subject", &subject, "--json"];
    let said: Value = serde_json::from_str(&done_in(home.path(), &by_artifact)).unwrap();
    assert_eq!((said["subject"].as_str().unwrap(), &said["tags"]), (subject.as_str(), &serde_json::json!(["notes"])));
    let untagged =
        ["artifact", &mock.reference("a"), "chart.json", "--artifact-type", "a/d", "--subject", &image, "--json"];
    let said: Value = serde_json::from_str(&done_in(home.path(), &untagged)).unwrap();
    assert_eq!((said["tags"].clone(), mock.status("/v2/a/manifests/latest")), (serde_json::json!([]), 404));
    let listed: Value = serde_json::from_str(&done(&["referrers", &image, "--json"])).unwrap();
    assert_eq!(listed["referrers"].as_array().map(Vec::len), Some(3), "{listed}");
    let elsewhere = ["artifact", &mock.reference("b:x"), file!(), "--artifact-type", "a/b", "--subject", &image];
    assert!(refused(2, &elsewhere).contains("own repository"));
}

#[test]
fn a_helm_chart_has_a_config_of_its_own() {
    let (mock, home) = (Mock::start(&[]), home());
    fs::write(home.path().join("app-1.0.0.tgz"), "chart").unwrap();
    let config = "chart.json:application/vnd.cncf.helm.config.v1+json";
    let chart = "app-1.0.0.tgz:application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    done_in(home.path(), &["artifact", &mock.reference("a:1.0.0"), chart, "--config", config]);
    let document = manifest(&mock, "1.0.0");
    assert_eq!(document["config"]["mediaType"], "application/vnd.cncf.helm.config.v1+json");
    assert_eq!(document["layers"][0]["mediaType"], "application/vnd.cncf.helm.chart.content.v1.tar+gzip");
    assert!(document.get("artifactType").is_none());
    done_in(home.path(), &["pull", &mock.reference("a:1.0.0"), "--files", "out"]);
    assert_eq!(tree(&home.path().join("out")), expected(&[("app-1.0.0.tgz", "chart")]));
    assert!(
        refused(2, &["artifact", &mock.reference("a:x"), file!()]).contains("required arguments were not provided")
    );
}

#[test]
fn what_comes_through_a_pipe_has_a_title_and_annotations() {
    let mock = Mock::start(&[]);
    let reference = mock.reference("a:v1");
    let push =
        ["push", "--stdin-layer", "application/sql", &reference, "--title", "db/dump.sql", "--annotation", "From=shop"];
    let output = run_with_input(command(&push), "select 1");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(manifest(&mock, "v1")["annotations"], serde_json::json!({"From": "shop"}));
    let home = tempfile::tempdir().unwrap();
    done_in(home.path(), &["pull", &reference, "--files", "out"]);
    assert_eq!(tree(&home.path().join("out")), expected(&[("db/", ""), ("db/dump.sql", "select 1")]));
    let wrong = ["push", "--stdin-layer", "application/sql", &reference, "--title", "../x"];
    assert!(
        common::sentence(2, &run_with_input(command(&wrong), "select 1")).contains("the title is not used as a path: ")
    );
}

#[test]
fn an_image_is_pulled_as_a_layout_whole_or_for_one_platform() {
    let (mock, layout, home) = (Mock::start(&[]), Layout::two_platforms(), tempfile::tempdir().unwrap());
    let reference = mock.reference("a:v1");
    done(&["push", layout.path(), &reference]);
    let all = home.path().join("all");
    let said: Value = serde_json::from_str(&done(&["pull", &reference, all.to_str().unwrap(), "--json"])).unwrap();
    assert_eq!(said["digest"].as_str().unwrap(), layout.digest().to_string());
    assert_eq!((said["manifests"].as_u64(), said["blobs"].as_u64()), (Some(3), Some(5)));
    assert_eq!(tree(&all.join("blobs")), tree(&Path::new(layout.path()).join("blobs")));
    let source = format!("{}:v1", all.display());
    assert!(done(&["push", &source, &mock.reference("b:v1")]).contains(&layout.digest().to_string()));
    assert!(refused(1, &["pull", &reference, all.to_str().unwrap()]).contains("exists already"));

    let one = home.path().join("one");
    fs::create_dir(&one).unwrap();
    done(&["pull", &reference, one.to_str().unwrap(), "--platform", "linux/arm64"]);
    let index: Value = serde_json::from_slice(&fs::read(one.join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["platform"]["architecture"], "arm64");
    done(&["push", one.to_str().unwrap(), &mock.reference("c:v1")]);
    let other = home.path().join("x");
    let other = other.to_str().unwrap();
    let said = refused(1, &["pull", &reference, other, "--platform", "linux/s390x"]);
    assert!(said.contains("linux/s390x") && said.contains("linux/arm64") && !said.contains("tmp"), "{said}");
    assert!(refused(1, &["pull", &reference, "--files", other]).contains("index of several images"));
    let arm = ["pull", &reference, "--files", other, "--platform", "linux/arm64"];
    assert!(refused(1, &arm).contains("has a title"));
    assert!(!home.path().join("x").exists());
}

#[test]
fn i43_what_is_damaged_in_the_registry_is_not_there_afterwards() {
    let (data, home) = (tempfile::tempdir().unwrap(), home());
    let mock = Mock::start(&["--data-dir", data.path().to_str().unwrap()]);
    let reference = mock.reference("a:v1");
    done_in(home.path(), &["artifact", &reference, "a.json", "docs", "--artifact-type", "a/b"]);
    let digest = Digest::of(Algorithm::Sha256, b"{\"a\":1}");
    let stored = find(data.path(), &digest.hex().to_string()).expect("the blob is in a file of its digest");
    fs::write(&stored, "{\"a\":2}").unwrap();
    for to in [&["layout"][..], &["--files", "out"]] {
        let output = command(&[&["pull", &reference], to].concat()).current_dir(home.path()).output().unwrap();
        let said = common::sentence(1, &output);
        assert!(said.contains("digest"), "{said}");
    }
    assert!(
        !tree(home.path())
            .keys()
            .any(|name| name.contains("layout") || name.contains("out") || name.contains("longshore"))
    );
}

/// The file whose path ends with a digest's letters, with or without a folder's name before.
fn find(folder: &Path, hex: &str) -> Option<std::path::PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).find_map(|path| {
        if path.is_dir() {
            return find(&path, hex);
        }
        path.to_str().unwrap().replace('/', "").ends_with(hex).then_some(path)
    })
}

/// An artifact of one layer, as somebody else wrote it.
fn of_somebody_else(title: &str, is_folder: bool, content: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let writer = LayoutWriter::new(folder.path());
    let blob = |bytes: &[u8], media_type: &str| {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        fs::write(writer.blob(&digest).unwrap(), bytes).unwrap();
        Descriptor::new(media_type.parse().unwrap(), digest, bytes.len() as u64)
    };
    let config = blob(b"{}", MediaType::OCI_EMPTY);
    let mut layer = blob(content, MediaType::OCTET_STREAM);
    layer.annotations.insert("org.opencontainers.image.title".to_owned(), title.to_owned());
    if is_folder {
        layer.annotations.insert("io.deis.oras.content.unpack".to_owned(), "true".to_owned());
    }
    let document = serde_json::json!({
        "schemaVersion": 2, "mediaType": MediaType::OCI_MANIFEST, "artifactType": "a/b", "config": config, "layers": [layer],
    });
    let manifest = Manifest::parse(document.to_string().into_bytes()).unwrap();
    writer.manifest(&manifest).unwrap();
    writer.finish(&[manifest.descriptor()], None).unwrap();
    folder
}

#[test]
fn i41_titles_of_somebody_else_lead_nowhere_and_are_shown_harmlessly() {
    let (mock, home) = (Mock::start(&[]), tempfile::tempdir().unwrap());
    let reference = mock.reference("a:v1");
    for (title, is_folder) in [
        ("../CANARY", false),
        ("/tmp/CANARY", true),
        ("a/../../CANARY", false),
        ("\u{1b}[2J\u{202e}CANARY", false),
        ("nul", true),
    ] {
        let layout = of_somebody_else(title, is_folder, b"content");
        done(&["push", layout.path().to_str().unwrap(), &reference]);
        let output = command(&["pull", &reference, "--files", "out"]).current_dir(home.path()).output().unwrap();
        let said = common::sentence(1, &output);
        assert!(said.contains("pulls it as it is"), "{said}");
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "I30: {said:?}");
        assert!(tree(home.path()).is_empty(), "{title}");
        // It is not lost to those who know what they do.
        let whole = home.path().join("whole");
        assert!(run(&["pull", &reference, whole.to_str().unwrap()]).status.success());
        fs::remove_dir_all(whole).unwrap();
    }
    let layout = of_somebody_else("folder", true, b"no tar");
    done(&["push", layout.path().to_str().unwrap(), &reference]);
    let said = refused(1, &["pull", &reference, "--files", home.path().join("out").to_str().unwrap()]);
    assert!(said.contains("is not a whole tar+gzip"), "{said}");
    assert!(tree(home.path()).is_empty());
}
