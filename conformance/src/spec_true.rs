//! The registry that does what the spec says.

use longshore_mock_registry::RegistryOptions;

/// A registry that does what the spec says, and knows where it is reached.
///
/// # Panics
/// Never: its origins are URLs.
#[must_use]
pub fn spec_true() -> RegistryOptions {
    let origin = |host: &str| host.parse::<longshore_core::Registry>().expect("this is a registry").origin();
    RegistryOptions::default().with_origin(origin("registry.example")).with_storage(origin("storage.example"))
}
