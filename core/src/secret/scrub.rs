//! Taking secrets out of what others say.

use http::HeaderValue;
use zeroize::Zeroizing;

use super::Secret;
use crate::target::percent_encode;

/// Shorter secrets cannot be told from words, and what a registry says must stay what it says.
const SHORTEST: usize = 8;

/// The text without the secrets, in the forms that they take; `None` where there is none in it.
pub(super) fn text(text: &str, secrets: &[Secret]) -> Option<String> {
    let forms = secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SHORTEST).flat_map(|secret| {
        // As it is, as JSON may write it, and as a URL does.
        [secret.to_owned(), secret.replace('/', "\\/"), percent_encode(secret)].map(Zeroizing::new)
    });
    let scrub = |text: String, form: Zeroizing<String>| {
        if text.contains(form.as_str()) { text.replace(form.as_str(), "***") } else { text }
    };
    let scrubbed = forms.fold(text.to_owned(), scrub);
    (scrubbed != text).then_some(scrubbed)
}

/// The same for the value of a header.
pub(super) fn header(value: &HeaderValue, secrets: &[Secret]) -> HeaderValue {
    let scrubbed = text(&String::from_utf8_lossy(value.as_bytes()), secrets);
    scrubbed.and_then(|text| HeaderValue::from_str(&text).ok()).unwrap_or_else(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(text: &str, secrets: &[&str]) -> Option<String> {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
        super::text(text, &secrets)
    }

    #[test]
    fn i29_a_secret_is_taken_out_in_all_its_forms() {
        let secret = "CANARY/of+eight==";
        for form in [secret, "CANARY\\/of+eight==", "CANARY%2Fof%2Beight%3D%3D"] {
            assert_eq!(scrubbed(&format!("a {form}, {form}b"), &[secret]).unwrap(), "a ***, ***b");
        }
        assert_eq!(scrubbed("nothing of it", &[secret]), None);
        assert_eq!(scrubbed("one and another", &["one", "two"]), None);
        assert_eq!(scrubbed("long-one, long-two", &["long-two", "long-one"]).unwrap(), "***, ***");
    }

    #[test]
    fn i29_a_header_with_bytes_beyond_ascii_keeps_no_secret() {
        let value = HeaderValue::from_bytes(b"CANARY-token \xff").unwrap();
        let scrubbed = header(&value, &[Secret::new("CANARY-token".to_owned())]);
        assert!(!String::from_utf8_lossy(scrubbed.as_bytes()).contains("CANARY"));
    }
}
