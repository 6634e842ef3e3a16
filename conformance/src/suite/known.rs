//! Known failures, each with a reason.

use std::collections::BTreeMap;

/// Known failures: the ids of requirements, each with a reason.
///
/// ```
/// use longshore_conformance::suite::KnownFailures;
///
/// let known = KnownFailures::parse(
///     r#"
///     [known-failures]
///     referrers-api = "the registry has no referrers API"
///     "#,
/// )?;
/// assert_eq!(known.reason("referrers-api"), Some("the registry has no referrers API"));
/// # Ok::<(), longshore_conformance::suite::KnownFailuresError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFailures {
    pub(super) reasons: BTreeMap<String, String>,
}

impl KnownFailures {
    /// The reason, if the requirement is a known failure.
    #[must_use]
    pub fn reason(&self, id: &str) -> Option<&str> {
        self.reasons.get(id).map(String::as_str)
    }
}
