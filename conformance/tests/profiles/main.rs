//! Every profile of the mock registry is pushed to, in virtual time: cold, warm, mounted, an index, an artifact, and one
//! layer changed. What the real registry would refuse is refused with an error that says so, and nothing else is.

mod images;
mod stage;

use longshore_mock_registry::behaviour::{MountPolicy, ReferrersApi, SubjectHeader};
use longshore_mock_registry::profile::NAMES;

use images::{artifact, image, index};
use stage::Stage;

/// What a profile refuses: the profile, the step, and the status.
const REFUSED: &[(&str, &str, u16)] = &[
    // `manifest-empty-config-rejected`
    ("aliyun-acr", "artifact", 400),
    // `manifest-oci-index-rejected`
    ("huawei-swr", "index", 400),
];

/// What the refusal of a step must be, if it must be one.
fn refusal(profile: &str, step: &str) -> Option<u16> {
    REFUSED.iter().find(|(name, refused, _)| (*name, *refused) == (profile, step)).map(|(_, _, status)| *status)
}

/// All steps, one after the other, against one registry.
fn check(profile: &str) {
    let mut stage = Stage::new(profile);
    let first = image("amd64", 1);
    let cold = stage.push("v1", &first.manifest, &[], &first.contents, None).unwrap();
    // What is seen late is waited for, and not sent again.
    assert_eq!(cold.uploaded, 4, "{profile}: {}", stage.transcript);

    // All that is there is found.
    let warm = stage.push("v1", &first.manifest, &[], &first.contents, None).unwrap();
    assert_eq!(warm.uploaded, 0, "{profile}: {}", stage.transcript);
    assert!(warm.requests < cold.requests, "{profile}: {} requests, then {}", cold.requests, warm.requests);

    let changed = image("amd64", 2);
    let changed_push = stage.push("v2", &changed.manifest, &[], &changed.contents, None).unwrap();
    let is_short = changed_push.existing >= 1 && changed_push.bytes < 1 << 20;
    assert!(is_short, "{profile}: {}", stage.transcript);

    mounted(&mut stage, profile);

    let other = image("arm64", 1);
    let both = index(&[&first.manifest, &other.manifest]);
    let pushed = stage.push("v3", &both, &[&first.manifest, &other.manifest], &other.contents, None);
    stage.ended(pushed, refusal(profile, "index"), &both, "v3");

    let about = artifact(&first.manifest);
    let attached = stage.push("about", &about.manifest, &[], &about.contents, None);
    let is_refused = refusal(profile, "artifact").is_some();
    stage.ended(attached, refusal(profile, "artifact"), &about.manifest, "about");
    if !is_refused {
        listed(&stage, profile, &first.manifest, &about.manifest);
    }
    let breaches: Vec<String> = stage.must_breaches();
    assert!(breaches.is_empty(), "{profile}: {breaches:?}");
}

/// A push to another repository, with the layers to be mounted: they are, or they are sent.
fn mounted(stage: &mut Stage, profile: &str) {
    let first = image("amd64", 1);
    let behaviour = stage.behaviour();
    let mounts = !matches!(behaviour.mount.policy, MountPolicy::Never | MountPolicy::Refused(_));
    // A token for the first scope alone does not reach the source.
    let mounts = mounts && !behaviour.auth.first_scope_only;
    let pushed = stage.push("v1", &first.manifest, &[], &first.contents, Some("library/app")).unwrap();
    let expected = if mounts { (0, 4) } else { (4, 0) };
    assert_eq!((pushed.uploaded, pushed.mounted), expected, "{profile}: {pushed:?}\n{}", stage.transcript);
}

/// The artifact is in the registry's own list of referrers, or in the one under a tag.
fn listed(stage: &Stage, profile: &str, subject: &longshore_core::Manifest, artifact: &longshore_core::Manifest) {
    let referrers = &stage.behaviour().referrers;
    if referrers.api == ReferrersApi::On || referrers.subject == SubjectHeader::Always {
        return;
    }
    let list = stage.tagged(&subject.digest().to_string().replace(':', "-")).unwrap_or_default();
    let list = String::from_utf8_lossy(&list);
    assert!(list.contains(&artifact.digest().to_string()), "{profile}: {list}\n{}", stage.transcript);
}

macro_rules! profiles {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            check($name);
        })*

        #[test]
        fn every_profile_has_a_test() {
            assert_eq!(NAMES, &[$($name),*]);
        }
    };
}

profiles! {
    acr: "acr",
    acr_2022: "acr-2022",
    aliyun_acr: "aliyun-acr",
    artifactory: "artifactory",
    artifactory_old: "artifactory-old",
    cloudflare: "cloudflare",
    cloudsmith: "cloudsmith",
    digitalocean: "digitalocean",
    distribution_2_8: "distribution-2.8",
    distribution_3: "distribution-3",
    django_oci: "django-oci",
    docker_hub: "docker-hub",
    ecr: "ecr",
    ecr_blob_mounting: "ecr-blob-mounting",
    ecr_public: "ecr-public",
    gar: "gar",
    gcr: "gcr",
    generic: "generic",
    ghcr: "ghcr",
    gitea: "gitea",
    gitlab: "gitlab",
    harbor: "harbor",
    huawei_swr: "huawei-swr",
    ibm_icr: "ibm-icr",
    keppel: "keppel",
    keygen: "keygen",
    metahub: "metahub",
    nexus: "nexus",
    ocir: "ocir",
    olareg: "olareg",
    openregistry: "openregistry",
    openshift: "openshift",
    pulp: "pulp",
    quay: "quay",
    quay_2021: "quay-2021",
    redhat_registry: "redhat-registry",
    spec: "spec",
    suse_registry: "suse-registry",
    zot: "zot",
    zot_1_4: "zot-1.4",
}
