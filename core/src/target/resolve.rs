//! URL parsing: the part of RFC 3986 that a registry may use.

use std::fmt::Write as _;

use super::{Host, Origin, Scheme, Target, TargetError};

/// The longest URL reference that is read, in bytes.
pub const MAX_REFERENCE_LEN: usize = 8192;

/// Resolves a reference against a base (RFC 3986, section 5.2.2). Nothing is normalised.
pub(super) fn resolve(base: &Target, reference: &str) -> Result<Target, TargetError> {
    let reference = trimmed(reference)?;
    if has_scheme(reference) {
        return absolute(reference);
    }
    if let Some(rest) = reference.strip_prefix("//") {
        return with_authority(base.origin.scheme, rest);
    }
    let path_and_query = if reference.starts_with('/') {
        reference.to_owned()
    } else if reference.starts_with('?') {
        format!("{}{reference}", base.path())
    } else {
        // A path relative to the base's last slash. RFC 3986 removes dot segments here; they are refused instead.
        let (directory, _) = base.path().rsplit_once('/').unwrap_or(("", ""));
        format!("{directory}/{reference}")
    };
    Target::new(base.origin.clone(), path_and_query)
}

/// Parses an absolute URL.
pub(super) fn absolute(url: &str) -> Result<Target, TargetError> {
    let url = trimmed(url)?;
    let (scheme, rest) = url.split_once(':').ok_or(TargetError::Scheme)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(TargetError::Scheme),
    };
    with_authority(scheme, rest.strip_prefix("//").ok_or(TargetError::NoHost)?)
}

/// `authority[path][?query]`.
fn with_authority(scheme: Scheme, rest: &str) -> Result<Target, TargetError> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path_and_query) = rest.split_at_checked(end).ok_or(TargetError::Character)?;
    if authority.contains('@') {
        return Err(TargetError::UserInfo);
    }
    let (host, port) = split_port(authority)?;
    if host.is_empty() {
        return Err(TargetError::NoHost);
    }
    let host: Host = host.parse()?;
    let slash = if path_and_query.starts_with('/') { "" } else { "/" };
    Target::new(Origin::new(scheme, host, port), format!("{slash}{path_and_query}"))
}

/// Splits `host[:port]`; the brackets of an IPv6 address stay with the host.
pub(crate) fn split_port(authority: &str) -> Result<(&str, Option<u16>), TargetError> {
    let Some((host, port)) = authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) else {
        return Ok((authority, None));
    };
    // `parse` alone would accept a sign.
    if port.is_empty() || port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(TargetError::Port);
    }
    match port.parse() {
        Ok(0) | Err(_) => Err(TargetError::Port),
        Ok(port) => Ok((host, Some(port))),
    }
}

/// The reference without its fragment, its length checked.
fn trimmed(reference: &str) -> Result<&str, TargetError> {
    if reference.len() > MAX_REFERENCE_LEN {
        return Err(TargetError::TooLong);
    }
    let reference = reference.split_once('#').map_or(reference, |(before, _)| before);
    if reference.is_empty() { Err(TargetError::Empty) } else { Ok(reference) }
}

/// Whether the reference begins with `scheme:` (RFC 3986, section 3.1).
fn has_scheme(reference: &str) -> bool {
    let end = reference.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
    end.and_then(|end| reference.split_at_checked(end))
        .is_some_and(|(scheme, rest)| rest.starts_with(':') && scheme.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Checks that HTTP stacks send these bytes unchanged.
pub(super) fn check_path_and_query(path_and_query: &str) -> Result<(), TargetError> {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    if !path.starts_with('/') || !holds_only(path, b"/:@") || !holds_only(query, b"/:@?") {
        return Err(TargetError::Character);
    }
    if path.starts_with("//") {
        return Err(TargetError::DoubleSlash);
    }
    if path.split('/').any(is_dot_segment) {
        return Err(TargetError::DotSegment);
    }
    Ok(())
}

/// Whether a text has only RFC 3986's `unreserved / pct-encoded / sub-delims` and the bytes in `also`, without `'`,
/// which some stacks encode in a query.
fn holds_only(text: &str, also: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let allowed = match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()];
                digits.iter().all(|digit| digit.is_some_and(|d| d.is_ascii_hexdigit()))
            }
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => true,
            _ => byte.is_ascii_alphanumeric() || also.contains(&byte),
        };
        if !allowed {
            return false;
        }
    }
    true
}

fn is_dot_segment(segment: &str) -> bool {
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    plain == "." || plain == ".."
}

/// Encodes everything but RFC 3986's unreserved characters as `%XX`.
pub(crate) fn percent_encode(value: &str) -> String {
    // The string is never reallocated: the value may be a secret, and the memory that a reallocation frees is not
    // overwritten.
    let mut out = String::with_capacity(value.len().saturating_mul(3));
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
