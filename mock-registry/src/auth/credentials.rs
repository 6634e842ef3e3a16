//! Names and passwords.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use longshore_core::{Algorithm, Digest};

/// Name and password, or a token, of a request.
pub(super) enum SentCredentials {
    Nothing,
    Basic(String, String),
    Bearer(String),
    /// Something else.
    Other,
}

impl SentCredentials {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(AUTHORIZATION) else { return Self::Nothing };
        let Some((scheme, rest)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
            return Self::Other;
        };
        let rest = rest.trim_matches(' ');
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Self::Bearer(rest.to_owned()),
            "basic" => {
                let decoded = STANDARD.decode(rest).or_else(|_| STANDARD_NO_PAD.decode(rest));
                let pair = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
                let pair = pair.as_ref().and_then(|pair| pair.split_once(':'));
                pair.map_or(Self::Other, |(name, password)| Self::Basic(name.to_owned(), password.to_owned()))
            }
            _ => Self::Other,
        }
    }
}

/// The hash of some texts, each with its length before it.
pub(super) fn hashed(texts: &[&str]) -> Digest {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    Digest::of(Algorithm::Sha256, &bytes)
}
