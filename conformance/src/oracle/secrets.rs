//! Rules about secrets.

use http::Uri;
use http::header::AUTHORIZATION;
use longshore_memory::Said;

use super::{Verdict, ensure};
use crate::case::{Case, PASSWORD, USER};
use crate::run::Run;

/// I1 and I29: credentials are sent only to the registry's own origin, and are in no text that is shown.
pub(super) fn stay_where_they_belong(case: &Case, run: &Run) -> Verdict {
    if case.registry.auth.is_none() {
        return Ok(());
    }
    for entry in &run.simulation.transcript().entries {
        if let Said::Asked { head, .. } = &entry.what {
            let is_signed = head.headers.contains_key(AUTHORIZATION);
            ensure(!is_signed || is_home(&head.uri), || {
                format!("#{}: signed, and sent to {}", entry.request, head.uri)
            })?;
            let is_bare = head.uri.to_string().contains(PASSWORD);
            ensure(!is_bare, || format!("#{}: the password is in the URL", entry.request))?;
        }
    }
    let shown = format!("{}{:?}{:?}", run.simulation.transcript(), run.events, run.result);
    let encoded = base64(format!("{USER}:{PASSWORD}").as_bytes());
    ensure(!shown.contains(PASSWORD) && !shown.contains(&encoded), || "the password is shown".to_owned())
}

fn is_home(uri: &Uri) -> bool {
    let registry = Case::registry().origin();
    uri.scheme_str() == Some(registry.scheme().as_str()) && uri.authority().is_some_and(|a| *a == registry.authority())
}

/// Base64 of RFC 4648, section 4, without padding, which is sufficient for a search.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_rfc_without_padding() {
        for (text, encoded) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }
}
