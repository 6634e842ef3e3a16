//! Random registries, with low limits and faults.

use std::time::Duration;

use longshore_core::{Host, Origin, Scheme};
use longshore_mock_registry::auth::{Auth, Password, Rights};
use longshore_mock_registry::behaviour::{
    ContentRange, CutBody, LocationForm, MissingReference, MountPolicy, SinglePost, StateQuery, UploadPath,
};
use longshore_mock_registry::fault::Faults;
use longshore_mock_registry::profile::{NAMES, Profile};
use longshore_mock_registry::storage::Memory;
use longshore_mock_registry::{Behaviour, Limits, Registry, RegistryOptions};
use proptest::prelude::*;

/// The profiles of registries that look at every digest.
fn whole_profiles() -> Vec<Behaviour> {
    let named = NAMES.iter().map(|name| Profile::named(name).unwrap().behaviour().clone());
    named.filter(|behaviour| !behaviour.commit.whole_unverified && !behaviour.manifests.unverified).collect()
}

/// Behaviours that keep the contents whole.
pub(crate) fn behaviours() -> impl Strategy<Value = Behaviour> {
    let base = prop_oneof![
        3 => Just(Behaviour::default()),
        2 => prop::sample::select(whole_profiles()),
    ];
    let paths = [UploadPath::Usual, UploadPath::Singular, UploadPath::Suffixed, UploadPath::IdInQuery];
    let states = [StateQuery::Absent, StateQuery::Ignored, StateQuery::Newest, StateQuery::NewestOrGone];
    let forms = [LocationForm::Path, LocationForm::Absolute, LocationForm::WithoutScheme, LocationForm::Storage];
    let cuts = [CutBody::Kept, CutBody::Dropped, CutBody::Gone];
    let ranges = [ContentRange::Checked, ContentRange::Ignored, ContentRange::Overlapping];
    let select = |len: usize| 0..len;
    (base, select(4), select(4), select(4), select(3), select(3), any::<[bool; 6]>()).prop_map(
        move |(mut behaviour, path, state, form, cut, range, flags)| {
            behaviour.start.path = paths[path];
            behaviour.start.state = states[state];
            behaviour.start.location = forms[form];
            behaviour.chunks.cut = cuts[cut];
            behaviour.chunks.content_range = ranges[range];
            behaviour.read.blob_redirect = flags[0];
            behaviour.commit.mismatch_keeps_upload = flags[1];
            if flags[2] {
                behaviour.mount.policy = MountPolicy::AnyRepository;
            }
            if flags[3] {
                behaviour.manifests.missing_reference = MissingReference::Accepted;
            }
            if flags[4] {
                behaviour.start.single_post = SinglePost::Strict;
            }
            behaviour.auth.checked_at_end = flags[5];
            behaviour
        },
    )
}

/// The most bytes that its storage takes.
pub(crate) const LIMIT: u64 = 4000;

/// A registry whose limits are so low that a few requests reach them.
pub(crate) fn registry(behaviour: Behaviour, with_users: bool, faults: u64) -> Registry {
    let origin = |host: &str| Origin::new(Scheme::Https, host.parse::<Host>().unwrap(), None);
    let users = Auth::basic().user("a", Password::plain("b"), Rights::all()).anonymous("a=pull".parse().unwrap());
    let mut limits = Limits::default();
    (limits.manifest, limits.blob, limits.manifest_bytes) = (600, 2000, 1500);
    (limits.manifests, limits.blobs, limits.tags, limits.repositories) = (3, 3, 2, 2);
    (limits.uploads, limits.pending, limits.connections, limits.page) = (3, 3, 1, 2);
    limits.upload_lifetime = Duration::from_secs(3);
    let mut options = RegistryOptions::default()
        .with_origin(origin("reg.example"))
        .with_storage(origin("storage.example"))
        .with_faults(Faults::seeded(faults, faults % 8, 40))
        .with_behaviour(behaviour)
        .with_limits(limits);
    options.auth = with_users.then_some(users);
    Registry::with_storage(options, Box::new(Memory::with_limit(LIMIT))).unwrap()
}
