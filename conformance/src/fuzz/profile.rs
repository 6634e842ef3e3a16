//! What people write for the mock registry: profiles, switches, and plans of faults.

use longshore_mock_registry::fault::Faults;
use longshore_mock_registry::profile::Profile;

use super::assert_harmless;
use crate::{BlobPlan, Case, DocumentPlan, Mock, Plan, Subject};

/// A profile as TOML; each line from the first `--set` on is one more switch.
///
/// # Panics
/// Where an error does not say where it is, and where a registry of a profile that was accepted cannot be pushed to without a
/// panic.
pub fn profile_toml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (file, switches) = text.split_once("--set ").unwrap_or((text, ""));
    let mut profile = match Profile::parse("ours.toml", file) {
        Ok(profile) => profile,
        Err(error) => {
            let said = error.to_string();
            assert_harmless(&said);
            return assert!(said.contains("ours.toml"), "where is it? {said}");
        }
    };
    assert_eq!(Profile::parse("ours.toml", file).as_ref(), Ok(&profile), "the same text is the same profile");
    for switch in switches.split("--set ").map(str::trim).filter(|switch| !switch.is_empty()) {
        let before = profile.clone();
        // What one sets is one's own word, and is shown as it is.
        if let Err(error) = profile.set(switch) {
            assert!(error.to_string().contains("--set"), "where is it? {error}");
            assert_eq!(before, profile, "a switch that is refused changes nothing");
        }
    }
    let mut options = profile.options();
    options.storage = crate::quirk::spec_true().storage;
    options.origin = crate::quirk::spec_true().origin;
    let mut case = small();
    case.registry = options.clone();
    // Whether it succeeds is the profile's choice.
    let _ = case.run_at(Mock::new(options));
}

/// A plan of faults: what is printed is read as the same, and a push that meets them ends.
///
/// # Panics
/// Where that is not so.
pub fn fault_plan(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let faults: Faults = match text.parse() {
        Ok(faults) => faults,
        Err(error) => {
            let error: longshore_mock_registry::fault::FaultError = error;
            return assert_harmless(&error.to_string());
        }
    };
    let printed = faults.to_string();
    assert_eq!(printed.parse().as_ref(), Ok(&faults), "{text:?} was written as {printed:?}");
    let mut case = small();
    case.registry.faults = faults;
    // Whether it succeeds is the plan's choice.
    let _ = case.run();
}

/// A push of two blobs.
pub(super) fn small() -> Case {
    let blob = |len, fill| BlobPlan { len, fill, sha512: false };
    let document = DocumentPlan { blobs: vec![0, 1], children: Vec::new(), docker: false, subject: Subject::None };
    Case::new(Plan { blobs: vec![blob(2, 0), blob(100, 1)], documents: vec![document], attached: 0 })
}
