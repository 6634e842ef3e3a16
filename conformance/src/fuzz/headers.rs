//! What stands in the headers of an answer, and in the body of an error.

use std::time::Duration;

use http::HeaderName;
use http::header::{CONTENT_RANGE, DATE, LINK, RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use longshore_core::auth::{Challenges, TokenService};
use longshore_core::header::{
    CHUNK_MIN_LENGTH, ChunkRange, ErrorBody, PartRange, RangeHint, RetryAfter, chunk_min_length, next_link,
};
use longshore_core::target::{Policy, Realms, is_public};
use longshore_core::text::{MAX_SHOWN_LEN, shown_bytes};
use longshore_core::{Origin, Scheme, Target};

use super::urls::{base, judge_resolved};
use super::{assert_harmless, headers, lines};

/// The most challenges that are read (security invariant I25).
const MAX_CHALLENGES: usize = 16;

/// `WWW-Authenticate`, a value a line: it is bounded, and leads to no token service but one that the policy admits.
///
/// # Panics
/// Where that does not hold.
pub fn challenge(bytes: &[u8]) {
    let (registry, other) = (base(), Target::parse("https://storage.example/b").unwrap());
    let headers = headers(&WWW_AUTHENTICATE, bytes);
    let challenges = Challenges::of(registry.origin(), &registry, &headers).unwrap();
    assert!(challenges.iter().count() <= MAX_CHALLENGES);
    let of_a_stranger = Challenges::of(registry.origin(), &other, &headers);
    assert!(headers.is_empty() || of_a_stranger.is_err(), "a stranger was listened to");
    let Some(bearer) = challenges.bearer() else { return };
    assert!(bearer.scopes().len() <= MAX_CHALLENGES);
    match TokenService::of(&Policy::default(), registry.origin(), &registry, bearer) {
        Ok(service) => {
            let (realm, host) = (service.realm(), service.realm().origin().host().to_string());
            assert_eq!(realm.origin().scheme(), registry.origin().scheme(), "a token is asked for in the clear");
            assert!(host == "reg.example" || host.ends_with(".reg.example"), "a token is asked for at {host}");
            judge_resolved(&registry, realm, bearer.realm().unwrap());
        }
        Err(error) => assert_harmless(&error.to_string()),
    }
    let listed = Target::parse("https://auth.example/token").unwrap().origin().clone();
    for Admission { policy, admits } in policies(&listed) {
        match TokenService::of(&policy, registry.origin(), &registry, bearer) {
            Ok(service) if service.realm().origin() == registry.origin() => {}
            Ok(service) => assert!(admits(service.realm().origin(), &listed), "{policy:?} admits {service:?}"),
            Err(error) => assert_harmless(&error.to_string()),
        }
    }
}

/// A policy, and whether it may admit an origin as a token service beside the registry's own, if another one is listed.
struct Admission {
    policy: Policy,
    admits: fn(&Origin, &Origin) -> bool,
}

fn policies(listed: &Origin) -> [Admission; 4] {
    let of = |realms| Policy::default().with_realms(realms);
    let is_listed = |origin: &Origin, listed: &Origin| origin == listed;
    let is_public = |origin: &Origin, _: &Origin| origin.scheme() == Scheme::Https && is_public(origin.host());
    [
        Admission { policy: of(Realms::SameOrigin), admits: |_, _| false },
        Admission { policy: of(Realms::SameOrigin).allow_origin(listed.clone()), admits: is_listed },
        Admission { policy: of(Realms::List([listed.clone()].into())), admits: is_listed },
        Admission { policy: of(Realms::AnyPublicHttps), admits: is_public },
    ]
}

/// `Link`, a value a line: only a page of the same origin is followed, byte for byte.
///
/// # Panics
/// Where that does not hold.
pub fn link_header(bytes: &[u8]) {
    let base = base();
    match next_link(&headers(&LINK, bytes), &base) {
        Ok(Some(next)) => {
            assert_eq!(next.origin(), base.origin());
            let query = next.query().unwrap_or_default().as_bytes();
            let is_there = query.is_empty() || bytes.windows(query.len()).any(|window| window == query);
            assert!(is_there, "{next:?} was made up");
        }
        Ok(None) => {}
        Err(error) => assert_harmless(&error.to_string()),
    }
}

/// `Range`, `Content-Range` and `OCI-Chunk-Min-Length`: no offset is believed that this side did not send.
///
/// # Panics
/// Where that does not hold.
pub fn range_headers(bytes: &[u8]) {
    let hint = RangeHint::read(&headers(&RANGE, bytes));
    for (acknowledged, sent) in [(0, 0), (0, 1), (0, 42), (7, 42), (42, 42), (0, u64::MAX), (u64::MAX, u64::MAX)] {
        if let Some(offset) = hint.offset_within(acknowledged, sent) {
            assert!((acknowledged..=sent).contains(&offset), "{hint:?} makes {offset} of {acknowledged}..={sent}");
        }
    }
    let part = PartRange::read(&headers(&CONTENT_RANGE, bytes));
    if let Some(part) = part {
        assert!(part.start <= part.last && part.size.is_none_or(|size| part.last < size), "{part:?}");
        if let Some(chunk) = (part.last - part.start).checked_add(1).and_then(|size| ChunkRange::new(part.start, size))
        {
            assert_eq!(chunk.to_string(), format!("{}-{}", part.start, part.last));
        }
    }
    if let Some(least) = chunk_min_length(&headers(&HeaderName::from_static(CHUNK_MIN_LENGTH), bytes)) {
        assert!(lines(bytes).any(|line| number(line) == Some(least)), "nobody said {least}");
    }
}

/// `Date` in the first line and `Retry-After` in the others: no number that is asked for is undercut (I26).
///
/// # Panics
/// Where that does not hold.
pub fn retry_after(bytes: &[u8]) {
    let (date, waits) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let waits = waits.strip_prefix(b"\n").unwrap_or(waits);
    let mut headers = headers(&RETRY_AFTER, waits);
    headers.extend(super::headers(&DATE, date));
    let Some(most) = lines(waits).filter_map(number).max() else { return };
    let RetryAfter::Delay(delay) = RetryAfter::read(&headers) else { panic!("{most} seconds were not understood") };
    assert!(delay >= Duration::from_secs(most), "{delay:?} for {most}");
}

/// The body of an error, of any shape: it is bounded, and harmless to print.
///
/// # Panics
/// Where that does not hold.
pub fn error_body(bytes: &[u8]) {
    let body = ErrorBody::read(bytes);
    assert!(body.errors.len() <= MAX_CHALLENGES && body.text.len() <= MAX_SHOWN_LEN);
    for error in &body.errors {
        let parts = [&error.code, &error.message, &error.detail];
        assert!(parts.into_iter().flatten().all(|part| part.len() <= MAX_SHOWN_LEN));
        assert_harmless(&error.to_string());
    }
    let shown = body.to_string();
    assert_harmless(&shown);
    assert!(shown.len() <= 16 * MAX_SHOWN_LEN);
    assert!(body.is_empty() || bytes.iter().any(|byte| !byte.is_ascii_whitespace()));
    let text = shown_bytes(bytes);
    assert_harmless(&text);
    assert!(text.len() <= MAX_SHOWN_LEN);
}

/// Decimal digits, and blanks around them.
fn number(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?.trim_matches([' ', '\t']);
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
