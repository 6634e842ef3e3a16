//! `--learned FILE`: what `longshore probe` found out of a registry, for a push that need not find it out again.

use std::path::Path;

use longshore_core::{Learned, Options, Reference};
use longshore_mock_registry::behaviour::{
    Behaviour, MaxOf, MissingReference, MountPolicy, Patch, ReferrersApi, SinglePost, SubjectHeader,
};

use crate::exit::Error;
use crate::profile;

/// What a profile says of a registry, as far as a client can make use of it.
pub(crate) struct Knowledge {
    behaviour: Behaviour,
}

impl Knowledge {
    /// Reads a profile. One that says something that is not known is refused, with the line.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        Ok(Self { behaviour: profile::in_file(path)?.behaviour().clone() })
    }

    /// What a client would have learned of the registry by itself, a request at a time.
    pub(crate) fn learned(&self, reference: &Reference) -> Learned {
        let Behaviour { start, chunks, commit, mount, manifests, referrers, .. } = &self.behaviour;
        let mut learned = Learned::default();
        learned.single_post = Some(start.single_post != SinglePost::Ignored);
        learned.whole_put = commit.monolithic_refused.map(|_| false);
        match chunks.patch {
            Patch::Supported => {}
            Patch::Once(_) => learned.chunks = Some(false),
            Patch::Refused(_) => (learned.chunks, learned.streamed_patch) = (Some(false), Some(false)),
            // What the client does not know yet, it finds out.
            _ => {}
        }
        match chunks.max {
            Some(max) if max.of == MaxOf::AllBodies => learned.body_limit = Some(max.bytes),
            Some(max) => learned.chunk_limit = Some(max.bytes),
            None => {}
        }
        learned.self_mount = match mount.policy {
            MountPolicy::Source | MountPolicy::AnyRepository => Some(true),
            MountPolicy::Never | MountPolicy::Refused(_) => Some(false),
            // With `MountPolicy::Referenced` it depends on what refers to the blob.
            _ => None,
        };
        learned.tag_parameter = Some(manifests.tag_parameters);
        learned.unchecked_manifests = Some(manifests.missing_reference == MissingReference::Accepted);
        let lists = referrers.api == ReferrersApi::On;
        learned.learn_referrers(&reference.repository, lists);
        learned.subject_header = match referrers.subject {
            SubjectHeader::Truthful => Some(lists),
            SubjectHeader::Never => Some(false),
            _ => None,
        };
        learned
    }

    /// Whether it takes blobs out of other repositories at all.
    pub(crate) fn mounts(&self) -> bool {
        !matches!(self.behaviour.mount.policy, MountPolicy::Refused(_))
    }

    /// What it says of how the client goes about it.
    pub(crate) fn apply(&self, options: &mut Options) {
        if let Some(least) = self.behaviour.start.chunk_min {
            options.chunk = options.chunk.max(least.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_mock_registry::profile::{NAMES, Profile};

    use super::*;

    fn knowledge(profile: &str) -> Knowledge {
        Knowledge { behaviour: Profile::parse("ours.toml", profile).unwrap().behaviour().clone() }
    }

    #[test]
    fn what_a_profile_says_is_what_a_client_would_learn() {
        let reference: Reference = "localhost:5000/a/b:v1".parse().unwrap();
        let quirk = |id: &str, set: &str| {
            format!("\n[[quirk]]\nid = \"{id}\"\nevidence = \"wire-trace\"\nsource = \"here\"\nset.{set}\n")
        };
        let plain = knowledge("title = \"Ours\"\n").learned(&reference);
        assert_eq!((plain.single_post, plain.self_mount, plain.tag_parameter), (Some(true), Some(true), Some(true)));
        assert_eq!((plain.referrers(&reference.repository), plain.subject_header), (Some(true), Some(true)));
        assert_eq!((plain.unchecked_manifests, plain.chunks, plain.body_limit), (Some(false), None, None));
        let odd = [
            quirk("post-digest-single-unsupported-202", "start.single-post = \"ignored\""),
            quirk("mount-401-nexus", "mount.policy = { refused = 401 }"),
            quirk("patch-unsupported", "chunks.patch = { refused = 405 }"),
            quirk("patch-body-too-large-413", "chunks.max = { bytes = 1000, status = 413, of = \"all-bodies\" }"),
            quirk("missing-blob-not-checked", "manifests.missing-reference = \"accepted\""),
            quirk("tag-parameter-unsupported", "manifests.tag-parameters = false"),
            quirk("referrers-404-fallback", "referrers.api = \"not-found\""),
        ];
        let odd = knowledge(&format!("title = \"Ours\"\n{}", odd.concat()));
        assert!(!odd.mounts());
        let odd = odd.learned(&reference);
        assert_eq!((odd.single_post, odd.self_mount, odd.tag_parameter), (Some(false), Some(false), Some(false)));
        assert_eq!((odd.referrers(&reference.repository), odd.subject_header), (Some(false), Some(false)));
        assert_eq!((odd.unchecked_manifests, odd.chunks, odd.body_limit), (Some(true), Some(false), Some(1000)));
    }

    #[test]
    fn every_registry_that_is_known_can_be_learned() {
        let reference: Reference = "localhost:5000/a/b:v1".parse().unwrap();
        for name in NAMES {
            let knowledge = Knowledge { behaviour: Profile::named(name).unwrap().behaviour().clone() };
            assert!(knowledge.learned(&reference).tag_parameter.is_some(), "{name}");
        }
    }
}
