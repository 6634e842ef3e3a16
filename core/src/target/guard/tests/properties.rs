//! What holds for every policy, whatever is asked of it.

use proptest::prelude::*;

use super::*;

fn any_origin() -> impl Strategy<Value = Origin> {
    let hosts = [
        "reg.example",
        "cdn.example",
        "auth.reg.example",
        "localhost",
        "10.0.0.1",
        "1.1.1.1",
        "[::1]",
        "lscr.io",
        "ghcr.io",
    ];
    let port = prop_oneof![Just(None), Just(Some(443)), Just(Some(80)), Just(Some(5000))];
    (any::<bool>(), proptest::sample::select(hosts.to_vec()), port).prop_map(|(https, host, port)| {
        Origin::new(if https { Scheme::Https } else { Scheme::Http }, host.parse().unwrap(), port)
    })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let cross = || prop_oneof![Just(CrossOrigin::Follow), Just(CrossOrigin::Refuse)];
    let realms = prop_oneof![
        Just(Realms::SameOrigin),
        Just(Realms::SameSiteOrKnown),
        Just(Realms::AnyPublicHttps),
        proptest::collection::btree_set(any_origin(), 0..3).prop_map(Realms::List),
    ];
    (proptest::collection::btree_set(any_origin(), 0..3), cross(), cross(), realms, any::<bool>()).prop_map(
        |(allowed, locations, redirects, realms, guests)| {
            Policy { allowed, locations, redirects, realms, ..Policy::default() }.with_guest_tokens(guests)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn i1_i3_i5_i6_hold_whatever_is_asked(
        policy in any_policy(),
        registry in any_origin(),
        from in any_origin(),
        to in any_origin(),
        source in proptest::sample::select(vec![Source::Location, Source::Redirect, Source::Realm, Source::RealmRedirect, Source::Link]),
    ) {
        let from = Target::new(from, "/from").unwrap();
        let to = Target::new(to, "/to?x=%2F").unwrap();
        let Ok(admitted) = admit(&policy, &registry, &from, to.clone(), source) else { return Ok(()) };
        let reached = admitted.target.origin();
        prop_assert_eq!(admitted.target.path_and_query(), "/to?x=%2F");
        if reached != to.origin() {
            prop_assert_eq!(reached, from.origin());
            prop_assert_eq!(reached.host(), to.origin().host());
        }
        if admitted.credentials_may_follow {
            prop_assert_eq!(from.origin(), &registry);
            prop_assert!(reached == &registry || source == Source::Realm);
        }
        if reached != &registry && !policy.is_allowed(reached, source) {
            prop_assert!(special::is_public(reached.host()));
            prop_assert!(reached.scheme() == Scheme::Https || registry.scheme() == Scheme::Http);
            prop_assert!(source != Source::Location || policy.locations == CrossOrigin::Follow);
            prop_assert!(source != Source::Redirect || policy.redirects == CrossOrigin::Follow);
        }
    }
}
