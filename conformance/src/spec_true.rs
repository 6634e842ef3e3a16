//! A registry without quirks.

use longshore_mock_registry::RegistryOptions;

/// The options of a registry that follows the spec, and knows its own origin and that of its storage.
///
/// # Panics
/// Never, because its origins are valid URLs.
#[must_use]
pub fn spec_true() -> RegistryOptions {
    let origin = |host: &str| host.parse::<longshore_core::Registry>().expect("this is a registry").origin();
    RegistryOptions::default().with_origin(origin("registry.example")).with_storage(origin("storage.example"))
}
