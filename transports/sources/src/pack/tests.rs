use std::io::Read;

use longshore_core::content::Platform;
use longshore_core::{Algorithm, Digest, Manifest, MediaType};

use super::*;
use crate::layout::{Closure, Layout, Selection};
use crate::source::Source;

fn layer() -> Layer {
    let long = format!("{}/file", "folder/".repeat(40));
    Layer::new()
        .with_file("usr/bin/tool", Source::bytes(vec![7; 200_000]), 0o755)
        .with_file("etc/motd", Source::bytes("hello"), 0o644)
        .with_file(long.replace("//", "/"), Source::bytes(""), 0o600)
}

fn two_platforms() -> Closure {
    let shared = layer().in_memory(Compression::Gzip).unwrap();
    let own = |text: &str| {
        let layer = Layer::new().with_file("arch", Source::bytes(text.to_owned()), 0o644);
        layer.in_memory(Compression::None).unwrap()
    };
    let of = |platform: Platform, text: &str| image(&platform, &[shared.clone(), own(text)], &["/tool".to_owned()]);
    let amd = of(Platform::new("linux", "amd64", None), "amd64").unwrap();
    let arm = of(Platform::new("linux", "arm64", Some("v8".to_owned())), "arm64").unwrap();
    index(&[amd, arm]).unwrap()
}

fn read(source: &Source) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.rest(0).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_layer_holds_its_files_sorted_and_without_time() {
    for compression in [Compression::None, Compression::Gzip] {
        let packed = layer().in_memory(compression).unwrap();
        let bytes = read(&packed.source);
        assert_eq!(
            (packed.descriptor.digest, packed.descriptor.size),
            (Digest::of(Algorithm::Sha256, &bytes), bytes.len() as u64)
        );
        let mut tar = Vec::new();
        match compression {
            Compression::None => tar = bytes,
            Compression::Gzip => {
                flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut tar).unwrap();
            }
        }
        assert_eq!(packed.diff_id, Digest::of(Algorithm::Sha256, &tar));
        let mut archive = tar::Archive::new(tar.as_slice());
        let entries: Vec<_> = archive.entries().unwrap().map(Result::unwrap).collect();
        let names: Vec<_> = entries.iter().map(|entry| entry.path().unwrap().display().to_string()).collect();
        assert_eq!((names[0].as_str(), names[2].as_str(), names.len()), ("etc/motd", "usr/bin/tool", 3));
        assert!(names[1].ends_with("/file") && names[1].len() > 200);
        assert!(entries.iter().all(|entry| entry.header().mtime().unwrap() == 0 && entry.header().uid().unwrap() == 0));
        assert_eq!((entries[2].header().mode().unwrap(), entries[2].size()), (0o755, 200_000));
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_in_memory_and_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let packed = layer().in_memory(Compression::Gzip).unwrap();
    let file = layer().in_file(Compression::Gzip, folder.path().join("layer")).unwrap();
    assert_eq!(packed.descriptor, file.descriptor);
    assert_eq!(read(&packed.source), read(&file.source));
    assert_eq!(file.source.place().unwrap().0, folder.path().join("layer"));
    assert_eq!(two_platforms().root, two_platforms().root);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["", "/etc/passwd", "../x", "a/../b", "./x"] {
        let layer = Layer::new().with_file(name, Source::bytes(""), 0o644);
        assert!(matches!(layer.in_memory(Compression::None), Err(PackError::Name { .. })), "{name}");
    }
    let reader = Source::reader(std::io::empty(), Algorithm::Sha256);
    let layer = Layer::new().with_file("x", reader, 0o644);
    assert!(matches!(layer.in_memory(Compression::None), Err(PackError::UnknownLength { .. })));
    let wrong = Source::bytes("x").with_digest(Digest::of(Algorithm::Sha256, b"y"));
    let layer = Layer::new().with_file("x", wrong, 0o644);
    assert!(matches!(layer.in_memory(Compression::None), Err(PackError::Source(SourceError::DigestMismatch(_)))));
}

#[test]
fn what_is_written_as_a_layout_reads_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let packed = two_platforms();
    write_layout(folder.path(), &packed, "demo").unwrap();
    let layout = Layout::open(folder.path()).unwrap();
    let root = layout.select(&Selection::Name("demo".to_owned()), None).unwrap();
    let found = layout.closure(&root).unwrap();
    assert_eq!(found.manifests, packed.manifests);
    let digests = |closure: &Closure| closure.blobs.iter().map(|blob| blob.descriptor.digest).collect::<Vec<_>>();
    assert_eq!(digests(&found), digests(&packed));
    for blob in &found.blobs {
        assert!(blob.descriptor.digest.matches(&read(&blob.source)));
    }
    let arm = layout.select(&Selection::Only, Some(&Platform::new("linux", "arm64", None))).unwrap();
    assert_eq!(arm.digest, packed.manifests[1].digest());
    assert!(matches!(write_layout(folder.path(), &packed, "demo"), Err(PackError::Exists(_))));
}

#[test]
fn a_referrer_is_found_again_in_a_written_layout() {
    let folder = tempfile::tempdir().unwrap();
    let mut packed = image(&Platform::new("linux", "amd64", None), &[], &[]).unwrap();
    let config = serde_json::to_value(&packed.blobs[0].descriptor).unwrap();
    let subject = serde_json::to_value(packed.manifests[0].descriptor()).unwrap();
    let referrer = serde_json::json!({"schemaVersion": 2, "artifactType": "application/x", "config": config, "layers": [], "subject": subject});
    packed.manifests.push(Manifest::parse(referrer.to_string()).unwrap());
    write_layout(folder.path(), &packed, "demo").unwrap();
    let layout = Layout::open(folder.path()).unwrap();
    let root = layout.select(&Selection::Only, None).unwrap();
    assert_eq!(layout.closure_with_referrers(&root).unwrap().manifests, packed.manifests);
}

#[cfg(unix)]
#[test]
fn i42_a_folder_that_could_not_be_unpacked_is_not_packed() {
    use std::os::unix::fs::symlink;
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("outside"), "CANARY").unwrap();
    let pack = |make: &dyn Fn(&std::path::Path)| {
        let source = tempfile::tempdir_in(home.path()).unwrap();
        make(source.path());
        folder(source.path(), "d", longshore_core::MediaType::OCI_LAYER_GZIP.parse().unwrap(), home.path().join("t"))
            .unwrap_err()
    };
    for to in ["../outside", "/etc/passwd", "gone", ".", "sub"] {
        let error = pack(&|source| {
            std::fs::create_dir(source.join("sub")).unwrap();
            symlink(to, source.join("link")).unwrap();
        });
        assert!(
            matches!(error, PackError::Link(_)) && error.to_string().contains("links are not unpacked: "),
            "{to}: {error}"
        );
    }
    for name in ["nul", "a\\b", "new\nline"] {
        let error = pack(&|source| std::fs::write(source.join(name), "").unwrap());
        assert!(matches!(error, PackError::Path { .. }), "{name}: {error}");
    }
    let error = pack(&|source| ["a", "A"].into_iter().for_each(|name| std::fs::write(source.join(name), "").unwrap()));
    assert!(matches!(error, PackError::Collision { .. }), "{error}");
    let error = pack(&|source| {
        std::os::unix::net::UnixListener::bind(source.join("socket")).unwrap();
    });
    assert!(matches!(error, PackError::Kind(_)), "{error}");
}

#[test]
fn an_artifact_has_its_files_and_folders_and_the_empty_config() {
    let folder = tempfile::tempdir().unwrap();
    let (path, assets) = (folder.path().join("guide.md"), folder.path().join("assets"));
    std::fs::write(&path, "read me").unwrap();
    std::fs::create_dir(&assets).unwrap();
    std::fs::write(assets.join("a"), "a").unwrap();
    let guide = file(&path, "docs/guide.md", "text/markdown".parse().unwrap()).unwrap();
    let assets = super::folder(&assets, "assets", MediaType::oci_layer_gzip(), folder.path().join("packed")).unwrap();
    let made = artifact("application/vnd.example.docs", [guide.clone(), assets, guide]).unwrap();

    let contents: Vec<_> = made.blobs.iter().map(|blob| read(&blob.source)).collect();
    assert_eq!((contents.len(), &contents[0][..], &contents[2][..]), (3, &b"read me"[..], &b"{}"[..]));
    let manifest = &made.manifests[0];
    assert_eq!(manifest.artifact_type().unwrap().to_string(), "application/vnd.example.docs");
    let titles: Vec<_> = manifest.blobs().filter_map(|blob| blob.annotations.get(crate::unpack::TITLE)).collect();
    assert_eq!(titles, ["docs/guide.md", "assets", "docs/guide.md"]);

    let another =
        artifact("application/vnd.example.docs", [file(&path, "a", "text/markdown".parse().unwrap()).unwrap()]);
    std::fs::write(&path, "changed").unwrap();
    let changed = another.unwrap().blobs[0].source.open(0..7).unwrap().next_piece();
    assert!(changed.unwrap_err().to_string().contains("the blob is damaged"));
    let outside = file(&path, "../guide.md", "text/markdown".parse().unwrap());
    assert!(matches!(outside, Err(PackError::Path { .. })), "{outside:?}");
    assert!(matches!(file(folder.path(), "a", MediaType::oci_layer_gzip()), Err(PackError::Source(_))));
}
