//! Profiles: those that are here are whole, and what is wrong in one is said with its line.

use std::collections::BTreeSet;

use longshore_mock_registry::behaviour::{MissingReference, MountPolicy, Patch, WithoutFrom};
use longshore_mock_registry::profile::{NAMES, Profile, ProfileError, quirk, switches};

fn error(text: &str) -> ProfileError {
    Profile::parse("some/ours.toml", text).unwrap_err()
}

/// A profile with one entry, whose first line is the second of the file.
fn entry(lines: &str) -> String {
    format!(
        "title = \"Ours\"\n[[quirk]]\nid = \"mount-always-202\"\nevidence = \"unverified\"\nsource = \"us\"\n{lines}\n"
    )
}

#[test]
fn every_profile_is_read_and_every_entry_sets_something_or_says_why_not() {
    for name in NAMES {
        let profile = Profile::named(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(profile.name, *name);
        assert!(!profile.title.is_empty(), "{name}");
        for entry in &profile.entries {
            let says = !entry.note.is_empty() || !quirk::named(&entry.quirk).unwrap().played_by.is_empty();
            let plays = !entry.switches.is_empty() || !entry.answers.is_empty();
            assert!(plays || says || entry.historic, "{name}: {} does nothing and does not say why", entry.quirk);
            assert!(!entry.source.is_empty(), "{name}: {}", entry.quirk);
            assert!(!(entry.historic && plays), "{name}: {} is of the past and plays", entry.quirk);
        }
    }
}

#[test]
fn the_folder_has_the_profiles_that_have_names() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles")).unwrap();
    let files: BTreeSet<String> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, NAMES.iter().map(|name| format!("{name}.toml")).collect());
    assert!(NAMES.is_sorted());
}

#[test]
fn the_spec_sets_nothing() {
    assert_eq!(*Profile::named("spec").unwrap().behaviour(), longshore_mock_registry::Behaviour::default());
}

#[test]
fn no_quirk_stands_twice_and_each_says_what_it_is() {
    let mut ids = BTreeSet::new();
    for quirk in quirk::all() {
        assert!(ids.insert(&quirk.id), "{}", quirk.id);
        assert!(!quirk.does.is_empty() && !quirk.client.is_empty(), "{}", quirk.id);
    }
    assert!(quirk::all().len() > 200);
}

#[test]
fn mount_rules_of_quay_and_ecr() {
    let mount = |name| Profile::named(name).unwrap().behaviour().mount.clone();
    assert_eq!((mount("quay").policy, mount("quay").without_from), (MountPolicy::Source, WithoutFrom::Upload));
    assert_eq!(mount("quay-2021").without_from, WithoutFrom::Refused(400));
    assert_eq!(mount("ecr").policy, MountPolicy::Never);
    assert_eq!(mount("ecr-blob-mounting").policy, MountPolicy::Referenced);
}

#[test]
fn what_is_not_known_is_refused_with_file_line_and_the_nearest_name() {
    let table = [
        (
            entry("set.mount.polizy = \"never\""),
            "some/ours.toml:6: there is no switch mount.polizy; did you mean mount.policy?",
        ),
        (
            entry("set.mounts.policy = \"never\""),
            "some/ours.toml:6: there is no switch mounts.policy; did you mean mount.policy?",
        ),
        (entry("sett.mount.policy = \"never\""), "some/ours.toml:6: there is no key sett; did you mean set?"),
        (entry("evidence = 1"), "some/ours.toml:6: duplicate key (evidence)"),
        (
            "title = \"Ours\"\nextends = \"key\"".to_owned(),
            "some/ours.toml:2: there is no profile \"key\" that this one could extend; did you mean keygen?",
        ),
        (
            "title = \"Ours\"\n[[quirk]]\nid = \"mount-always-203\"".to_owned(),
            "some/ours.toml:3: there is no quirk mount-always-203; did you mean mount-always-202?",
        ),
        ("titel = \"Ours\"".to_owned(), "some/ours.toml:1: there is no key titel; did you mean title?"),
        ("title = 1".to_owned(), "some/ours.toml:1: title must be a text"),
        ("".to_owned(), "some/ours.toml:1: title is missing here: it is a text"),
        (
            "title = \"Ours\"\nquirk = 1".to_owned(),
            "some/ours.toml:2: quirk must be an array of tables: write [[…]] before each",
        ),
        (entry("set = 1"), "some/ours.toml:6: set must be written as set.group.switch = value"),
        (entry("historic = 1"), "some/ours.toml:6: historic must be true or false"),
    ];
    for (text, message) in table {
        assert_eq!(error(&text).to_string(), message, "{text}");
    }
}

#[test]
fn a_value_that_a_switch_does_not_have_is_refused_with_those_that_it_has() {
    let message = error(&entry("set.mount.policy = \"nevr\"")).to_string();
    assert!(
        message.starts_with("some/ours.toml:6: mount.policy: \"nevr\" is none of source, any-repository, referenced, never, refused; did you mean never?"),
        "{message}"
    );
    for switch in ["read.missing-blob", "mount.absent-source"] {
        let message = error(&entry(&format!("set.{switch} = 900"))).to_string();
        assert!(message.contains("invalid value: integer `900`, expected a status from 200 to 599"), "{message}");
    }
    let message = error(&entry("answers = [{ when = \"end-99\" }]")).to_string();
    assert!(message.starts_with("some/ours.toml:6: answers: \"end-99\" is no method"), "{message}");
    let message = error(&entry("set.commit.status = \"x\"")).to_string();
    assert!(message.starts_with("some/ours.toml:6: commit.status: "), "{message}");
}

#[test]
fn two_switches_that_contradict_each_other_are_refused() {
    let text = entry("set.mount.policy = \"never\"\nset.mount.missing = 404");
    assert_eq!(
        error(&text).to_string(),
        "some/ours.toml:7: mount.missing contradicts mount.policy = \"never\" (some/ours.toml:6): every mount is answered alike, \
         whether the blob is there or not"
    );
    let text = entry("set.mount.policy = \"never\"")
        + "[[quirk]]\nid = \"mount-ignores-from\"\nevidence = \"unverified\"\nsource = \"us\"\nset.mount.policy = \"source\"";
    assert_eq!(error(&text).to_string(), "some/ours.toml:11: mount.policy is set already (some/ours.toml:6)");
}

#[test]
fn what_is_set_beside_a_profile_gives_way_to_nothing_but_may_not_contradict_itself() {
    let mut profile = Profile::named("quay").unwrap();
    profile.set("mount.policy=never").unwrap();
    let error = profile.set("mount.missing=404").unwrap_err().to_string();
    assert!(
        error.starts_with("--set mount.missing=404: mount.missing contradicts mount.policy = \"never\" (--set mount.")
    );
    profile.set("mount.policy=source").unwrap();
    profile.set("mount.missing=404").unwrap();
    let error = profile.set_all(["mount.policy=source", "mount.policy=never"]).unwrap_err().to_string();
    assert_eq!(error, "--set mount.policy=never: mount.policy is set already (--set mount.policy=source)");
}

#[test]
fn a_profile_overrides_what_it_extends_and_may_not_extend_itself() {
    let text = "title = \"Ours\"\nextends = \"quay\"\n[[quirk]]\nid = \"mount-always-202\"\nevidence = \"unverified\"\n\
                source = \"us\"\nset.mount.without-from = \"anywhere\"";
    let profile = Profile::parse("ours.toml", text).unwrap();
    assert_eq!(profile.behaviour().mount.without_from, WithoutFrom::Anywhere);
    assert_eq!(profile.behaviour().status, Profile::named("quay").unwrap().behaviour().status);
    assert_eq!(profile.entries_of("status-range-exclusive-with-prefix").count(), 1);
    let circle = Profile::parse("quay.toml", "title = \"Ours\"\nextends = \"quay-2021\"").unwrap_err();
    assert_eq!(
        circle.to_string(),
        "profiles/quay-2021.toml:3: the profile extends itself: quay extends quay-2021 extends quay"
    );
}

#[test]
fn switches_are_set_one_by_one() {
    let mut profile = Profile::named("spec").unwrap();
    for assignment in
        ["manifests.missing-reference=accepted", "chunks.patch=refused:405", "commit.status = 204", "limits.page=2"]
    {
        profile.set(assignment).unwrap();
    }
    let behaviour = profile.behaviour();
    assert_eq!(behaviour.manifests.missing_reference, MissingReference::Accepted);
    assert_eq!((behaviour.chunks.patch, behaviour.commit.status), (Patch::Refused(405), 204));
    assert_eq!(profile.options().limits.page, 2);
    assert_eq!(
        profile.set("commit.status").unwrap_err().to_string(),
        "--set commit.status: write it as group.switch=value"
    );
    let message = profile.set("chunks.patch=refuse:405").unwrap_err().to_string();
    assert!(
        message.starts_with("--set chunks.patch=refuse:405: chunks.patch: {\"refuse\":405} is none of "),
        "{message}"
    );
}

#[test]
fn there_are_as_many_switches_as_the_types_have() {
    let paths: Vec<String> = switches().into_iter().map(|switch| switch.path).collect();
    for path in ["auth.challenge", "mount.without-from", "limits.manifest", "users.scheme", "chunks.max", "errors.body"]
    {
        assert!(paths.iter().any(|known| known == path), "{path}");
    }
    assert!(paths.len() > 120, "{}", paths.len());
}

/// The tables of `PROFILES.md`: written by this test where `LONGSHORE_WRITE` is set.
#[test]
fn the_tables_of_profiles_and_switches_are_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/PROFILES.md");
    if std::env::var_os("LONGSHORE_WRITE").is_some() {
        std::fs::write(path, tables()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written == tables(), "PROFILES.md is out of date: run this test with LONGSHORE_WRITE=1");
}

fn tables() -> String {
    let mut text = "# Profiles and switches of the mock registry\n\nWritten by a test, which fails where it is out of date. \
                    `longshore mock --list` prints every quirk of every profile with its source, `--explain QUIRK` one of \
                    them, `--set SWITCH=VALUE` sets a switch.\n\n| profile | registry | as of | quirks played | quirks told |\n\
                    |---|---|---|---|---|\n"
        .to_owned();
    for name in NAMES {
        let profile = Profile::named(name).unwrap();
        let parent =
            profile.parent.as_ref().map(|parent| format!(", as `{}` but for", parent.name)).unwrap_or_default();
        let played =
            profile.entries.iter().filter(|entry| !entry.switches.is_empty() || !entry.answers.is_empty()).count();
        text += &format!(
            "| `{name}` | {}{parent} | {} | {played} | {} |\n",
            profile.title,
            profile.state,
            profile.entries.len() - played
        );
    }
    text += "\n| switch | what the spec has |\n|---|---|\n";
    for switch in switches() {
        text += &format!("| `{}` | `{}` |\n", switch.path, switch.default);
    }
    text
}

/// A file may come from anybody: what an error quotes of it does nothing to a terminal.
#[test]
fn errors_quote_a_file_without_its_control_characters() {
    for text in ["title = \"\u{1b}[2J\"", "\"\\u001b[2J\" = 1", &entry("set.\"\\u001b\".x = 1")] {
        let message = error(text).to_string();
        assert!(!message.contains(char::is_control) && message.contains("\\u{"), "{message}");
    }
}
