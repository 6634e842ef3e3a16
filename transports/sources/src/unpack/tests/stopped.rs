//! What would be unpacked, and what is stopped.

use super::*;

#[test]
fn what_would_be_unpacked_is_listed_and_nothing_is_written() {
    let tar = Tar::default().folder("d").file("d/a", "four").file("d/s/b", "").gzip();
    let listed = list(&tar[..], &title("d", true), &Limits::default()).unwrap();
    let listed: Vec<_> = listed.iter().map(|entry| (entry.path.to_string(), entry.len)).collect();
    let expected = [("d", None), ("d", None), ("d/a", Some(4)), ("d/s/b", Some(0))];
    assert_eq!(listed, expected.map(|(path, len)| (path.to_owned(), len)));
    let limits = Limits { entries: 2, ..Limits::default() };
    assert!(matches!(list(&tar[..], &title("d", true), &limits), Err(UnpackError::TooMuch { .. })));
}

#[test]
fn i43_what_is_stopped_leaves_nothing() {
    let place = Place::new();
    let mut files = Files::create(&place.out()).unwrap();
    let (first, second) = (title("first", false), title("d", true));
    let blob = files.scratch().join("blob");
    fs::write(&blob, "first").unwrap();
    files.put(&first, &blob, &Limits::default()).unwrap();
    fs::write(&blob, Tar::default().file("d/a", "a").gzip()).unwrap();
    files.stop().stop();
    let error = files.put(&second, &blob, &Limits::default()).unwrap_err();
    assert!(matches!(&error, UnpackError::Stopped { folder } if folder == "d"), "{error}");
    drop(files);
    assert_eq!(tree(place.home.path()).into_keys().collect::<Vec<_>>(), ["outside"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// What is listed is what is written: both are read and refused by one piece of code.
    #[test]
    fn a_list_is_refused_where_unpacking_is(entries in prop::collection::vec(entry(), 0..5)) {
        let mut tar = Tar::default();
        for (kind, name, link) in &entries {
            tar = tar.entry(*kind, name.as_bytes(), link.as_bytes(), b"");
        }
        let (tar, d) = (tar.gzip(), title("d", true));
        let listed = list(&tar[..], &d, &Limits::default());
        let unpacked = Place::new().put(&[(&d, &tar)], &Limits::default());
        match (listed, unpacked) {
            (Ok(listed), Ok(files)) => {
                prop_assert_eq!(listed.iter().filter(|entry| entry.len.is_some()).count() as u64, files);
            }
            (Err(listed), Err(unpacked)) => prop_assert_eq!(listed.to_string(), unpacked.to_string()),
            (listed, unpacked) => prop_assert!(false, "{listed:?}, and {unpacked:?}"),
        }
    }
}
