//! I29: a registry that repeats what it was sent, in every place that is shown. Each run looks for secrets in all that is told.

use bytes::Bytes;
use http::Response;

use crate::drive::{PASSWORD, Seen};
use crate::world::{BEARER, Rule, World, push, respond};

/// What it was sent, in a text, in JSON, in a header; and what a proxy makes of it.
fn said(seen: &Seen) -> String {
    let sent = &seen.authorization;
    let password = if sent.starts_with("Basic") { PASSWORD } else { "" };
    let (escaped, encoded) =
        (sent.replace('/', "\\/"), sent.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
    format!(r#"{{"errors":[{{"code":"DENIED","message":"{sent} {escaped} {password}","detail":"{encoded}"}}]}}"#)
}

fn echo(seen: &Seen, status: u16) -> Option<Response<Bytes>> {
    let is_ours = !seen.is_for_token() && !seen.authorization.is_empty();
    let warning = format!("299 - \"you sent {}\"", seen.authorization);
    let challenge = format!("Bearer realm=\"/token\",error=\"{0}\", X-{0}", seen.authorization.replace(' ', "-"));
    let headers =
        [("warning", warning.as_str()), ("warning", "299 - \"more\""), ("www-authenticate", challenge.as_str())];
    is_ours.then(|| respond(status, &headers, &said(seen)))
}

#[test]
fn i29_what_a_registry_repeats_is_not_shown() {
    for challenge in [BEARER, "Basic"] {
        let rules: [Rule; 3] = [|seen, _| echo(seen, 400), |seen, _| echo(seen, 401), |seen, _| echo(seen, 403)];
        for rule in rules {
            let outcome = push(World { challenge, rule, ..World::default() });
            assert!(outcome.failure().contains('…'), "{}", outcome.failure());
            assert!(outcome.told.contains("you sent") && outcome.told.contains("more"), "{}", outcome.told);
        }
        let outcome = push(World { challenge, rule: |seen, _| echo(seen, 500), ..World::default() });
        assert!(outcome.failure().contains('…'), "{}", outcome.failure());
    }
}
