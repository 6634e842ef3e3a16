//! Rules about the content of the registry at the end.

use std::collections::BTreeSet;

use http::Method;
use longshore_core::{Digest, Manifest, MediaType, Tag};
use longshore_memory::{Fault, Said};
use longshore_mock_registry::behaviour::{EtagForm, ReferrersApi};

use super::{Verdict, Violation, ensure};
use crate::case::Case;
use crate::run::Run;

/// I17, I34: all content matches the digest under which it is stored, so no byte was lost, duplicated or moved.
pub(super) fn stored_bytes_are_the_bytes_given(run: &Run) -> Verdict {
    let registry = &run.simulation.handler;
    let stored = registry.registry.state.repositories.get(&Case::repository());
    let mut digests = stored.into_iter().flat_map(|contents| contents.blobs.keys().copied());
    digests.try_for_each(|digest| {
        let bytes = registry.blob(&Case::repository(), &digest);
        let is_right = bytes.is_some_and(|bytes| digest.matches(&bytes));
        ensure(is_right, || format!("what is stored under {digest} has another digest"))
    })
}

/// If the push succeeded, all of it is stored: blobs, manifests, tags and lists of referrers.
pub(super) fn everything_stands(case: &Case, run: &Run) -> Verdict {
    let repository = Case::repository();
    let root = run.image.root.clone();
    let manifests: Vec<Manifest> = run.image.all_manifests().cloned().collect();
    let needed: BTreeSet<Digest> = manifests.iter().flat_map(Manifest::blobs).map(|blob| blob.digest).collect();
    let registry = &run.simulation.handler;
    for digest in needed {
        ensure(registry.blob(&repository, &digest).is_some(), || format!("{digest} is not there after a success"))?;
    }
    for manifest in &manifests {
        let stored = registry.manifest(&repository, &manifest.digest());
        ensure(stored.as_ref() == Some(manifest.bytes()), || format!("{} is not there", manifest.digest()))?;
    }
    for tag in case.tags() {
        ensure(registry.tagged(&repository, &tag) == Some(root.digest()), || {
            format!("the tag {tag} does not name the root")
        })?;
    }
    Ok(())
}

/// After any result of the push, all content that a stored manifest refers to is stored too.
pub(super) fn manifests_are_whole(run: &Run) -> Verdict {
    let stored = run.simulation.handler.registry.state.repositories.get(&Case::repository());
    for (digest, manifest) in stored.into_iter().flat_map(|contents| &contents.manifests) {
        // A list of referrers may exist longer than the manifests in it, and so may an index that another client
        // pushed.
        let is_ours = run.image.all_manifests().any(|manifest| manifest.digest() == *digest);
        let stands = |child: &&Digest| stored.is_some_and(|contents| contents.manifests.contains_key(*child));
        let is_there = |blob: &&Digest| stored.is_some_and(|contents| contents.blobs.contains_key(*blob));
        let lost = manifest.blobs.iter().find(|blob| !is_there(blob));
        let lost = lost.or_else(|| manifest.children.iter().find(|child| !stands(child)));
        if let Some(lost) = lost.filter(|_| is_ours) {
            return Err(Violation::new(format!("the manifest {digest} stands without {lost}")));
        }
    }
    Ok(())
}

/// Every manifest with a subject is in the list of that subject's referrers: in the registry's list, or in the one
/// under the tag.
///
/// If the registry ignores conditional requests, a list that arrives after its client has counted it as lost overwrites
/// later lists. No client can prevent that; the next push repairs it.
pub(super) fn all_are_listed(case: &Case, run: &mut Run) -> Verdict {
    let manifests = &case.registry.behaviour.manifests;
    let is_guarded = manifests.conditions && manifests.etag != EtagForm::Absent;
    if !is_guarded && a_list_came_late(run) {
        return Ok(());
    }
    let manifests: Vec<Manifest> = run.image.all_manifests().cloned().collect();
    let has_api = case.registry.behaviour.referrers.api == ReferrersApi::On;
    manifests.iter().try_for_each(|manifest| is_listed(run, manifest, has_api))
}

fn a_list_came_late(run: &Run) -> bool {
    let entries = &run.simulation.transcript().entries;
    let lists = entries.iter().filter(|entry| {
        matches!(&entry.what, Said::Asked { head, .. }
            if head.method == Method::PUT && head.uri.path().contains("/manifests/sha256-"))
    });
    let lists: BTreeSet<u64> = lists.map(|entry| entry.request).collect();
    entries
        .iter()
        .any(|entry| matches!(entry.what, Said::Meets(Fault::RequestLate(_))) && lists.contains(&entry.request))
}

/// A manifest with a subject is in the list of that subject's referrers exactly once, with its type and annotations.
fn is_listed(run: &mut Run, manifest: &Manifest, has_api: bool) -> Verdict {
    let Some(subject) = manifest.subject() else { return Ok(()) };
    let repository = Case::repository();
    let list = if has_api {
        let path = format!("/v2/{repository}/referrers/{}", subject.digest);
        run.simulation.handler.ask_plainly(Method::GET, &path, bytes::Bytes::new()).into_body()
    } else {
        let (registry, tag) = (&run.simulation.handler, Tag::of_referrers(&subject.digest));
        let listed = registry.tagged(&repository, &tag).and_then(|digest| registry.manifest(&repository, &digest));
        listed.unwrap_or_default()
    };
    let list = Manifest::parse_as(MediaType::oci_index(), list);
    let list = list.map_err(|error| Violation::new(format!("the list of referrers is none: {error}")))?;
    let entries = list.children().filter(|entry| entry.digest == manifest.digest());
    ensure(entries.count() == 1, || format!("{} is not listed once for {}", manifest.digest(), subject.digest))
}
