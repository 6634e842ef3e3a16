use bytes::Bytes;
use http::Response;
use longshore_core::target::{CrossOrigin, Policy};
use longshore_core::{Algorithm, Blob, Learned, Options, Origin, Scheme};

use crate::drive::{PASSWORD, Seen, Setup, image, image_with, password};
use crate::world::{BEARER, World, push, push_with, respond, run};

const STORAGE: &str = "https://storage.example.net";

fn with_policy(policy: Policy) -> Options {
    let mut options = Options::default();
    options.policy = policy;
    options
}

#[test]
fn i3_a_location_elsewhere_is_followed_without_credentials() {
    let world = World { challenge: BEARER, location: "https://storage.example.net{}", ..World::default() };
    let outcome = push(world);
    assert!(outcome.result.is_ok(), "{:?}\n{}", outcome.result, outcome.transcript);
    assert_eq!(outcome.at(STORAGE).count(), 3);
    assert!(outcome.at(STORAGE).all(|seen| seen.authorization.is_empty()));
}

#[test]
fn i3_a_location_elsewhere_can_be_refused() {
    let world = World { location: "https://storage.example.net{}", ..World::default() };
    let options = with_policy(Policy::default().with_locations(CrossOrigin::Refuse));
    let outcome = push_with(world, options, |_, _| Ok(Some(password(PASSWORD))));
    assert!(outcome.failure().contains("storage.example.net"), "{}", outcome.failure());
    assert_eq!(outcome.at(STORAGE).count(), 0);
}

#[test]
fn i4_a_foreign_401_starts_nothing() {
    for challenge in [BEARER, r#"Basic realm="x""#, "Negotiate"] {
        let world = World {
            challenge: "",
            location: "https://storage.example.net{}",
            storage: Some((401, challenge)),
            ..World::default()
        };
        let outcome = push(world);
        assert!(outcome.result.is_err());
        assert_eq!((outcome.asked.len(), outcome.tokens().count()), (0, 0), "{}", outcome.transcript);
    }
}

#[test]
fn i5_no_location_leads_from_https_to_http() {
    let outcome = push(World { location: "http://storage.example.net{}", ..World::default() });
    assert!(outcome.failure().contains("http"), "{}", outcome.failure());
    assert!(outcome.seen.iter().all(|seen| seen.origin.starts_with("https://")));
}

#[test]
fn post_location_http_behind_tls() {
    let outcome = push(World { challenge: BEARER, location: "http://registry.example{}", ..World::default() });
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    assert!(outcome.seen.iter().all(|seen| seen.origin == "https://registry.example"));
}

#[test]
fn i6_special_use_addresses_are_refused_unless_named() {
    for host in ["169.254.169.254", "127.0.0.1:8080", "10.0.0.1", "[::1]", "localhost"] {
        let location: &'static str = format!("https://{host}{{}}").leak();
        let outcome = push(World { location, ..World::default() });
        assert!(outcome.result.is_err(), "{host}");
        assert!(outcome.seen.iter().all(|seen| seen.origin == "https://registry.example"), "{host}");
    }
    let named = Origin::new(Scheme::Https, "10.0.0.1".parse().unwrap(), None);
    let world = World { location: "https://10.0.0.1{}", ..World::default() };
    let options = with_policy(Policy::default().allow_origin(named));
    assert!(push_with(world, options, |_, _| Ok(None)).result.is_ok());
}

#[test]
fn i2_redirects_of_uploads_keep_method_and_body() {
    for status in [307, 308] {
        let redirect = Some(("/blobs/uploads/1", status, "https://storage.example.net/put/here"));
        let world = World { challenge: BEARER, redirect, ..World::default() };
        let outcome = push(world);
        assert!(outcome.result.is_ok(), "{status} {:?}\n{}", outcome.result, outcome.transcript);
        let put: Vec<_> = outcome.at(STORAGE).collect();
        assert_eq!(put.len(), 3);
        assert!(put.iter().all(|seen| seen.method == http::Method::PUT && seen.authorization.is_empty()));
        assert_eq!(put.iter().map(|seen| seen.body.len()).sum::<usize>(), 300_002);
    }
}

#[test]
fn i2_redirects_that_would_turn_a_write_into_a_read_are_refused() {
    for status in [301, 302, 303] {
        let world = World { redirect: Some(("/blobs/uploads/1", status, "/elsewhere")), ..World::default() };
        let outcome = push(world);
        assert!(outcome.failure().contains(&status.to_string()), "{}", outcome.failure());
        assert!(!outcome.seen.iter().any(|seen| seen.path_and_query == "/elsewhere"));
    }
}

#[test]
fn i25_redirects_in_a_circle_end() {
    for limit in [0, 1, 5, 9] {
        let redirect = Some(("/blobs/uploads/1", 307, "/v2/library/app/blobs/uploads/1"));
        let mut options = Options::default();
        assert_eq!(options.redirects, 5);
        options.redirects = limit;
        let outcome = push_with(World { redirect, ..World::default() }, options, |_, _| Ok(None));
        assert!(outcome.failure().contains(&format!("more than {limit} times")), "{}", outcome.failure());
        // The first blob alone is sent, and its upload is cancelled after that: each goes round as often as is allowed.
        let puts = outcome.seen.iter().filter(|seen| seen.method == http::Method::PUT && seen.status == 307);
        assert_eq!(puts.count(), limit + 1, "{}", outcome.transcript);
    }
}

#[test]
fn i2_what_can_be_read_only_once_is_not_sent_elsewhere() {
    // Its end is not known, so one request carries all of it; a registry that sends that on cannot be served.
    let redirect = Some(("/blobs/uploads/1", 307, "https://storage.example.net/put/here"));
    let mut learned = Learned::default();
    learned.chunks = Some(false);
    let operations = vec![image_with(|key, _| Blob::unknown(key, Algorithm::Sha256)).into()];
    let mut options = Options::default();
    options.chunk = 1000;
    let setup = Setup { operations, options, once: true, learned, ..Setup::default() };
    let outcome = run(World { redirect, ..World::default() }, setup);
    assert!(outcome.failure().contains("can be read only once"), "{}", outcome.failure());
    // What was in hand, the few bytes of the config, could be sent again.
    assert!(outcome.at(STORAGE).all(|seen| seen.body.len() <= 2), "{}", outcome.transcript);
}

#[test]
fn i1_what_a_foreign_host_aims_at_the_registry_goes_without_credentials() {
    // The registry sends the upload to storage, and the storage sends it back to a path of its own choice.
    let world = World {
        challenge: BEARER,
        location: "https://storage.example.net/out",
        redirect: Some(("/out", 307, "https://registry.example/v2/library/other/manifests/v1")),
        ..World::default()
    };
    let outcome = push(world);
    let aimed: Vec<_> = outcome.seen.iter().filter(|seen| seen.path_and_query.contains("/other/")).collect();
    assert!(!aimed.is_empty());
    assert!(aimed.iter().all(|seen| seen.authorization.is_empty()), "{}", outcome.transcript);
    assert!(outcome.result.is_err());
}

/// The registry sends a write to storage, the storage back to a path of its own choice, and that path on to another.
fn there_and_back(seen: &Seen, _: &[Seen]) -> Option<Response<Bytes>> {
    let wants = r#"Bearer realm="https://registry.example/token",scope="repository:library/third:pull""#;
    let to = match seen.path_and_query.split('?').next().unwrap() {
        "/v2/library/app/blobs/uploads/" if !seen.authorization.is_empty() => "https://storage.example.net/out",
        "/out" => "https://registry.example/v2/library/other/blobs/uploads/",
        "/v2/library/other/blobs/uploads/" => "/v2/library/third/blobs/uploads/",
        "/v2/library/third/blobs/uploads/" => return Some(respond(401, &[("www-authenticate", wants)], "")),
        _ => return None,
    };
    Some(respond(307, &[("location", to)], ""))
}

#[test]
fn i1_once_away_from_the_registry_always_away() {
    let then = vec![image().into()];
    let world = World { challenge: BEARER, rule: there_and_back, ..World::default() };
    let outcome = run(world, Setup { then, ..Setup::default() });
    let aimed: Vec<_> = outcome.seen.iter().filter(|seen| !seen.path_and_query.contains("/app/")).collect();
    assert!(aimed.iter().any(|seen| seen.path_and_query.contains("/third/")), "{}", outcome.transcript);
    assert!(aimed.iter().all(|seen| seen.is_for_token() || seen.authorization.is_empty()), "{}", outcome.transcript);
    // What the registry says there teaches nothing, and nobody is asked for anything because of it.
    assert!(outcome.result.is_err());
    assert_eq!((outcome.asked.len(), outcome.tokens().count()), (1, 1), "{}", outcome.transcript);
}

#[test]
fn i1_an_upload_that_a_foreign_host_opens_at_the_registry_goes_without_credentials() {
    let rule = |seen: &Seen, _: &[Seen]| match (seen.origin.as_str(), &seen.method) {
        ("https://registry.example", &http::Method::POST) if !seen.authorization.is_empty() => {
            Some(respond(307, &[("location", "https://storage.example.net/open")], ""))
        }
        (STORAGE, &http::Method::POST) => {
            Some(respond(202, &[("location", "https://registry.example/v2/library/other/manifests/v1")], ""))
        }
        _ => None,
    };
    let outcome = push(World { challenge: BEARER, rule, ..World::default() });
    let aimed: Vec<_> = outcome.seen.iter().filter(|seen| seen.path_and_query.contains("/other/")).collect();
    assert!(!aimed.is_empty() && aimed.iter().all(|seen| seen.authorization.is_empty()), "{}", outcome.transcript);
    assert!(outcome.result.is_err());
}
