//! Values that are written as one word.

use longshore_core::Reference;
use longshore_core::content::Platform;

/// A reference, as people type it.
pub(super) fn reference(text: &str) -> Result<Reference, String> {
    text.parse().map_err(|error: longshore_core::ReferenceError| error.to_string())
}

/// `os/architecture` or `os/architecture/variant`.
pub(super) fn platform(text: &str) -> Result<Platform, String> {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        [os, architecture] if !os.is_empty() && !architecture.is_empty() => Ok(Platform::new(*os, *architecture, None)),
        [os, architecture, variant] if parts.iter().all(|part| !part.is_empty()) => {
            Ok(Platform::new(*os, *architecture, Some((*variant).to_owned())))
        }
        _ => Err("a platform is written as os/architecture or os/architecture/variant, such as linux/arm64".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms() {
        for text in ["linux/amd64", "linux/arm/v7"] {
            assert_eq!(platform(text).unwrap().to_string(), text);
        }
        for text in ["", "linux", "linux/", "/amd64", "linux/arm/", "a/b/c/d"] {
            assert!(platform(text).is_err(), "{text}");
        }
    }
}
