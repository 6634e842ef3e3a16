//! Describes an error of the HTTP stack in one sentence.

use std::error::Error;
use std::io;

use longshore_core::driver::NoAnswer;
use longshore_core::{Origin, Scheme};
use longshore_tls::certificate;

/// hyper's text for an answer that is not HTTP, such as a TLS server's answer to plain HTTP.
const NO_HTTP: &str = "invalid HTTP version parsed";

/// Classifies an error by whether the request may have been applied, with the reason as a sentence.
pub(crate) fn no_answer(error: &reqwest::Error, origin: &Origin) -> NoAnswer {
    let why = reason(error, origin);
    if error.is_builder() {
        NoAnswer::Unsendable(why)
    } else if is_about_trust(error) {
        NoAnswer::Untrusted(why)
    } else if origin.scheme() == Scheme::Http && why.contains(NO_HTTP) {
        let authority = origin.authority();
        NoAnswer::Untrusted(format!("{authority} does not answer in HTTP; if it serves HTTPS, connect with HTTPS"))
    } else if error.is_connect() {
        NoAnswer::NotSent(why)
    } else {
        NoAnswer::Lost(why)
    }
}

/// Whether the server's certificate was not accepted. A retry would not help.
fn is_about_trust(error: &reqwest::Error) -> bool {
    let is =
        |tls: &rustls::Error| matches!(tls, rustls::Error::InvalidCertificate(_) | rustls::Error::InvalidMessage(_));
    error.is_connect() && causes(error).filter_map(|cause| cause.downcast_ref::<rustls::Error>()).any(is)
}

/// The root cause of an error, in words that say what to do if that is known.
pub(crate) fn reason(error: &reqwest::Error, origin: &Origin) -> String {
    let authority = origin.authority();
    for cause in causes(error) {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return tls_reason(tls, &authority);
        }
        let Some(io) = cause.downcast_ref::<io::Error>() else { continue };
        match io.kind() {
            io::ErrorKind::ConnectionRefused => {
                return format!("connection refused: nothing listens at {authority}{}", or_at_proxy(origin));
            }
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
                return format!("{authority} closed the connection");
            }
            _ if io.raw_os_error().is_some() => return format!("{authority}: {io}"),
            _ => {}
        }
    }
    if error.is_dns() {
        return format!("no address is known for {}: {}", origin.host(), bottom(error));
    }
    if error.is_timeout() && error.is_connect() {
        return format!("no connection to {authority} was made in time");
    }
    format!("{authority}: {}", chain(error))
}

/// The end of a sentence about a refused connection, which a proxy may have refused.
fn or_at_proxy(origin: &Origin) -> &'static str {
    let named = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"];
    let is_named = named.iter().any(|name| std::env::var_os(name).is_some_and(|proxy| !proxy.is_empty()));
    if is_named && !origin.host().is_loopback() { ", or at the proxy that the environment names" } else { "" }
}

fn tls_reason(error: &rustls::Error, authority: &str) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => {
            format!("the certificate of {authority} is not trusted: {}", certificate(why))
        }
        rustls::Error::InvalidMessage(_) => {
            format!("{authority} does not speak TLS; if it serves plain HTTP, connect with plain HTTP")
        }
        rustls::Error::AlertReceived(alert) => format!("{authority} refused the TLS connection: {alert:?}"),
        other => format!("TLS with {authority} failed: {other}"),
    }
}

/// The texts of an error and its causes, each once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes(error) {
        // A reqwest error prints its URL, which may contain a secret.
        let text = match cause.downcast_ref::<reqwest::Error>() {
            Some(_) => continue,
            None => cause.to_string(),
        };
        if !said.iter().any(|before| before.contains(&text)) {
            said.push(text);
        }
    }
    if said.is_empty() { "the HTTP stack does not say why".to_owned() } else { said.join(": ") }
}

fn bottom(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error and its causes. An I/O error hides the error that it wraps, because its `source` is the wrapped error's
/// source.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    })
}
