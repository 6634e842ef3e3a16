//! Describes an error of the HTTP stack in one sentence.

use std::io;

use longshore_core::driver::NoAnswer;
use longshore_core::{Origin, Scheme};
use longshore_tls::certificate;
use ureq::{Error, Timeout};

/// Classifies an error by whether the request may have been applied, with the reason as a sentence.
pub(crate) fn no_answer(error: &Error, origin: &Origin) -> NoAnswer {
    let (host, authority) = (origin.host(), origin.authority());
    match error {
        Error::HostNotFound => NoAnswer::NotSent(format!("no address is known for {host}")),
        Error::ConnectionFailed => NoAnswer::NotSent(format!("no connection to {authority} was made")),
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            NoAnswer::NotSent(format!("no connection to {authority} was made in time"))
        }
        Error::ConnectProxyFailed(why) => {
            NoAnswer::NotSent(format!("the proxy does not connect to {authority}: {why}"))
        }
        Error::InvalidProxyUrl => {
            NoAnswer::Unsendable("the proxy that the environment names has no valid URL".to_owned())
        }
        Error::Http(error) => NoAnswer::Unsendable(error.to_string()),
        Error::BadUri(_) | Error::RequireHttpsOnly(_) => NoAnswer::Unsendable("it takes the URL for none".to_owned()),
        Error::Timeout(_) => NoAnswer::Lost(format!("{authority} was silent for too long")),
        Error::LargeResponseHeader(_, limit) => {
            NoAnswer::Lost(format!("the head of the answer has more than {limit} bytes"))
        }
        // This error is about the own configuration, before anything is connected: no CA is trusted.
        Error::Rustls(rustls::Error::General(_)) => NoAnswer::Untrusted(longshore_tls::NO_CA.to_owned()),
        Error::Rustls(error) => tls(error, &authority),
        // The standard library has no error kind for a failed look-up, only this beginning of the text.
        Error::Io(error) if error.to_string().starts_with("failed to lookup address") => {
            NoAnswer::NotSent(format!("no address is known for {host}: {error}"))
        }
        Error::Io(error) => io_error(error, &authority),
        // An answer that is not HTTP, such as a TLS server's answer to plain HTTP.
        other if origin.scheme() == Scheme::Http && other.to_string().contains("invalid HTTP version") => {
            NoAnswer::Untrusted(format!("{authority} does not answer in HTTP; if it serves HTTPS, connect with HTTPS"))
        }
        // ureq's text may contain a part of the peer's answer. The core escapes it for display.
        other => NoAnswer::Lost(format!("{authority}: {other}")),
    }
}

fn io_error(error: &io::Error, authority: &str) -> NoAnswer {
    let mut cause = error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static));
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<rustls::Error>() {
            return tls(error, authority);
        }
        cause = match inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => inner.source(),
        };
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            NoAnswer::NotSent(format!("connection refused: nothing listens at {authority}"))
        }
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::AddrNotAvailable => {
            NoAnswer::NotSent(format!("{authority}: {error}"))
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => NoAnswer::Lost(format!("{authority} closed the connection")),
        _ => NoAnswer::Lost(format!("{authority}: {error}")),
    }
}

/// Certificates are checked before anything is sent. Other TLS errors may come later.
fn tls(error: &rustls::Error, authority: &str) -> NoAnswer {
    match error {
        rustls::Error::InvalidCertificate(why) => {
            NoAnswer::Untrusted(format!("the certificate of {authority} is not trusted: {}", certificate(why)))
        }
        rustls::Error::InvalidMessage(_) => NoAnswer::Untrusted(format!(
            "{authority} does not speak TLS; if it serves plain HTTP, connect with plain HTTP"
        )),
        other => NoAnswer::Lost(format!("TLS with {authority} failed: {other}")),
    }
}
