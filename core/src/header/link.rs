//! `Link` (RFC 8288): the next page of a list. Other relations are ignored.

use http::HeaderMap;
use http::header::LINK;
use thiserror::Error;

use crate::Target;
use crate::target::TargetError;

/// The longest `Link` headers that are read, all of one answer together, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// Why the next page cannot be requested.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// More than 64 KiB of `Link` headers.
    #[error("its Link headers are longer than {MAX_LEN} bytes")]
    TooLong,
    /// The URL does not match the strict grammar.
    #[error("its Link to the next page cannot be used: {0}")]
    Target(#[from] TargetError),
    /// The page is at another origin (security invariant I22).
    #[error("its Link to the next page leads to another origin")]
    OtherOrigin,
}

/// The next page: the target of the first link whose `rel` is `next`. `from` is the target that answered, after
/// redirects.
///
/// A URL without `<` and `>` is accepted too ([quirk](crate::quirks) `tags-link-forms`). It is resolved with
/// [`Target::resolve`].
///
/// # Errors
/// If there is such a link and it is malformed or at another origin than `from`, or if the headers are too long.
pub fn next_link(headers: &HeaderMap, from: &Target) -> Result<Option<Target>, LinkError> {
    let values = || headers.get_all(LINK).iter();
    if values().map(http::HeaderValue::len).fold(0, usize::saturating_add) > MAX_LEN {
        return Err(LinkError::TooLong);
    }
    let Some(reference) = values().filter_map(|value| value.to_str().ok()).find_map(next_reference) else {
        return Ok(None);
    };
    let target = from.resolve(reference)?;
    if target.origin() == from.origin() { Ok(Some(target)) } else { Err(LinkError::OtherOrigin) }
}

/// The reference of the first `rel=next` in one header value.
fn next_reference(value: &str) -> Option<&str> {
    split_outside_quotes(value, ',').find_map(|link| {
        let (reference, parameters) = match link.trim_start_matches([' ', '\t']).strip_prefix('<') {
            Some(rest) => rest.split_once('>')?,
            None => {
                let link = link.trim_matches([' ', '\t']);
                link.find(';').and_then(|at| link.split_at_checked(at))?
            }
        };
        let is_next = split_outside_quotes(parameters, ';').any(is_rel_next);
        is_next.then(|| reference.trim_matches([' ', '\t']))
    })
}

/// Whether a parameter is `rel` with `next` among its relations.
fn is_rel_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let relations = value.trim_matches([' ', '\t']).trim_matches('"');
    name.trim_matches([' ', '\t']).eq_ignore_ascii_case("rel")
        && relations.split([' ', '\t']).any(|relation| relation.eq_ignore_ascii_case("next"))
}

/// Splits at every `separator` that is neither inside `<...>` nor inside `"..."`.
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut in_url, mut in_quotes, mut escaped) = (false, false, false);
    text.split(move |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' if !in_url => in_quotes = !in_quotes,
            '<' if !in_quotes => in_url = true,
            '>' if !in_quotes => in_url = false,
            _ => return c == separator && !in_url && !in_quotes,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, LinkError> {
        let from = Target::parse("https://reg.example/v2/a/tags/list?n=2").unwrap();
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(LINK, HeaderValue::from_str(value).unwrap());
        }
        next_link(&headers, &from).map(|next| next.map(|next| next.path_and_query().to_owned()))
    }

    #[test]
    fn forms_that_registries_send() {
        let next = "/v2/a/tags/list?n=2&last=b";
        let table: [(&[&str], Option<&str>); 24] = [
            (&[], None),
            (&[r#"</v2/a/tags/list?n=2&last=b>; rel="next""#], Some(next)),
            (&[r#"<https://reg.example/v2/a/tags/list?n=2&last=b>; rel="next""#], Some(next)),
            (&["</v2/a/tags/list?n=2&last=b>;rel=next"], Some(next)),
            (&["</v2/a/tags/list?n=2&last=b>;REL=\"Next\""], Some(next)),
            (&[r#"<list?n=2&last=b>; title="a;b,c\",<d>"; rel="prev next""#], Some(next)),
            (&["<?n=2&last=b>; rel=next"], Some(next)),
            (&[r"<?n=2&last=b>; x=\; rel=next"], Some(next)),
            (&[r#"<?n=2&last=b>; title="<"; rel=next"#], Some(next)),
            // Without brackets: Cloudflare.
            (&[r#"/v2/a/tags/list?n=2&last=b; rel="next""#], Some(next)),
            // An empty parameter: Azure.
            (&[r#"</v2/a/tags/list?last=b&n=2&orderby=>; rel="next""#], Some("/v2/a/tags/list?last=b&n=2&orderby=")),
            (&[r#"</first>; rel="first", </v2/a/tags/list?n=2&last=b>; rel="next""#], Some(next)),
            (&[r#"</first>; rel="first""#, r#"</v2/a/tags/list?n=2&last=b>; rel="next""#], Some(next)),
            (&[r#"</a,b>; rel="next""#], Some("/a,b")),
            (&[r#"</"a>; rel=prev, </b>; rel=next"#], Some("/b")),
            (&[r#"</a;b>; rel="next""#], Some("/a;b")),
            (&[r#"</x>; rel="prev""#], None),
            (&[r#"</x>; rel="nextish""#], None),
            (&[r#"</x>; title="rel=next""#], None),
            (&["</x>"], None),
            (&["/x"], None),
            (&["</x; rel=next"], None),
            (&[""], None),
            (&[r#"</x>; rel="prev"; x="</y>; rel=next""#], None),
        ];
        for (values, expected) in table {
            assert_eq!(read(values), Ok(expected.map(str::to_owned)), "{values:?}");
        }
    }

    #[test]
    fn i22_what_must_not_be_followed() {
        for other in ["https://evil.example/", "http://reg.example/", "https://reg.example:444/", "//169.254.169.254/"]
        {
            assert_eq!(read(&[&format!("<{other}>; rel=next")]), Err(LinkError::OtherOrigin), "{other}");
        }
        assert_eq!(read(&["<>; rel=next"]), Err(TargetError::Empty.into()));
        assert_eq!(read(&["<javascript:x>; rel=next"]), Err(TargetError::Scheme.into()));
        let pad = |len: usize| format!("</x>; rel=prev; x={}", "a".repeat(len - 18));
        assert_eq!(read(&[&pad(32 * 1024), &pad(32 * 1024)]), Ok(None));
        assert_eq!(read(&[&pad(32 * 1024), &pad(32 * 1024 + 1)]), Err(LinkError::TooLong));
    }
}
