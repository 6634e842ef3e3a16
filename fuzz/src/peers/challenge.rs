//! `http-auth`: a strict reader of challenges.

use http_auth::{ChallengeRef, parse_challenges};
use longshore_core::Target;
use longshore_core::auth::{Challenge, Challenges};
use longshore_core::http::{HeaderMap, HeaderValue, header};

/// A value of `WWW-Authenticate`.
///
/// Ours reads on where the grammar is broken, so only what `http-auth` accepts is compared, and of that only what is within
/// our limits. A value in single quotes is one for ours, because some registries write so; for `http-auth` the quotes are part
/// of it. Of two parameters of one name ours takes the first that is not empty; `http-auth` leaves that to its caller.
///
/// # Panics
/// Where ours reads something else.
pub fn peers_challenge(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (Ok(value), Ok(theirs)) = (HeaderValue::from_str(text), parse_challenges(text)) else { return };
    if text.contains('\'')
        || theirs.len() > 16
        || theirs.iter().any(|challenge| challenge.params.len() > 32)
        || text.len() > 4096
    {
        return;
    }
    let registry = Target::parse("https://reg.example/v2/").expect("a URL");
    let headers = HeaderMap::from_iter([(header::WWW_AUTHENTICATE, value)]);
    let ours = Challenges::of(registry.origin(), &registry, &headers).expect("the registry's own");
    let names = |challenge: &Challenge| match challenge {
        Challenge::Bearer(_) => "bearer".to_owned(),
        Challenge::Basic => "basic".to_owned(),
        Challenge::Other(name) => name.clone(),
        _ => unreachable!("there is no other kind"),
    };
    let our_schemes: Vec<String> = ours.iter().map(names).collect();
    let their_schemes: Vec<String> = theirs.iter().map(|challenge| challenge.scheme.to_ascii_lowercase()).collect();
    assert_eq!(our_schemes, their_schemes);
    let bearers = ours.iter().filter_map(|it| if let Challenge::Bearer(bearer) = it { Some(bearer) } else { None });
    let their_bearers = theirs.iter().filter(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"));
    for (ours, theirs) in bearers.zip(their_bearers) {
        assert_eq!(ours.realm().map(str::to_owned), first(theirs, "realm"));
        assert_eq!(ours.service().map(str::to_owned), first(theirs, "service"));
    }
}

/// The first parameter of this name that has a value.
fn first(challenge: &ChallengeRef<'_>, name: &str) -> Option<String> {
    let named = challenge.params.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.to_unescaped()).find(|value| !value.is_empty())
}
