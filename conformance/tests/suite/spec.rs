//! A registry that does what the specification says.

use std::sync::Arc;

use longshore_conformance::suite::requirements;
use longshore_core::Secret;
use longshore_core::auth::Credentials;
use longshore_mock_registry::RegistryOptions;
use longshore_mock_registry::auth::{Auth, Password};
use longshore_mock_registry::report::CheckStatus;

use crate::support::{lines, options, run};

#[test]
fn the_spec_true_registry_meets_every_requirement() {
    let (report, registry) = run(RegistryOptions::default(), options());
    assert_eq!(report.checks.len(), requirements().count());
    for status in [CheckStatus::Failed, CheckStatus::Error] {
        assert!(lines(&report, status).is_empty(), "{status}: {:?}", lines(&report, status));
    }
    assert!(!report.breaks_a_must());
    assert_eq!(report.properties.get("left"), None);
    for (name, contents) in &registry.state.repositories {
        let left = (contents.blobs.len(), contents.manifests.len(), contents.tags.len());
        assert_eq!(left, (0, 0, 0), "{name} is left as it was found");
    }
    assert!(registry.state.uploads.is_empty(), "no upload is left open");
}

#[test]
fn with_users_and_tokens_it_meets_them_too() {
    let everything = || "*=pull,push,delete".parse().unwrap();
    for auth in [Auth::bearer(), Auth::basic()] {
        let registry = RegistryOptions::default().with_origin(options().registry).with_auth(auth.user(
            "alice",
            Password::plain("wonderland"),
            everything(),
        ));
        let mut options = options();
        let password = Secret::new("wonderland".to_owned());
        options.credentials = Some(Arc::new(Credentials::Basic { user: "alice".to_owned(), password }));
        let (report, _) = run(registry, options);
        for status in [CheckStatus::Failed, CheckStatus::Error] {
            assert!(lines(&report, status).is_empty(), "{status}: {:?}", lines(&report, status));
        }
        let text = report.to_json();
        assert!(!text.contains("wonderland") && !text.contains("YWxpY2U6"), "no secret is in the report");
    }
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let (one, _) = run(RegistryOptions::default(), options());
    let (two, _) = run(RegistryOptions::default(), options());
    assert_eq!(one.to_json(), two.to_json());
}
