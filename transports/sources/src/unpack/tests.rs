//! The advisories on unpacking, each as a test: CVE-2018-1002200 (zip slip), CVE-2021-21272 (folders of ORAS clients, by
//! links), CVE-2001-1267 and CVE-2007-4131 (`..`), CVE-2018-20990 and CVE-2018-20835 (hard links over files), CVE-2021-38511
//! and CVE-2021-37701 (a folder that becomes a link), CVE-2021-32760 (what is outside is changed), CVE-2021-32804 (absolute
//! names), CVE-2021-37713 (drives), CVE-2024-32002 (case), GHSA-8xwf-rjm4-xvhv (links that are there).

mod stopped;

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use longshore_core::{Algorithm, MediaType};
use proptest::prelude::*;
use tar::{EntryType, Header};
use tempfile::TempDir;

use super::*;
use crate::pack;

/// A tar+gzip whose names nobody checked.
#[derive(Default)]
struct Tar {
    bytes: Vec<u8>,
}

impl Tar {
    fn entry(mut self, kind: EntryType, name: &[u8], link: &[u8], content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name);
        gnu.linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o6777);
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.entry(EntryType::Regular, name.as_bytes(), b"", content.as_bytes())
    }

    fn folder(self, name: &str) -> Self {
        self.entry(EntryType::Directory, name.as_bytes(), b"", b"")
    }

    fn link(self, kind: EntryType, name: &str, to: &str) -> Self {
        self.entry(kind, name.as_bytes(), to.as_bytes(), b"")
    }

    fn gzip(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.resize(bytes.len() + 1024, 0);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&bytes).unwrap();
        gzip.finish().unwrap()
    }
}

/// A place with something beside the folder that is filled, which must stay as it is.
struct Place {
    home: TempDir,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("outside"), "outside").unwrap();
        Self { home }
    }

    fn out(&self) -> PathBuf {
        self.home.path().join("out")
    }

    fn put(&self, layers: &[(&Title, &[u8])], limits: &Limits) -> Result<u64, UnpackError> {
        let mut files = Files::create(&self.out())?;
        for (title, _) in layers {
            files.claim(title)?;
        }
        for (number, (title, bytes)) in layers.iter().enumerate() {
            let blob = files.scratch().join(number.to_string());
            fs::write(&blob, bytes).unwrap();
            files.put(title, &blob, limits)?;
        }
        files.finish()
    }

    /// I43: what failed left nothing, in the folder or beside it.
    fn refused(&self, layers: &[(&Title, &[u8])]) -> UnpackError {
        let error = self.put(layers, &Limits::default()).unwrap_err();
        assert_eq!(tree(self.home.path()), BTreeMap::from([("outside".to_owned(), b"outside".to_vec())]), "{error}");
        error
    }
}

/// Every file below a folder; folders have no bytes and a slash behind their names.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(!path.is_symlink(), "I42: {}", path.display());
        if path.is_dir() {
            found.insert(format!("{name}/"), Vec::new());
            found.extend(tree(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

fn layer(title: &str, is_folder: bool) -> Descriptor {
    let digest = Digest::of(Algorithm::Sha256, b"");
    let mut layer = Descriptor::new(MediaType::OCTET_STREAM.parse().unwrap(), digest, 0);
    layer.annotations.insert(TITLE.to_owned(), title.to_owned());
    if is_folder {
        layer.annotations.insert(UNPACK.to_owned(), "true".to_owned());
    }
    layer
}

fn title(text: &str, is_folder: bool) -> Title {
    Title::of(&layer(text, is_folder)).unwrap().unwrap()
}

/// What becomes of one folder with the title `d`.
fn refused(tar: &Tar) -> UnpackError {
    Place::new().refused(&[(&title("d", true), &tar.gzip())])
}

#[test]
fn files_and_folders_are_written_under_their_titles() {
    let place = Place::new();
    let tar = Tar::default().folder("d/").file("d/x", "x").folder("d/empty").file("d/sub/y", "y").gzip();
    let layers: [(&Title, &[u8]); 3] =
        [(&title("d", true), &tar), (&title("a/f.txt", false), b"f"), (&title("d.tar.gz", false), &tar)];
    assert_eq!(place.put(&layers, &Limits::default()).unwrap(), 4);
    let expected: Vec<(String, Vec<u8>)> =
        [("a/", ""), ("a/f.txt", "f"), ("d/", ""), ("d/empty/", ""), ("d/sub/", ""), ("d/sub/y", "y"), ("d/x", "x")]
            .map(|(name, bytes)| (name.to_owned(), bytes.as_bytes().to_vec()))
            .to_vec();
    let mut found = tree(&place.out());
    assert_eq!(found.remove("d.tar.gz").unwrap(), tar, "what is not said to be a folder is a file");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(place.out().join("d/x")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7000, 0, "I42: no set-user-ID");
        assert_eq!(mode & 0o100, 0o100);
    }
}

#[test]
fn a_folder_that_is_packed_is_unpacked_as_it_was() {
    let place = Place::new();
    let source = place.home.path().join("source");
    fs::create_dir_all(source.join("sub/empty")).unwrap();
    fs::write(source.join("sub/ä ö"), vec![7; 100_000]).unwrap();
    fs::write(source.join("a"), "").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("sub/ä ö", source.join("link")).unwrap();
    let pack = |name: &str| {
        let to = place.home.path().join(name);
        pack::folder(&source, "t/source", MediaType::OCI_LAYER_GZIP.parse().unwrap(), &to).unwrap();
        fs::read(to).unwrap()
    };
    let (first, second) = (pack("first"), pack("second"));
    assert_eq!(first, second, "the same folder gives the same bytes");
    let mut packed =
        pack::folder(&source, "t/source", MediaType::OCI_LAYER_GZIP.parse().unwrap(), place.home.path().join("first"))
            .unwrap();
    let title = Title::of(&packed.descriptor).unwrap().unwrap();
    assert_eq!((title.is_folder, title.tar_digest), (true, Some(packed.diff_id)));
    assert_eq!(place.put(&[(&title, &first)], &Limits::default()).unwrap(), if cfg!(unix) { 3 } else { 2 });
    let mut expected = BTreeMap::from(
        [("a", 0), ("sub/", 0), ("sub/empty/", 0), ("sub/ä ö", 100_000)]
            .map(|(name, len)| (name.to_owned(), vec![7; len])),
    );
    if cfg!(unix) {
        expected.insert("link".to_owned(), vec![7; 100_000]);
    }
    assert_eq!(tree(&place.out().join("t/source")), expected);

    packed.descriptor.annotations.insert(TAR_DIGEST.to_owned(), packed.descriptor.digest.to_string());
    let other = Title::of(&packed.descriptor).unwrap().unwrap();
    fs::remove_dir_all(place.out()).unwrap();
    let error = place.put(&[(&other, &first)], &Limits::default()).unwrap_err();
    assert!(matches!(error, UnpackError::OtherTar { .. }), "{error}");
    assert!(!place.out().exists());
}

#[test]
fn i41_titles_that_lead_elsewhere_are_refused_before_anything_is_written() {
    for text in [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "C:\\x",
        "C:x",
        "..\\x",
        "\\\\host\\share\\x",
        "nul",
        "a/COM1.txt",
        "a\0",
        "a\n",
        "",
        "...",
        "a/ ",
    ] {
        for is_folder in [false, true] {
            let error = Title::of(&layer(text, is_folder)).unwrap_err();
            assert!(error.to_string().contains("is not used as a path: "), "{text:?}: {error}");
            assert!(!error.to_string().contains(['\0', '\n']), "I30: {error:?}");
        }
    }
    assert!(matches!(Title::of(&layer(".", false)), Err(UnpackError::NoFile { .. })));
    let mut untitled = layer("a", true);
    untitled.annotations.remove(TITLE);
    assert_eq!(Title::of(&untitled).unwrap(), None);
    let mut wrong = layer("a", true);
    wrong.annotations.insert(TAR_DIGEST.to_owned(), "sha256:no".to_owned());
    assert!(matches!(Title::of(&wrong), Err(UnpackError::TarDigest { .. })));
}

#[test]
fn i41_no_path_in_a_tar_leads_out_of_its_folder() {
    for name in ["../outside", "d/../../outside", "/outside", "d/..", "d\\..\\outside", "C:\\outside", "d/c:x", "d/nul"]
    {
        let error = refused(&Tar::default().file(name, "CANARY"));
        assert!(matches!(error, UnpackError::Path { .. }), "{name}: {error}");
    }
    for name in ["outside", "dd/x", "D/x"] {
        let error = refused(&Tar::default().file(name, "CANARY"));
        assert!(matches!(error, UnpackError::Outside { .. }), "{name}: {error}");
    }
    let error = refused(&Tar::default().entry(EntryType::Regular, b"d/\xff", b"", b""));
    assert!(matches!(error, UnpackError::Encoding { .. }), "{error}");
    // The same by GNU's and POSIX's ways to write long names.
    let long =
        Tar::default().entry(EntryType::GNULongName, b"././@LongLink", b"", b"d/../../outside\0").file("d/x", "CANARY");
    assert!(matches!(refused(&long), UnpackError::Path { .. }));
    let pax = b"29 path=d/x/../../../outside\n";
    let pax = Tar::default().entry(EntryType::XHeader, b"pax", b"", pax).file("d/x", "CANARY");
    assert!(matches!(refused(&pax), UnpackError::Path { .. }));
}

#[test]
fn i41_names_that_some_system_takes_for_one_are_refused() {
    let twice = Tar::default().file("d/a", "1").file("d/a", "2");
    let case = Tar::default().file("d/Readme", "1").file("d/README", "2");
    let folders = Tar::default().folder("d/Sub").file("d/sub/x", "2");
    let dots = Tar::default().file("d/a", "1").file("d/a. ", "2");
    let file_then_folder = Tar::default().file("d/a", "1").file("d/a/b", "2");
    let folder_then_file = Tar::default().file("d/a/b", "1").file("d/a", "2");
    let the_title = Tar::default().file("d", "1");
    for tar in [twice, case, folders, dots, file_then_folder, folder_then_file, the_title] {
        let error = refused(&tar);
        assert!(matches!(error, UnpackError::Collision { .. }), "{error}");
    }
    let tar = Tar::default().file("d/x", "1").gzip();
    for other in [title("d/x", false), title("D", false), title("d", false), title("D/y", false)] {
        let error = Place::new().refused(&[(&title("d", true), &tar), (&other, b"2")]);
        assert!(matches!(error, UnpackError::Collision { .. }), "{other:?}: {error}");
        let error = Place::new().refused(&[(&other, b"2"), (&title("d", true), &tar)]);
        assert!(matches!(error, UnpackError::Collision { .. }), "{other:?}: {error}");
    }
}

#[test]
fn i42_links_and_devices_are_refused_wherever_they_lead() {
    let links = [EntryType::Symlink, EntryType::Link];
    for kind in links {
        for to in ["/etc/passwd", "../../outside", "d/x", "x", "."] {
            let through = Tar::default().file("d/x", "x").link(kind, "d/l", to).file("d/l/outside", "CANARY");
            assert!(matches!(refused(&through), UnpackError::Kind { .. }));
            let error = refused(&Tar::default().link(kind, "d", to));
            assert!(matches!(error, UnpackError::Kind { .. }) && error.to_string().contains("link"), "{error}");
        }
    }
    let others = [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::GNUSparse, EntryType::new(b'Z')];
    for kind in others {
        let error = refused(&Tar::default().entry(kind, b"d/x", b"", b""));
        assert!(matches!(error, UnpackError::Kind { .. } | UnpackError::Damaged { .. }), "{kind:?}: {error}");
    }
}

#[test]
fn i42_bytes_and_entries_are_bounded() {
    let place = Place::new();
    let d = title("d", true);
    let tar = Tar::default().file("d/a", &"a".repeat(5_000)).file("d/b", "b").folder("d/c");
    let put = |bytes, entries| place.put(&[(&d, &tar.gzip())], &Limits { bytes, entries });
    let whole = tar.bytes.len() as u64 + 1024;
    for (bytes, entries, what) in [(whole - 1, 3, "bytes"), (100, 3, "bytes"), (whole, 2, "files and folders")] {
        let error = put(bytes, entries).unwrap_err();
        assert!(matches!(error, UnpackError::TooMuch { what: found, .. } if found == what), "{error}");
        assert!(!place.out().exists());
    }
    assert_eq!(put(whole, 3).unwrap(), 2);
    // A bomb of a few KiB is stopped where the limit is, behind the tar's end too.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![0; 8 << 20]).unwrap();
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 20_000);
    fs::remove_dir_all(place.out()).unwrap();
    let error = place.put(&[(&d, &bomb)], &Limits { bytes: 1 << 20, entries: 10 }).unwrap_err();
    assert!(matches!(error, UnpackError::TooMuch { what: "bytes", .. }), "{error}");
}

#[test]
fn i43_what_is_damaged_leaves_nothing() {
    let tar = Tar::default().file("d/a", &"a".repeat(5_000));
    let gzip = tar.gzip();
    for bytes in [&b"no gzip"[..], &gzip[..gzip.len() / 2], &gzip[..gzip.len() - 1], &tar.bytes] {
        let error = Place::new().refused(&[(&title("a", false), b"a"), (&title("d", true), bytes)]);
        assert!(matches!(error, UnpackError::Damaged { .. }), "{error}");
    }
    let mut wrong = Tar::default().file("d/a", "a");
    wrong.bytes[150] ^= 1;
    assert!(matches!(refused(&wrong), UnpackError::Damaged { .. }));
}

#[test]
fn a_folder_that_an_oras_client_called_a_dot_is_unpacked_in_place() {
    let place = Place::new();
    let tar = Tar::default().folder(".").file("x", "x").file("./s/y", "y").gzip();
    assert_eq!(place.put(&[(&title(".", true), &tar)], &Limits::default()).unwrap(), 2);
    fs::remove_dir_all(place.out().join("s")).unwrap();
    let error = place.put(&[(&title(".", true), &tar)], &Limits::default()).unwrap_err();
    assert!(matches!(error, UnpackError::Staging(StagingError::Exists(_))), "{error}");
    assert_eq!(tree(&place.out()).into_keys().collect::<Vec<_>>(), ["x"]);
}

/// A path of parts that have led elsewhere somewhere.
fn path() -> impl Strategy<Value = String> {
    let parts = ["d", "d", "d", "a", "A", "..", ".", "", "outside", "x.", "nul", "c:", "\\\\..", "sub"];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 1..5).prop_map(|parts| parts.join("/"))
}

fn entry() -> impl Strategy<Value = (EntryType, String, String)> {
    let kinds = [EntryType::Regular, EntryType::Regular, EntryType::Directory, EntryType::Symlink, EntryType::Link];
    (prop::sample::select(kinds.to_vec()), path(), path())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn i41_i43_whatever_titles_and_tars_say_all_of_it_is_below_the_folder_or_nothing_is_there(
        titles in prop::collection::vec((path(), any::<bool>()), 1..4),
        entries in prop::collection::vec(entry(), 0..5),
    ) {
        let place = Place::new();
        let mut tar = Tar::default();
        for (kind, name, link) in &entries {
            tar = tar.entry(*kind, name.as_bytes(), link.as_bytes(), if *kind == EntryType::Regular { b"CANARY" } else { b"" });
        }
        let tar = tar.gzip();
        let titles: Vec<Title> =
            titles.iter().filter_map(|(text, is_folder)| Title::of(&layer(text, *is_folder)).ok().flatten()).collect();
        let layers: Vec<(&Title, &[u8])> = titles.iter().map(|title| (title, tar.as_slice())).collect();
        let result = place.put(&layers, &Limits::default());
        let outside: Vec<String> = tree(place.home.path()).into_keys().filter(|name| !name.starts_with("out/")).collect();
        prop_assert_eq!(outside, ["outside"]);
        prop_assert_eq!(fs::read(place.home.path().join("outside")).unwrap(), b"outside");
        match result {
            Ok(count) => {
                let there = tree(&place.out());
                prop_assert_eq!(there.keys().filter(|name| !name.ends_with('/')).count() as u64, count);
                prop_assert!(there.keys().all(|name| !name.contains(".longshore-")));
            }
            Err(_) => prop_assert!(!place.out().exists()),
        }
    }
}
