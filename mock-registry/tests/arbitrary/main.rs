//! S12: whatever is requested, in whatever order, nothing panics, no limit is exceeded, and all content has its digest.

mod registries;
mod requests;
mod steps;

use longshore_mock_registry::{Behaviour, Registry};
use proptest::prelude::*;

use registries::{LIMIT, behaviours, registry};
use steps::{Memo, steps, take};

/// Every blob and manifest in the registry has its digest, and no limit is exceeded.
fn check(registry: &Registry) -> Result<(), TestCaseError> {
    let (state, limits) = (&registry.state, &registry.options.limits);
    prop_assert!(state.repositories.len() <= limits.repositories);
    prop_assert!(state.uploads.len() <= limits.uploads);
    let (mut stored, mut manifests) = (std::collections::BTreeMap::new(), 0);
    for contents in state.repositories.values() {
        prop_assert!(contents.blobs.len() <= limits.blobs && contents.manifests.len() <= limits.manifests);
        prop_assert!(contents.tags.len() <= limits.tags);
        for (digest, blob) in &contents.blobs {
            let body = longshore_mock_registry::Body::Blob { digest: *digest, range: 0..blob.size };
            prop_assert!(digest.matches(&registry.read(&body).unwrap()));
            stored.insert(*digest, blob.size);
        }
        for (digest, manifest) in &contents.manifests {
            prop_assert!(digest.matches(&manifest.bytes) && manifest.bytes.len() <= limits.manifest);
            manifests += manifest.bytes.len() as u64;
        }
        prop_assert!(contents.tags.values().all(|digest| contents.manifests.contains_key(digest)));
    }
    let uploading: u64 = state.uploads.values().map(longshore_mock_registry::state::Upload::len).sum();
    prop_assert!(stored.values().sum::<u64>() + uploading <= LIMIT);
    prop_assert!(manifests <= limits.manifest_bytes);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s12_any_requests_in_any_order(
        behaviour in behaviours(),
        with_users in any::<bool>(),
        faults in 0..1000_u64,
        steps in steps(),
    ) {
        let mut registry = registry(behaviour.clone(), with_users, faults);
        let mut memo = Memo::default();
        for step in &steps {
            let status = take(&mut registry, &mut memo, step);
            let told = registry.struck.len();
            let own = status.is_none_or(|status| status != 500) || told > 0 || behaviour != Behaviour::default();
            prop_assert!(own, "{step:?} was answered with 500");
            check(&registry)?;
        }
    }

    /// The same requests give the same answers, byte for byte.
    #[test]
    fn the_same_again(behaviour in behaviours(), faults in 0..1000_u64, steps in steps()) {
        let run = || {
            let mut registry = registry(behaviour.clone(), true, faults);
            let mut memo = Memo::default();
            let statuses: Vec<_> = steps.iter().map(|step| take(&mut registry, &mut memo, step)).collect();
            (statuses, memo.locations, format!("{:?} {:?}", registry.state, registry.judge))
        };
        prop_assert_eq!(run(), run());
    }
}
