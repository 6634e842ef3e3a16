//! Describes what is wrong with a certificate.

use rustls::CertificateError;

/// The error on a machine without any trusted CA.
pub const NO_CA: &str = "no CA is trusted on this machine: install the system's CA certificates, or name one";

/// Describes what is wrong with a certificate, with what to do if that is known.
#[must_use]
pub fn certificate(error: &CertificateError) -> String {
    let words = match error {
        CertificateError::UnknownIssuer => "no CA that is trusted here issued it",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet, by this machine's clock"
        }
        CertificateError::NotValidForNameContext { presented, .. } => return for_other_names(presented),
        CertificateError::NotValidForName => "it is for another name",
        CertificateError::BadEncoding => "it cannot be read as a certificate",
        // Another CA has the name of its issuer: machines with a self-made certificate often trust one named
        // `localhost`.
        CertificateError::BadSignature => "no CA that is trusted here signed it, though one has the name of its issuer",
        CertificateError::Revoked => "it was revoked",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it says that it is not for servers"
        }
        CertificateError::UnhandledCriticalExtension => "it demands a check that is not known here",
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed in a way that is not trusted any more, or not known here"
        }
        CertificateError::ApplicationVerificationFailure => "the system does not trust it",
        CertificateError::Other(other) => return of_chain(&other.to_string()),
        other => return of_chain(&other.to_string()),
    };
    words.to_owned()
}

fn for_other_names(presented: &[String]) -> String {
    // The names come from the server. The core escapes them for display.
    match presented {
        [] => "it is for no name at all: a server needs its name among the subject alternative names".to_owned(),
        names => format!(
            "it is for another name: {}",
            names.iter().take(5).map(|name| bare(name)).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// `DnsName("a.example")`, as webpki writes it, is `a.example`.
fn bare(name: &str) -> &str {
    match name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")")) {
        Some(bare) => bare,
        None => name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name),
    }
}

/// Translates webpki's own names of errors.
fn of_chain(text: &str) -> String {
    let known = match text {
        "CaUsedAsEndEntity" => {
            "it is a CA's own, and is not trusted to serve: name exactly this certificate as trusted"
        }
        // The system verifier's text for a wrong extended key usage.
        "certificate had invalid extensions" => "it says that it is not for servers",
        "EndEntityUsedAsCa" => "it was issued by a certificate that is no CA's",
        "PathLenConstraintViolated" => "more CAs stand between it and one that is trusted than that one allows",
        "NameConstraintViolation" => "the CA that issued it may not do so for this name",
        "UnsupportedCertVersion" => "it is of an old version, which has no names of servers",
        "InvalidCertValidity" => "it ends before it begins",
        "MaximumPathBuildCallsExceeded" | "MaximumPathDepthExceeded" | "MaximumSignatureChecksExceeded" => {
            "too many certificates come with it"
        }
        other => return spelled(other),
    };
    known.to_owned()
}

/// Writes a name such as `UnknownThing` as words: `unknown thing`. Other texts stay as they are.
fn spelled(text: &str) -> String {
    if !text.chars().all(|character| character.is_ascii_alphanumeric()) {
        return text.to_owned();
    }
    let mut words = String::new();
    for character in text.chars() {
        if character.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words() {
        let other = |text: &'static str| {
            CertificateError::Other(rustls::OtherError(std::sync::Arc::new(std::io::Error::other(text))))
        };
        assert!(certificate(&other("CaUsedAsEndEntity")).starts_with("it is a CA's own"));
        assert_eq!(certificate(&other("EmptyEkuExtension")), "empty eku extension");
        assert_eq!(certificate(&other("certificate had invalid extensions")), "it says that it is not for servers");
        let signature = certificate(&CertificateError::BadSignature);
        assert!(signature.starts_with("no CA that is trusted here signed it"), "{signature}");
        assert_eq!(certificate(&other("something went wrong")), "something went wrong");
        assert_eq!(bare("DnsName(\"a.example\")"), "a.example");
        assert_eq!(bare("IpAddress(127.0.0.1)"), "127.0.0.1");
        assert_eq!(bare("a.example"), "a.example");
    }
}
