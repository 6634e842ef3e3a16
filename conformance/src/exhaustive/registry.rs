//! The registries: every profile of the mock registry's, for small blobs.

use longshore_mock_registry::RegistryOptions;
use longshore_mock_registry::auth::Password;
use longshore_mock_registry::profile::{NAMES, Profile};

use crate::case::{CHUNK, PASSWORD, USER};
use crate::quirk;

/// Every profile, with the suite's own user.
pub fn registries() -> impl Iterator<Item = (&'static str, RegistryOptions)> {
    names().filter_map(|name| Some((name, options(name)?)))
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

/// The profile of this name, with a smaller minimum length of chunks, because blobs are small here.
pub(super) fn options(name: &str) -> Option<RegistryOptions> {
    let profile = Profile::named(name).ok()?;
    let mut options = profile.options();
    let spec = quirk::spec_true();
    (options.origin, options.storage) = (spec.origin, spec.storage);
    options.auth = Some(profile.auth().user(USER, Password::plain(PASSWORD), "*=*".parse().ok()?));
    if let Some(least) = &mut options.behaviour.start.chunk_min {
        least.bytes = least.bytes.min(CHUNK);
    }
    Some(options)
}
