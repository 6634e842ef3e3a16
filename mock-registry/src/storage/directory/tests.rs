use bytes::Bytes;
use http::Request;
use longshore_core::Algorithm;

use super::*;
use crate::{Instant, Registry, RegistryOptions};

fn open(folder: &Path) -> Registry {
    Registry::with_storage(RegistryOptions::default(), Box::new(Directory::open(folder).unwrap())).unwrap()
}

fn ask(registry: &mut Registry, method: &str, uri: &str, body: impl Into<Bytes>) -> (u16, Bytes) {
    let request = Request::builder().method(method).uri(uri).body(body.into()).unwrap();
    let answer = registry.answer(Instant::default(), request).unwrap();
    (answer.status().as_u16(), answer.into_body())
}

fn digest(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

/// Pushes a blob and a manifest with a tag, and returns both digests.
fn push(registry: &mut Registry, repository: &str) -> (Digest, Digest) {
    let blob = digest(b"{}");
    assert_eq!(ask(registry, "POST", &format!("/v2/{repository}/blobs/uploads/?digest={blob}"), "{}").0, 201);
    let manifest = manifest();
    assert_eq!(ask(registry, "PUT", &format!("/v2/{repository}/manifests/v1"), manifest.clone()).0, 201);
    (blob, digest(&manifest))
}

fn manifest() -> Bytes {
    let config = digest(b"{}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[]}}"#
    );
    manifest.into()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.collect()
}

#[test]
fn a_registry_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = open(folder.path());
    let (blob, manifest_digest) = push(&mut registry, "library/a");
    push(&mut registry, "b");
    assert_eq!(ask(&mut registry, "DELETE", "/v2/b/manifests/v1", "").0, 202);
    assert_eq!(ask(&mut registry, "POST", "/v2/a/blobs/uploads/", "").0, 202);
    drop(registry);

    let mut registry = open(folder.path());
    assert!(registry.state.uploads.is_empty());
    assert_eq!(ask(&mut registry, "GET", "/v2/library/a/manifests/v1", ""), (200, manifest()));
    assert_eq!(ask(&mut registry, "GET", &format!("/v2/library/a/blobs/{blob}"), ""), (200, "{}".into()));
    assert_eq!(ask(&mut registry, "GET", "/v2/b/manifests/v1", "").0, 404);
    assert_eq!(ask(&mut registry, "GET", &format!("/v2/b/manifests/{manifest_digest}"), ""), (200, manifest()));
    for repository in ["library/a", "b"] {
        assert_eq!(ask(&mut registry, "DELETE", &format!("/v2/{repository}/blobs/{blob}"), "").0, 202);
    }
    assert!(names(&folder.path().join("blobs/sha256")).is_empty());
    drop(registry);
    let mut registry = open(folder.path());
    assert_eq!(ask(&mut registry, "GET", &format!("/v2/b/blobs/{blob}"), "").0, 404);
}

#[test]
fn s9_file_names_are_made_of_digests_and_own_ids_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = open(folder.path());
    push(&mut registry, "x..y/tags/list".replace("..", ".").as_str());
    for uri in ["/v2/a/blobs/uploads/..%2f..%2fetc", "/v2/a/blobs/uploads/x", "/v2/../manifests/x"] {
        assert!(matches!(ask(&mut registry, "PUT", uri, "x").0, 400..500), "{uri}");
    }
    let mut found = Vec::new();
    for sub in FOLDERS {
        found.extend(names(&folder.path().join(sub)));
    }
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(found.iter().all(|name| name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())), "{found:?}");

    let mut storage = Directory::open(tempfile::tempdir().unwrap().path()).unwrap();
    for id in ["", "../x", "a/b", "file", ".", &"a".repeat(65)] {
        assert!(storage.append(&UploadId::from(id), b"x").is_err(), "{id}");
    }
}

#[test]
fn what_a_crash_left_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let (blob, manifest_digest) = push(&mut open(folder.path()), "a");
    fs::write(folder.path().join("blobs/sha256").join(blob.hex()), "{").unwrap();
    fs::write(folder.path().join("manifests/sha256").join(manifest_digest.hex()), "{").unwrap();
    fs::write(folder.path().join("blobs/sha256").join("0".repeat(64)), "orphan").unwrap();
    fs::write(folder.path().join("records").join("1".repeat(64)), "").unwrap();
    fs::write(folder.path().join("temporary/aa-bb"), "unfinished").unwrap();
    let mut registry = open(folder.path());
    for uri in
        [format!("/v2/a/blobs/{blob}"), format!("/v2/a/manifests/{manifest_digest}"), "/v2/a/manifests/v1".into()]
    {
        assert_eq!(ask(&mut registry, "GET", &uri, "").0, 404, "{uri}");
    }
    assert!(names(&folder.path().join("blobs/sha256")).is_empty());
    assert!(names(&folder.path().join("temporary")).is_empty());
    assert_eq!(ask(&mut registry, "GET", "/v2/a/tags/list", "").1, r#"{"name":"a","tags":[]}"#);
    push(&mut registry, "a");
}

#[test]
fn a_folder_of_others_is_left_alone_and_one_in_use_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("blobs")).unwrap();
    fs::write(folder.path().join("blobs/thesis.txt"), "precious").unwrap();
    let refused = Directory::open(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("choose another folder"), "{refused}");
    assert_eq!(names(folder.path()), ["blobs"]);

    // Files with other names do not prevent the start.
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lost+found")).unwrap();
    push(&mut open(folder.path()), "a");
    open(folder.path());
    assert!(folder.path().join("lost+found").exists());

    let folder = tempfile::tempdir().unwrap();
    let first = Directory::open(folder.path()).unwrap();
    assert!(Directory::open(folder.path()).unwrap_err().to_string().contains("stop that one first"));
    drop(first);
    Directory::open(folder.path()).unwrap();
}

#[test]
fn a_full_disk_is_told_apart() {
    for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
        assert_eq!(failed(&kind.into()), StorageError::Full);
    }
    assert!(matches!(failed(&ErrorKind::PermissionDenied.into()), StorageError::Failed(_)));
}

#[test]
fn an_empty_blob_and_a_long_one_are_read_as_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = open(folder.path());
    for content in [Vec::new(), (0..3_000_000_u32).map(|i| (i % 251) as u8).collect::<Vec<u8>>()] {
        let digest = Digest::of(Algorithm::Sha512, &content);
        let uri = format!("/v2/a/blobs/uploads/?digest={digest}");
        assert_eq!(ask(&mut registry, "POST", &uri, content.clone()).0, 201);
        let (status, body) = ask(&mut registry, "GET", &format!("/v2/a/blobs/{digest}"), "");
        assert!(status == 200 && body == content);
    }
}

#[test]
fn a_blob_whose_bytes_changed_at_rest_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let (blob, _) = push(&mut open(folder.path()), "a");
    fs::write(folder.path().join("blobs/sha256").join(blob.hex()), "[]").unwrap();
    let get = format!("/v2/a/blobs/{blob}");
    assert_eq!(ask(&mut open(folder.path()), "HEAD", &get, "").0, 200, "its length is right");
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&told);
    let storage = Directory::open(folder.path()).unwrap().with_check();
    let storage = storage.telling(move |what| seen.lock().unwrap().push(what.to_owned()));
    let mut registry = Registry::with_storage(RegistryOptions::default(), Box::new(storage)).unwrap();
    assert_eq!(ask(&mut registry, "HEAD", &get, "").0, 404);
    let told = told.lock().unwrap();
    assert!(told.len() == 1 && told[0].contains(&blob.to_string()), "{told:?}");
}

#[test]
fn a_reset_forgets_everything_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = open(folder.path());
    let (blob, _) = push(&mut registry, "a");
    registry.reset().unwrap();
    let head = format!("/v2/a/blobs/{blob}");
    assert_eq!(ask(&mut registry, "HEAD", &head, "").0, 404);
    drop(registry);
    assert_eq!(ask(&mut open(folder.path()), "HEAD", &head, "").0, 404);
}

#[test]
fn what_others_put_between_the_content_stays_and_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let (blob, _) = push(&mut open(folder.path()), "a");
    let blobs = folder.path().join("blobs/sha256");
    fs::create_dir(blobs.join("lost+found")).unwrap();
    fs::write(blobs.join("notes.txt"), "mine").unwrap();
    let unnamed = digest(b"unnamed").hex();
    fs::write(blobs.join(&unnamed), "unnamed").unwrap();
    assert_eq!(ask(&mut open(folder.path()), "GET", &format!("/v2/a/blobs/{blob}"), "").0, 200);
    let left = names(&blobs);
    assert!(left.contains(&"lost+found".to_owned()) && left.contains(&"notes.txt".to_owned()), "{left:?}");
    assert!(!left.contains(&unnamed), "{left:?}");
}
