//! Image layouts that somebody else wrote.

use std::fmt::Write as _;

use longshore_core::Digest;
use longshore_sources::layout::{Layout, LayoutError, Selection};

use super::assert_harmless;

/// The most of one blob that is read.
const MAX_READ: u64 = 1 << 20;

/// The bytes of a file that is said to be the tar of a layout: plain, gzip or zstd.
///
/// # Panics
/// As [`layout`] does.
pub fn layout_tar(bytes: &[u8]) {
    judge(Layout::read(bytes, "standard input"));
}

/// The files of a layout: each has its path in a line, and then its bytes; a line `==` parts them. A blob whose path is
/// `blobs/sha256/=` gets the name that its bytes have, and in the files after it `=N=` stands for the digest of blob `N`,
/// `=N#` for its size.
///
/// # Panics
/// Where a blob is given other bytes than its digest says, where the manifests of what is selected are not complete, and where
/// something that was read is shown as it is.
pub fn layout(bytes: &[u8]) {
    judge(Layout::read(&*tar_of(bytes), "standard input"));
}

/// What such an input means.
pub(super) fn show(bytes: &[u8]) -> String {
    match Layout::read(&*tar_of(bytes), "standard input") {
        Ok(layout) => {
            let mut text = format!("{layout:?}\n");
            match layout.select(&Selection::Only, None).and_then(|root| layout.closure(&root)) {
                Ok(closure) => _ = write!(text, "{closure:#?}"),
                Err(error) => _ = write!(text, "{error}"),
            }
            text
        }
        Err(error) => error.to_string(),
    }
}

fn judge(layout: Result<Layout, LayoutError>) {
    let layout = match layout {
        Ok(layout) => layout,
        Err(error) => return assert_harmless(&error.to_string()),
    };
    let selections = layout.names().into_iter().map(Selection::Name).chain([Selection::Only]);
    for selection in selections.take(8) {
        let closure = match layout.select(&selection, None).and_then(|root| layout.closure_with_referrers(&root)) {
            Ok(closure) => closure,
            Err(error) => {
                assert_harmless(&error.to_string());
                continue;
            }
        };
        closure.warnings.iter().for_each(|warning| assert_harmless(warning));
        assert!(closure.manifests.iter().any(|manifest| manifest.digest() == closure.root.digest));
        let there = |digest: Digest| closure.blobs.iter().any(|blob| blob.descriptor.digest == digest);
        let lacks = |digest: Digest| closure.missing.iter().any(|missing| missing.descriptor.digest == digest);
        for (at, manifest) in closure.manifests.iter().enumerate() {
            assert!(manifest.digest().matches(manifest.bytes()));
            assert!(manifest.blobs().all(|blob| there(blob.digest) || lacks(blob.digest)), "a blob is forgotten");
            let is_before = |digest: Digest| closure.manifests[..at].iter().any(|before| before.digest() == digest);
            assert!(
                manifest.children().all(|child| is_before(child.digest) || lacks(child.digest)),
                "a child comes late"
            );
        }
        for blob in &closure.blobs {
            judge_blob(blob);
        }
    }
}

fn judge_blob(blob: &longshore_sources::layout::Blob) {
    let len = blob.source.len().expect("a file has a length");
    assert_eq!(len, blob.descriptor.size);
    if len > MAX_READ {
        return;
    }
    let mut bytes = Vec::new();
    let mut reader = blob.source.open(0..len).expect("a file of the layout can be opened");
    let read = loop {
        match reader.next_piece() {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => break true,
            Err(error) => {
                assert_harmless(&error.to_string());
                break false;
            }
        }
    };
    assert!(!read || blob.descriptor.digest.matches(&bytes), "{} is {bytes:?}", blob.descriptor.digest);
}

/// The tar of such files.
fn tar_of(bytes: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut blobs: Vec<(Digest, usize)> = Vec::new();
    for file in super::parts(bytes) {
        let (path, content) = file.split_at(file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len()));
        let content = filled(content.strip_prefix(b"\n").unwrap_or(content), &blobs);
        let mut path = String::from_utf8_lossy(path).into_owned();
        if path == "blobs/sha256/=" {
            let digest = Digest::of(longshore_core::Algorithm::Sha256, &content);
            blobs.push((digest, content.len()));
            path = format!("blobs/sha256/{}", digest.hex());
        }
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        // A path that no tar can hold is left out.
        let _ = tar.append_data(&mut header, path, &*content);
    }
    tar.into_inner().expect("a vector can be written to")
}

/// The content with the digests and sizes of the blobs before it.
fn filled(content: &[u8], blobs: &[(Digest, usize)]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(content) else { return content.to_vec() };
    let named = blobs.iter().enumerate().fold(text.to_owned(), |text, (number, (digest, len))| {
        text.replace(&format!("={number}="), &digest.to_string()).replace(&format!("={number}#"), &len.to_string())
    });
    named.into_bytes()
}
