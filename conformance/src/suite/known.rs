//! What is known to fail, each with a reason.

use std::collections::BTreeMap;

/// What is known to fail: the ids of requirements, each with its reason.
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
    /// Why a requirement is known to fail, if it is.
    #[must_use]
    pub fn reason(&self, id: &str) -> Option<&str> {
        self.reasons.get(id).map(String::as_str)
    }
}
