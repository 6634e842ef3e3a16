//! Secrets, in a text of any shape around them: they are never shown.

use std::fmt::Write as _;

use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use longshore_core::auth::{Challenges, TokenService};
use longshore_core::target::Policy;

use super::answers::{PASSWORD, basic, run};
use super::script::{Script, messages};
use super::token::answered;
use super::urls::base;

/// What must not be seen.
const SECRET: &str = "c4n4ry-c4n4ry";

/// What stands before a secret in the first line, and what follows it in the rest.
///
/// # Panics
/// Where the secret is shown (security invariant I29).
pub fn redaction(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (before, after) = text.split_once('\n').unwrap_or((&text, ""));
    // What is taken out below, or written small in a host's name, must not make a secret of what was none.
    let bare = text.replace(['?', '"', '\\', '\n', '\r'], "").to_ascii_lowercase();
    if [SECRET, PASSWORD].iter().any(|secret| text.contains(secret) || bare.contains(&secret.to_ascii_lowercase())) {
        return;
    }
    let query = if before.is_empty() { String::new() } else { format!("{before}&") };
    let url = format!("/u?{query}sig={SECRET}{after}");

    let mut shown = String::new();
    // Writing to a string cannot fail.
    match base().resolve(&url) {
        Ok(target) => _ = write!(shown, "{target} {target:?} {:?}", target.uri().map(|_| ())),
        Err(error) => _ = write!(shown, "{error} {error:?}"),
    }
    _ = write!(shown, "{}", of_a_realm(&format!("https://{}?sig={SECRET}{after}", before.replace('?', ""))));
    match answered(StatusCode::OK, format!("{before}{SECRET}{after}").as_bytes()) {
        Ok(token) => _ = write!(shown, "{token:?} {:?} {:?}", token.authorization(), token.refresh_token()),
        Err(error) => _ = write!(shown, "{error} {error:?}"),
    }
    shown.push_str(&of_a_push(&url));
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains(basic().trim_start_matches("Basic ")), "{shown}");
}

/// What is said of a token service at this URL.
fn of_a_realm(url: &str) -> String {
    let registry = base();
    let quoted = url.replace(['"', '\\'], "");
    let Ok(challenge) = HeaderValue::from_str(&format!("Bearer realm=\"{quoted}\"")) else { return String::new() };
    let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, challenge)]);
    let challenges = Challenges::of(registry.origin(), &registry, &headers).unwrap();
    let Some(bearer) = challenges.bearer() else { return String::new() };
    match TokenService::of(&Policy::default(), registry.origin(), &registry, bearer) {
        Ok(service) => format!("{:?}", service.realm()),
        Err(error) => format!("{error}"),
    }
}

/// All that is shown of a push which is let in, told to go on at this URL, and then refused.
fn of_a_push(url: &str) -> String {
    let script = format!("401\nwww-authenticate: Basic\n==\n202\nlocation: {}\n==\n403", url.replace(['\n', '\r'], ""));
    run(&["push".to_owned()], Script::new(messages(script.as_bytes())))
}
