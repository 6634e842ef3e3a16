//! The files of an artifact, which are written where the artifact says and nowhere else.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use longshore_core::{Algorithm, Descriptor, Digest, MediaType};
use longshore_sources::unpack::{Files, Limits, TITLE, Title, UNPACK, UnpackError};

use super::assert_harmless;

/// The title of a folder in the first line; then its entries, parted by lines `==`: the kind (a tar's type flag), the path and
/// perhaps a link's target in a line, with `|` between them, and the content.
///
/// # Panics
/// Where anything is written beside the folder, where there is anything but files and folders in it, and where there is
/// anything in it after a failure (security invariants I41, I42 and I43).
pub fn unpack(bytes: &[u8]) {
    let (title, entries) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let Ok(title) = std::str::from_utf8(title) else { return };
    let annotations = BTreeMap::from([(TITLE.to_owned(), title.to_owned()), (UNPACK.to_owned(), "true".to_owned())]);
    let blob = zipped(entries.strip_prefix(b"\n").unwrap_or(entries));
    let home = tempfile::tempdir().expect("a folder can be made");
    fs::write(home.path().join("beside"), b"untouched").expect("a file can be written");
    let out = home.path().join("out");
    let mut layer =
        Descriptor::new(MediaType::oci_layer_gzip(), Digest::of(Algorithm::Sha256, &blob), blob.len() as u64);
    layer.annotations = annotations;
    let result = write(&layer, &blob, &out);
    let beside: Vec<_> = fs::read_dir(home.path()).expect("it is there").map(|it| it.expect("it is there")).collect();
    let strangers = beside.iter().filter(|it| it.file_name() != "out" && it.file_name() != "beside").count();
    assert_eq!(strangers, 0, "something was left beside the folder: {beside:?}");
    assert_eq!(fs::read(home.path().join("beside")).expect("it is there"), b"untouched");
    let files = judge(&out, &out);
    match result {
        Ok(count) => assert_eq!(count, files, "so many files were promised"),
        Err(error) => {
            assert_harmless(&error.to_string().replace(&*home.path().to_string_lossy(), ""));
            assert!(!out.exists() || fs::read_dir(&out).expect("it is there").next().is_none(), "half of it is there");
        }
    }
}

fn write(layer: &Descriptor, blob: &[u8], out: &Path) -> Result<u64, UnpackError> {
    let Some(title) = Title::of(layer)? else { return Ok(0) };
    let mut limits = Limits::default();
    limits.bytes = 1 << 20;
    limits.entries = 64;
    let mut files = Files::create(out)?;
    files.claim(&title)?;
    let scratch = files.scratch().join("blob");
    fs::write(&scratch, blob).expect("the scratch folder is there");
    files.put(&title, &scratch, &limits)?;
    files.finish()
}

/// How many files there are below a folder, with nothing but folders beside them.
fn judge(folder: &Path, top: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let entries = entries.map(|entry| entry.expect("it is there"));
    let counts = entries.map(|entry| {
        let kind = entry.file_type().expect("it is there");
        assert!(kind.is_file() || kind.is_dir(), "{:?} is neither a file nor a folder", entry.path());
        assert!(entry.path().starts_with(top));
        if kind.is_dir() { judge(&entry.path(), top) } else { 1 }
    });
    counts.sum()
}

/// A tar, whatever stands in its headers.
fn zipped(entries: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for entry in super::parts(entries) {
        let (line, content) = entry.split_at(entry.iter().position(|byte| *byte == b'\n').unwrap_or(entry.len()));
        let content = content.strip_prefix(b"\n").unwrap_or(content);
        let mut words = line.split(|byte| *byte == b'|');
        let kind = words.next().and_then(|kind| kind.first()).copied().unwrap_or(b'0');
        let (path, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut header = tar::Header::new_ustar();
        let fields = header.as_mut_bytes();
        let cut = |bytes: &[u8]| bytes.len().min(100);
        fields[..cut(path)].copy_from_slice(&path[..cut(path)]);
        fields[157..157 + cut(target)].copy_from_slice(&target[..cut(target)]);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_mode(if content.len().is_multiple_of(2) { 0o755 } else { 0o644 });
        header.set_size(content.len() as u64);
        header.set_cksum();
        // Its header is whole, so it can be written.
        tar.append(&header, content).expect("a vector can be written to");
    }
    let mut zip = tar.into_inner().expect("a vector can be written to");
    zip.flush().expect("a vector can be written to");
    zip.finish().expect("a vector can be written to")
}
