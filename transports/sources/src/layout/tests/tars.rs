//! Tars: links and holes in them, compressed ones, and ones that come through a pipe.

use std::fs;
use std::io::{Read, Write};

use longshore_core::MediaType;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::EntryType;

use super::maker::{Maker, append, closure, digest, two_platforms};
use crate::layout::{Closure, Layout, LayoutError};

#[test]
fn other_files_are_not_layouts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let open = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Layout::open(&path).unwrap_err()
    };
    assert!(matches!(Layout::open(folder.path().join("gone")), Err(LayoutError::NotFound { .. })));
    assert!(matches!(Layout::open(folder.path()), Err(LayoutError::NotALayout { .. })));
    assert!(matches!(open(b""), LayoutError::Nothing { .. }));
    assert!(matches!(open(&[b'x'; 2000]), LayoutError::NotATar { entry: 1, .. }));
    for (magic, remedy) in [(&b"\xfd7zXZ\0"[..], "unxz"), (b"BZh9\0\0", "bunzip2")] {
        let error = open(magic).to_string();
        assert!(error.ends_with(&format!("unpack it first with {remedy}")), "{error}");
    }
    for damaged in [&b"\x1f\x8b\x08\0\0\0"[..], b"\x28\xb5\x2f\xfd\0\0"] {
        assert!(matches!(open(damaged), LayoutError::NotUnpacked { .. }));
    }
}

/// skopeo reads an archive of Docker from a file only, and a folder in its own format under another name.
#[test]
fn what_converts_an_image_in_another_format_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| fs::write(folder.path().join(name), "[]").unwrap();
    write("manifest.json");
    write("repositories");
    let said = || Layout::open(folder.path()).unwrap_err().to_string();
    assert!(said().ends_with(&format!(
        "tar -cf FILE -C {} . && skopeo copy docker-archive:FILE oci:FOLDER",
        folder.path().display()
    )));
    write("version");
    let expected = format!("convert it with skopeo copy dir:{} oci:FOLDER", folder.path().display());
    assert!(said().ends_with(&expected), "{}", said());
    let path = folder.path().join("saved.tar");
    let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
    append(&mut tar, "manifest.json", b"[]");
    tar.finish().unwrap();
    let of_file = Layout::open(&path).unwrap_err().to_string();
    assert!(of_file.contains(&format!("skopeo copy docker-archive:{} oci:FOLDER", path.display())), "{of_file}");
    let piped = Layout::read(fs::read(&path).unwrap().as_slice(), "standard input").unwrap_err().to_string();
    assert!(piped.contains("write it into a file") && piped.contains("docker-archive:FILE oci:"), "{piped}");
    assert!(of_file.contains("podman save --format oci-archive") && piped.contains("podman save --format oci-archive"));
}

#[test]
fn tars_that_lie_are_refused() {
    let (maker, _) = two_platforms();
    let whole = fs::read(maker.tar("")).unwrap();
    let path = maker.path().join("other.tar");
    let made = |entries: &[(&str, &[u8])]| {
        let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
        entries.iter().for_each(|(name, bytes)| append(&mut tar, name, bytes));
        tar.finish().unwrap();
        Layout::open(&path).unwrap_err()
    };
    for name in ["../oci-layout", "blobs/../../oci-layout", "../index.json"] {
        assert!(matches!(made(&[(name, b"{}")]), LayoutError::NotALayout { .. }), "{name}");
    }
    assert!(matches!(made(&[("manifest.json", b"[]"), ("repositories", b"{}")]), LayoutError::DockerArchive { .. }));
    assert!(matches!(made(&[("readme", b"hello")]), LayoutError::NotALayout { .. }));

    let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "oci-layout", "/etc/hostname").unwrap();
    tar.finish().unwrap();
    assert!(matches!(Layout::open(&path), Err(LayoutError::Link { .. })));

    fs::write(&path, &whole[..whole.len() - 1024 - 500]).unwrap();
    let error = Layout::open(&path).unwrap_err();
    assert!(matches!(&error, LayoutError::Truncated { name, .. } if name == "oci-layout"), "{error}");

    // Cut anywhere, a tar is refused or what is missing is named; it never reads as a whole one.
    for len in (0..=whole.len() - 1024 - 1024).step_by(512) {
        fs::write(&path, &whole[..len]).unwrap();
        let cut = Layout::open(&path).and_then(|layout| closure(&layout));
        assert!(cut.is_err() || cut.is_ok_and(|cut| !cut.warnings.is_empty()), "oci-layout stands at the end");
        fs::write(&path, &whole[..len + 100]).unwrap();
        assert!(Layout::open(&path).is_err());
    }
}

/// Nothing of a tar is extracted, so a name that leads out of it harms nobody: what has it is not read.
#[test]
fn a_name_that_leads_out_of_the_tar_is_a_warning() {
    for (name, warning) in [("../../evil", Some("\"../../evil\"")), ("a/../b", None), ("/etc/passwd", None)] {
        let (maker, _) = two_platforms();
        let (whole, path) = (fs::read(maker.tar("")).unwrap(), maker.path().join("other.tar"));
        let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
        append(&mut tar, name, b"x");
        drop(tar.into_inner().unwrap());
        let other = fs::read(&path).unwrap();
        fs::write(&path, [&other[..1024], &whole].concat()).unwrap();
        let closure = closure(&Layout::open(&path).unwrap()).unwrap();
        read_all(&closure);
        match (warning, closure.warnings.as_slice()) {
            (Some(part), [only]) => assert!(only.contains(part) && only.contains("leads out of the archive"), "{only}"),
            (None, []) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_folder_of_a_tar_may_be_a_link_to_another() {
    let (maker, _) = two_platforms();
    let path = maker.path().join("linked.tar");
    let mut tar = tar::Builder::new(fs::File::create(&path).unwrap());
    for entry in fs::read_dir(maker.path().join("blobs/sha256")).unwrap() {
        let entry = entry.unwrap();
        append(&mut tar, &format!("store/{}", entry.file_name().display()), &fs::read(entry.path()).unwrap());
    }
    for name in ["index.json", "oci-layout"] {
        append(&mut tar, name, &fs::read(maker.path().join(name)).unwrap());
    }
    let mut link = |name: &str, target: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, name, target).unwrap();
    };
    link("content/sha256", "../store");
    link("blobs", "./content");
    tar.finish().unwrap();
    drop(tar);
    let closure = closure(&Layout::open(&path).unwrap()).unwrap();
    assert_eq!((closure.manifests.len(), closure.missing_manifests.len(), closure.missing.len()), (3, 0, 0));
    read_all(&closure);
}

#[test]
fn what_follows_a_compressed_tar_is_left_alone() {
    let (maker, _) = two_platforms();
    let tar = fs::read(maker.tar("")).unwrap();
    let path = maker.path().join("padded");
    for compressed in [gzip(&tar), compress_to_vec(tar.as_slice(), CompressionLevel::Fastest)] {
        for rest in [&[0; 1000][..], b"garbage"] {
            fs::write(&path, [&compressed, rest].concat()).unwrap();
            read_all(&closure(&Layout::open(&path).unwrap()).unwrap());
        }
        fs::write(&path, &compressed[..compressed.len() - 20]).unwrap();
        assert!(matches!(Layout::open(&path), Err(LayoutError::NotUnpacked { .. })), "cut off");
    }
}

fn read_all(closure: &Closure) {
    for blob in &closure.blobs {
        let mut bytes = Vec::new();
        blob.source.rest(0).unwrap().read_to_end(&mut bytes).unwrap();
        assert!(blob.descriptor.digest.matches(&bytes));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

#[test]
fn compressed_tars_and_readers_are_copied_into_a_temporary_file() {
    let (maker, [.., index]) = two_platforms();
    let plain = fs::read(maker.tar("")).unwrap();
    let (first, second) = plain.split_at(plain.len() / 2);
    let skipped = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(&plain)].concat();
    let forms = [
        plain.clone(),
        gzip(&plain),
        [gzip(first), gzip(second)].concat(),
        zstd(&plain),
        [zstd(first), zstd(second)].concat(),
        skipped,
    ];
    for (form, bytes) in forms.iter().enumerate() {
        let path = maker.path().join("form");
        fs::write(&path, bytes).unwrap();
        let layout = Layout::open(&path).unwrap();
        assert_eq!(layout.spooled(), (form > 0).then_some(plain.len() as u64), "form {form}");
        let piped = Layout::read(bytes.as_slice(), "standard input").unwrap();
        assert_eq!(piped.spooled(), Some(plain.len() as u64));
        for layout in [layout, piped] {
            let closure = closure(&layout).unwrap();
            drop(layout);
            assert_eq!(closure.root.digest, digest(&index));
            read_all(&closure);
        }
        for cut in [bytes.len() / 2, bytes.len() - 2].into_iter().filter(|_| form > 0) {
            let cut = Layout::read(&bytes[..cut], "standard input").map(|_| ()).unwrap_err();
            assert!(matches!(cut, LayoutError::NotUnpacked { .. }), "form {form}: {cut}");
        }
    }
    let nothing = Layout::read(&b""[..], "standard input").unwrap_err().to_string();
    assert_eq!(nothing, "standard input is empty: a tar of an image was expected");
}

/// `tar -c FOLDER`, where `tar -C FOLDER -c .` was meant.
#[test]
fn a_layout_may_be_the_only_one_below_a_folder_of_the_tar() {
    let (maker, [.., index]) = two_platforms();
    let path = maker.tar("a/layout/");
    let layout = Layout::open(&path).unwrap();
    assert_eq!(closure(&layout).unwrap().root.digest, digest(&index));
    let mut whole = fs::read(&path).unwrap();
    whole.truncate(whole.len() - 1024);
    let mut two = tar::Builder::new(whole);
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    two.append_data(&mut header, "a/layout/rootfs/oci-layout", &b"{}"[..]).unwrap();
    fs::write(&path, two.get_ref()).unwrap();
    assert!(Layout::open(&path).is_ok(), "one in another one's folder is not meant");
    two.append_data(&mut header, "b/oci-layout", &b"{}"[..]).unwrap();
    fs::write(&path, two.into_inner().unwrap()).unwrap();
    let error = Layout::open(&path).unwrap_err();
    assert!(
        matches!(&error, LayoutError::SeveralLayouts { folders, .. } if *folders == ["a/layout/", "b/"]),
        "{error}"
    );
    assert!(error.to_string().ends_with("name the folder of one of them: a/layout/, b/"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_read_as_a_reader() {
    let (maker, [.., index]) = two_platforms();
    let bytes = fs::read(maker.tar("")).unwrap();
    let pipe = maker.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::thread::scope(|scope| {
        scope.spawn(|| fs::write(&pipe, &bytes).unwrap());
        let layout = Layout::open(&pipe).unwrap();
        assert_eq!(closure(&layout).unwrap().root.digest, digest(&index));
    });
}

/// A layout whose layer is a link to another entry.
fn linked(kind: EntryType, target: &str) -> Result<Closure, LayoutError> {
    let mut maker = Maker::new();
    let image = maker.image("linux", "amd64", &["layer"]);
    maker.tag(&image, "v1");
    let layer = maker.file(&maker.blob(MediaType::OCI_LAYER_GZIP, b"layer"));
    fs::remove_file(&layer).unwrap();
    let name = format!("blobs/sha256/{}", layer.file_name().unwrap().to_str().unwrap());
    let path = maker.tar("");
    let mut tar = fs::read(&path).unwrap();
    tar.truncate(tar.len() - 1024);
    let mut more = tar::Builder::new(tar);
    let mut header = tar::Header::new_gnu();
    header.set_size(5);
    more.append_data(&mut header, "first/same", &b"layer"[..]).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    more.append_link(&mut header, &name, target).unwrap();
    fs::write(&path, more.into_inner().unwrap()).unwrap();
    closure(&Layout::open(&path)?).inspect(read_all)
}

#[test]
fn links_to_other_entries_of_a_tar_are_followed() {
    for (kind, target) in [
        (EntryType::Link, "first/same"),
        (EntryType::Link, "./first/same"),
        (EntryType::Symlink, "../../first/same"),
        (EntryType::Symlink, "./../../first/same"),
    ] {
        let closure = linked(kind, target).unwrap();
        assert_eq!(closure.blobs.len(), 2, "{target}");
    }
    for (kind, target) in [
        (EntryType::Link, "first/none"),
        (EntryType::Link, "../first/same"),
        (EntryType::Symlink, "first/same"),
        (EntryType::Symlink, "../../../first/same"),
        (EntryType::Symlink, "/etc/hostname"),
    ] {
        let error = linked(kind, target).unwrap_err();
        assert!(matches!(error, LayoutError::Link { is_folder: false, .. }), "{target}: {error}");
    }
}

#[test]
fn a_sparse_entry_is_named_as_such() {
    let (maker, _) = two_platforms();
    let path = maker.tar("");
    let whole = fs::read(&path).unwrap();
    let sparse_by_type = |tar: &mut tar::Builder<Vec<u8>>| {
        let mut header = tar::Header::new_gnu();
        header.set_path("index.json").unwrap();
        header.set_entry_type(EntryType::GNUSparse);
        header.set_size(0);
        header.as_gnu_mut().unwrap().realsize = *b"00000000000\0";
        header.set_cksum();
        tar.append(&header, &b""[..]).unwrap();
    };
    let sparse_by_extension = |tar: &mut tar::Builder<Vec<u8>>| {
        let extensions =
            [("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.name", b"index.json"), ("GNU.sparse.realsize", b"9")];
        tar.append_pax_extensions(extensions).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(3);
        tar.append_data(&mut header, "GNUSparseFile.1/index.json", &b"0\n\n"[..]).unwrap();
    };
    let ways: [fn(&mut tar::Builder<Vec<u8>>); 2] = [sparse_by_type, sparse_by_extension];
    for add in ways {
        let mut tar = tar::Builder::new(whole[..whole.len() - 1024].to_vec());
        add(&mut tar);
        fs::write(&path, tar.into_inner().unwrap()).unwrap();
        let error = Layout::open(&path).unwrap_err();
        assert!(matches!(&error, LayoutError::Sparse { name, .. } if name == "index.json"), "{error}");
        assert!(error.to_string().ends_with("make the tar without --sparse"), "{error}");
    }
}
