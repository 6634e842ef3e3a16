//! Random cases for property tests. Values are small, and near the limits at which the behaviour changes.

use std::time::Duration;

use longshore_core::Learned;
use longshore_memory::{Order, Schedule};
use longshore_mock_registry as mock;
use longshore_mock_registry::auth::{Auth, Password};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::case::{self, CHUNK, Case, Given, Settings};
use crate::image::{BlobPlan, DocumentPlan, Plan, Subject};
use crate::quirk::{self, Outcome, Quirk};

/// Plans of images: up to six blobs, among them empty and equal ones, and up to five documents.
pub fn plan() -> impl Strategy<Value = Plan> {
    (vec(blob_plan(), 1..=6), vec(document_plan(), 1..=5), 0..=2_usize).prop_map(|(blobs, documents, attached)| Plan {
        blobs,
        documents,
        attached,
    })
}

fn blob_plan() -> impl Strategy<Value = BlobPlan> {
    let chunk = CHUNK as usize;
    let len = prop_oneof![
        1 => Just(0),
        4 => 1..chunk,
        4 => (1..=4_usize, 0..=2_usize).prop_map(move |(chunks, more)| chunks * chunk + more - 1),
        1 => 5 * chunk..20 * chunk,
    ];
    (len, 0..4_u8, prop::bool::weighted(0.1)).prop_map(|(len, fill, sha512)| BlobPlan { len, fill, sha512 })
}

fn document_plan() -> impl Strategy<Value = DocumentPlan> {
    let subject = prop_oneof![
        6 => Just(Subject::None),
        1 => any::<u8>().prop_map(|number| Subject::Document(number.into())),
        1 => Just(Subject::Absent),
    ];
    (vec(0..6_usize, 1..=4), vec(0..5_usize, 0..=3), prop::bool::weighted(0.2), subject)
        .prop_map(|(blobs, children, docker, subject)| DocumentPlan { blobs, children, docker, subject })
}

/// The ways in which blobs are given. Most of their digests are known.
pub fn given() -> impl Strategy<Value = Vec<Given>> {
    let given = prop_oneof![
        6 => Just(Given::Known),
        1 => Just(Given::Once),
        1 => Just(Given::Unknown),
        1 => Just(Given::Present),
        1 => Just(Given::Elsewhere),
        1 => Just(Given::NotThere),
    ];
    vec(given, 1..=6)
}

/// Settings of a client, and what it has learned of the registry: nothing, or that it must use one rung of the ladder.
pub fn settings() -> impl Strategy<Value = Settings> {
    let learned = (option::of(any::<bool>()), any::<bool>(), any::<bool>(), option::of(any::<bool>()));
    let learned = learned.prop_map(|(single_post, no_whole_put, no_stream, tag_parameter)| {
        let mut learned = Learned::default();
        learned.single_post = single_post;
        learned.whole_put = no_whole_put.then_some(false);
        learned.streamed_patch = no_stream.then_some(false);
        learned.tag_parameter = tag_parameter.filter(|takes| !takes);
        learned
    });
    let learned = prop_oneof![1 => Just(Learned::default()), 2 => learned];
    let chunk = prop_oneof![4 => Just(CHUNK), 1 => CHUNK..=2 * CHUNK];
    let bound = || prop_oneof![Just(0), Just(CHUNK), Just(4 * 1024 * 1024)];
    let chunk_above = prop_oneof![3 => Just(u64::MAX), 1 => Just(CHUNK)];
    (chunk, chunk_above, bound(), bound(), prop_oneof![Just(1), Just(8), 1..=8_usize], learned).prop_map(
        |(chunk, chunk_above, single_post, ask_above, in_flight, learned)| Settings {
            chunk,
            chunk_above,
            single_post,
            ask_above,
            in_flight,
            learned,
        },
    )
}

/// Orders of events. Most are by virtual time.
pub fn order() -> impl Strategy<Value = Order> {
    prop_oneof![4 => Just(Order::Latency), 2 => Just(Order::Random), 1 => Just(Order::First), 1 => Just(Order::Last)]
}

/// Up to `most` faults after which a push must still succeed.
pub fn faults(most: u64) -> impl Strategy<Value = Schedule> {
    (any::<u64>(), 0..=most, prop_oneof![Just(50), Just(300), Just(1000)])
        .prop_map(|(seed, most, per_thousand)| Schedule::random(seed, per_thousand, most))
}

/// The same cases against a registry that requires credentials: a password in each request, or tokens that live long or
/// expire during the push.
pub fn behind_a_door(cases: impl Strategy<Value = Case>) -> impl Strategy<Value = Case> {
    let lifetime = prop_oneof![Just(Duration::from_secs(300)), Just(Duration::from_secs(60))];
    (cases, prop::bool::weighted(0.3), lifetime).prop_map(|(mut case, is_basic, lifetime)| {
        let auth = if is_basic { Auth::basic() } else { Auth::bearer().with_lifetime(lifetime) };
        let rights = "*=*".parse().expect("these are rights");
        case.registry.auth = Some(auth.user(case::USER, Password::plain(case::PASSWORD), rights));
        case
    })
}

/// Cases against registries with up to this many quirks at once, all of them quirks after which a push must succeed.
pub fn case_with_quirks(most: usize, faults: u64) -> impl Strategy<Value = Case> {
    let fine = quirk::all().into_iter().filter(|quirk| quirk.outcome == Outcome::Succeeds).collect();
    with_some_of(fine, most, faults)
}

/// Cases against registries with up to four of these quirks at once. An id without a variant (the part after the colon)
/// names all variants.
///
/// # Panics
/// If no quirk has one of the ids.
pub fn case_with(ids: &[&str], faults: u64) -> impl Strategy<Value = Case> {
    let known = quirk::all();
    let named = ids.iter().flat_map(|id| {
        let is_meant = |quirk: &&Quirk| quirk.id == *id || quirk.id.split(':').next() == Some(*id);
        let quirks: Vec<Quirk> = known.iter().filter(is_meant).copied().collect();
        assert!(!quirks.is_empty(), "there is no quirk {id}");
        quirks
    });
    with_some_of(named.collect(), 4, faults)
}

fn with_some_of(quirks: Vec<Quirk>, most: usize, faults: u64) -> impl Strategy<Value = Case> {
    let most = most.min(quirks.len());
    let some = prop::sample::subsequence(quirks, 1..=most).prop_shuffle();
    (some, case(quirk::spec_true(), faults)).prop_map(|(quirks, mut case)| {
        quirks.iter().for_each(|quirk| quirk.play_in(&mut case));
        case
    })
}

/// Cases against a registry that has this quirk and no other.
pub fn case_with_one(quirk: Quirk, faults: u64) -> impl Strategy<Value = Case> {
    with_some_of(vec![quirk], 1, faults)
}

/// Cases against one kind of registry, with up to `most` faults.
pub fn case(registry: mock::RegistryOptions, most: u64) -> impl Strategy<Value = Case> {
    (plan(), given(), 0..=3_usize, settings(), order(), faults(most), any::<u64>()).prop_map(
        move |(plan, given, tags, client, order, faults, seed)| Case {
            before: None,
            interrupted: case::Interrupted::Never,
            plan,
            given,
            tags,
            first_tag: 0,
            first_key: 0,
            client,
            registry: registry.clone(),
            order,
            faults,
            seed,
        },
    )
}
