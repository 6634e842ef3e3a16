use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response};
use proptest::prelude::*;

use super::*;
use crate::Target;
use crate::auth::{Challenges, Scope, TokenRequest};
use crate::target::Policy;

/// Registries that differ in little: port, realm, service.
fn service(which: usize) -> TokenService {
    let (registry, challenge) = [
        ("https://reg.example/v2/", r#"Bearer realm="/token",service="a""#),
        ("https://reg.example:444/v2/", r#"Bearer realm="https://reg.example/token",service="a""#),
        ("https://reg.example/v2/", r#"Bearer realm="/token?x",service="a""#),
        ("https://reg.example/v2/", r#"Bearer realm="/token",service="b""#),
        ("https://reg.example/v2/", r#"Bearer realm="/token""#),
    ][which];
    let from = Target::parse(registry).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    let challenges = Challenges::of(from.origin(), &from, &headers).unwrap();
    TokenService::of(&Policy::default(), from.origin(), &from, challenges.bearer().unwrap()).unwrap()
}

fn scopes(which: usize) -> Scopes {
    let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
    match which {
        0 => Scopes::one(Scope::push(a)),
        1 => Scopes::one(Scope::pull(a)),
        2 => Scopes::one(Scope::push(a)).and(Scope::pull(b)),
        3 => Scopes::one(Scope::pull(b)).and(Scope::push(a)),
        _ => Scopes::none(),
    }
}

fn identity(which: usize) -> Identity {
    [Identity::Anonymous, Identity::Known(0), Identity::Known(1)][which]
}

fn key((registry, rights, whose): (usize, usize, usize)) -> TokenKey {
    TokenKey::new(service(registry), scopes(rights), identity(whose))
}

fn token(service: &TokenService, text: &str, seconds: u64, refresh: &str) -> Token {
    let body = format!(r#"{{"token":"{text}","expires_in":{seconds},"refresh_token":"{refresh}"}}"#);
    TokenRequest::new(service, &Scopes::none(), None).answer(&Response::new(body.into())).unwrap()
}

/// What stands in the header, at the registry that the key is for.
fn sent(authorization: &Authorization) -> String {
    let mut headers = HeaderMap::new();
    let target = Target::new(authorization.origin().clone(), "/v2/").unwrap();
    authorization.authorize(&target, &mut headers).unwrap();
    headers[AUTHORIZATION].to_str().unwrap().to_owned()
}

fn at(seconds: u64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

#[test]
fn i10_two_identities_share_no_token() {
    let mut cache = TokenCache::default();
    cache.keep(key((0, 0, 1)), token(&service(0), "one", 300, ""), at(0));
    assert!(cache.find(&key((0, 0, 1)), at(0), Duration::ZERO).is_some());
    for other in
        [(0, 0, 0), (0, 0, 2), (0, 1, 1), (0, 2, 1), (0, 3, 1), (0, 4, 1), (1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 0, 1)]
    {
        assert!(cache.find(&key(other), at(0), Duration::ZERO).is_none(), "{other:?}");
    }
}

#[test]
fn a_token_lives_from_its_request_on() {
    let mut cache = TokenCache::default();
    cache.keep(key((0, 0, 0)), token(&service(0), "one", 300, ""), at(1000));
    let found = |now, lasts| cache.find(&key((0, 0, 0)), now, Duration::from_secs(lasts)).is_some();
    assert!(found(at(1299), 0) && !found(at(1300), 0) && !found(at(5000), 0));
    assert!(found(at(1000), 299) && !found(at(1000), 300));
    assert!(!found(Instant::NEVER, 0));
}

#[test]
fn token_expires_mid_upload() {
    // A body that takes ten minutes does not set out with a token of five, nor with what is left of an hour.
    let mut cache = TokenCache::default();
    let body = Duration::from_secs(600);
    cache.keep(key((0, 0, 0)), token(&service(0), "short", 300, ""), at(0));
    assert!(cache.find(&key((0, 0, 0)), at(0), body).is_none());
    cache.keep(key((0, 0, 0)), token(&service(0), "long", 3600, ""), at(0));
    assert!(cache.find(&key((0, 0, 0)), at(2999), body).is_some());
    assert!(cache.find(&key((0, 0, 0)), at(3000), body).is_none());
}

#[test]
fn refresh_tokens_belong_to_credentials_too() {
    let mut cache = TokenCache::default();
    cache.keep(key((0, 0, 1)), token(&service(0), "one", 60, "older"), at(0));
    cache.keep(key((0, 1, 1)), token(&service(0), "two", 60, "newer"), at(0));
    cache.keep(key((0, 2, 1)), token(&service(0), "three", 60, ""), at(0));
    assert_eq!(cache.refresh_token(&service(0), identity(1)).unwrap().expose(), "newer");
    for (registry, whose) in [(0, 0), (0, 2), (1, 1), (2, 1), (3, 1), (4, 1)] {
        assert!(cache.refresh_token(&service(registry), identity(whose)).is_none());
    }
    cache.forget_identity(identity(1));
    assert!(cache.refresh_token(&service(0), identity(1)).is_none());
    assert!(cache.find(&key((0, 2, 1)), at(0), Duration::ZERO).is_none());
}

#[test]
fn i25_the_cache_has_a_limit() {
    let mut cache = TokenCache::default();
    let key = |i: usize| {
        let repository = format!("r{i}").parse().unwrap();
        TokenKey::new(service(0), Scopes::one(Scope::pull(repository)), Identity::Anonymous)
    };
    for i in 0..=MAX_TOKENS {
        // The second one expires first.
        cache.keep(key(i), token(&service(0), "x", if i == 1 { 100 } else { 200 }, ""), at(0));
    }
    assert_eq!(cache.tokens.len(), MAX_TOKENS);
    assert!(cache.find(&key(1), at(0), Duration::ZERO).is_none());
    assert!(cache.find(&key(MAX_TOKENS), at(0), Duration::ZERO).is_some());
}

#[test]
fn i29_the_cache_prints_no_token() {
    let mut cache = TokenCache::default();
    cache.keep(key((0, 0, 1)), token(&service(0), "CANARY", 300, "CANARY"), at(0));
    assert!(!format!("{cache:?}").contains("CANARY"));
}

#[derive(Debug, Clone)]
enum Step {
    Keep { key: (usize, usize, usize), seconds: u64 },
    Find { key: (usize, usize, usize), lasts: u64 },
    Forget { key: (usize, usize, usize), asked: u64 },
    ForgetIdentity { whose: usize },
    Pass { seconds: u64 },
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = || (0..5_usize, 0..5_usize, 0..3_usize);
    prop_oneof![
        3 => (key(), 0..200_u64).prop_map(|(key, seconds)| Step::Keep { key, seconds }),
        6 => (key(), prop_oneof![Just(0), 0..100_u64]).prop_map(|(key, lasts)| Step::Find { key, lasts }),
        1 => (key(), 0..200_u64).prop_map(|(key, asked)| Step::Forget { key, asked }),
        1 => (0..3_usize).prop_map(|whose| Step::ForgetIdentity { whose }),
        2 => (0..50_u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

#[test]
fn a_key_says_what_it_is_for_and_the_cache_when_its_token_was_asked_for() {
    let challenged = vec!["repository:a:pull".to_owned()];
    let key = key((0, 0, 1)).with_challenged(challenged.clone());
    assert_eq!((key.service(), key.scopes(), key.challenged()), (&service(0), &scopes(0), &challenged[..]));
    let mut cache = TokenCache::default();
    assert_eq!((cache.asked(&key), cache.expires(&key)), (None, None));
    cache.keep(key.clone(), token(&service(0), "t", 90, ""), at(7));
    assert_eq!((cache.asked(&key), cache.expires(&key)), (Some(at(7)), Some(at(97))));
    // The refusal of an older one says nothing about it.
    cache.forget(&key, at(6));
    assert_eq!(cache.asked(&key), Some(at(7)));
    cache.forget(&key, at(7));
    assert_eq!(cache.asked(&key), None);
}

proptest! {
    #[test]
    fn i10_the_cache_is_a_list_of_what_was_kept(steps in proptest::collection::vec(any_step(), 0..80)) {
        // The model: everything that was ever kept, in order, with what it was for; the last one for a key counts.
        let mut model = Vec::<((usize, usize, usize), String, u64, u64)>::new();
        let mut cache = TokenCache::default();
        let mut now = 0;
        for (i, step) in steps.into_iter().enumerate() {
            match step {
                Step::Keep { key: which, seconds } => {
                    let text = format!("t{i}");
                    cache.keep(key(which), token(&service(which.0), &text, seconds, ""), at(now));
                    model.push((which, text, now, now + seconds.max(60)));
                }
                Step::Find { key: which, lasts } => {
                    let kept = model.iter().rev().find(|(key, ..)| *key == which);
                    let expected = kept.filter(|(.., expires)| now + lasts < *expires);
                    let found = cache.find(&key(which), at(now), Duration::from_secs(lasts));
                    prop_assert_eq!(found.map(|found| sent(found)), expected.map(|(_, text, ..)| format!("Bearer {text}")));
                    if let Some(found) = found {
                        prop_assert_eq!(found.origin().clone(), service(which.0).registry().clone());
                    }
                }
                // Only where the newest was asked for by then: a refusal of an older one says nothing about it.
                Step::Forget { key: which, asked } => {
                    cache.forget(&key(which), at(asked));
                    let newest = model.iter().rev().find(|(key, ..)| *key == which).map(|(_, _, when, _)| *when);
                    if newest.is_some_and(|newest| newest <= asked) {
                        model.retain(|(key, ..)| *key != which);
                    }
                }
                Step::ForgetIdentity { whose } => {
                    cache.forget_identity(identity(whose));
                    model.retain(|(key, ..)| key.2 != whose);
                }
                Step::Pass { seconds } => now += seconds,
            }
        }
    }
}
