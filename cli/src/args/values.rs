//! Values that are written as one word.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use longshore_core::content::Platform;
use longshore_core::{Origin, Reference, Target};
use longshore_mock_registry::fault::{FaultError, Faults};

/// Parses a word that may hold a user name and a password by mistake, and does not repeat these if it is refused.
#[derive(Clone, Copy)]
pub(super) struct Discreet<T>(pub(super) fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Discreet<T> {
    type Value = T;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&clap::Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let text = value.to_string_lossy();
        let shown = without_user(&text);
        if shown == text {
            return self.0.parse_ref(command, arg, value);
        }
        let arg = arg.map(ToString::to_string).unwrap_or_default();
        let refused = |why| format!("invalid value '{shown}' for '{arg}': {why}\n");
        self.0(&text).map_err(|why| clap::Error::raw(ErrorKind::ValueValidation, refused(why)).with_cmd(command))
    }
}

/// The text with dots in the place of `user:password` before a host. What is before the `@` of a digest stays: no slash
/// follows a digest.
pub(super) fn without_user(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, _)| text.split_at(scheme.len() + 3));
    match rest.rsplit_once('@') {
        Some((_, host)) if !scheme.is_empty() || host.contains('/') => format!("{scheme}…@{host}"),
        _ => text.to_owned(),
    }
}

/// A reference, as people type it.
pub(super) fn reference(text: &str) -> Result<Reference, String> {
    text.parse().map_err(|error: longshore_core::ReferenceError| error.to_string())
}

/// What to push. `-`, `-:name` and `-@digest` are standard input; whatever else begins with a dash was meant as an option.
pub(super) fn source(text: &str) -> Result<String, String> {
    match text.strip_prefix('-') {
        Some(rest) if !(rest.is_empty() || rest.starts_with([':', '@'])) => {
            Err(format!("there is no such option; a file of that name is written ./{text}"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// `scheme://host` or `scheme://host:port`.
pub(super) fn origin(text: &str) -> Result<Origin, String> {
    match Target::parse(text) {
        Ok(target) if matches!(target.path_and_query(), "" | "/") => Ok(target.origin().clone()),
        Ok(_) => Err("an origin has no path: leave out what follows after the host and the port".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// `os/architecture[/variant][:os.version][+feature]...`.
pub(super) fn platform(text: &str) -> Result<Platform, String> {
    const HOW: &str = "a platform is written as os/architecture, with a variant, a version of the system and features where they \
        matter: linux/arm64, linux/arm/v7, windows/amd64:10.0.20348, windows/amd64:10.0.20348+win32k";
    let mut features = text.split('+');
    let rest = features.next().unwrap_or_default();
    let (machine, version) = rest.split_once(':').map_or((rest, None), |(machine, version)| (machine, Some(version)));
    let parts: Vec<&str> = machine.split('/').collect();
    let (os, architecture, variant) = match parts.as_slice() {
        [os, architecture] => (*os, *architecture, None),
        [os, architecture, variant] => (*os, *architecture, Some((*variant).to_owned())),
        _ => return Err(HOW.to_owned()),
    };
    let mut platform = Platform::new(os, architecture, variant);
    platform.os_version = version.map(str::to_owned);
    platform.os_features = features.map(str::to_owned).collect();
    let said = parts.iter().copied().chain(version).chain(platform.os_features.iter().map(String::as_str));
    if said.into_iter().any(str::is_empty) { Err(HOW.to_owned()) } else { Ok(platform) }
}

/// `key=value`.
pub(super) fn annotation(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("an annotation is written as key=value".to_owned()),
    }
}

/// A number of bytes, or of KiB, MiB or GiB if K, M or G follows. At least 1 byte.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 1 << 10),
        Some((at, 'M' | 'm')) => (&text[..at], 1 << 20),
        Some((at, 'G' | 'g')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let size = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|size| *size > 0);
    size.ok_or_else(|| "a size is a number of bytes, or of KiB, MiB or GiB if K, M or G follows: 8M".to_owned())
}

/// What goes wrong: at least one rule.
pub(super) fn faults(text: &str) -> Result<Faults, String> {
    let faults: Faults = text.parse().map_err(|error: FaultError| error.to_string())?;
    if faults.rules.is_empty() {
        Err("there is no rule: write one, such as 'PATCH#2: answer-lost'".to_owned())
    } else {
        Ok(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_dash_is_standard_input_or_no_source() {
        for text in ["-", "-:v1", "-@sha256:0", "a", "./-x"] {
            assert_eq!(source(text).as_deref(), Ok(text));
        }
        for text in ["--platfrom", "-x", "--"] {
            assert!(source(text).unwrap_err().contains("no such option"), "{text}");
        }
    }

    #[test]
    fn no_password_in_a_word_is_shown() {
        for (text, shown) in [
            ("http://u:CANARY@host", "http://…@host"),
            ("http://u:CAN/ARY@host/a:v1", "http://…@host/a:v1"),
            ("u:CANARY@host:5000/a:v1", "…@host:5000/a:v1"),
            ("host/a:v1@sha256:0", "host/a:v1@sha256:0"),
            ("https://host/a", "https://host/a"),
        ] {
            assert_eq!(without_user(text), shown);
        }
    }

    #[test]
    fn origins() {
        assert_eq!(origin("https://a.example:443").unwrap().to_string(), "https://a.example");
        assert_eq!(origin("http://10.0.0.1:9000/").unwrap().to_string(), "http://10.0.0.1:9000");
        for text in
            ["a.example", "https://a.example/x", "https://a.example?x", "ftp://a.example", "https://u@a.example"]
        {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_and_annotations() {
        for (text, bytes) in [("1", 1), ("8M", 8 << 20), ("64k", 64 << 10), ("1G", 1 << 30)] {
            assert_eq!(size(text), Ok(bytes));
        }
        for text in ["", "0", "M", "8MB", "-1", "1.5M", "99999999999G", "8µ"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(annotation("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(annotation("a").is_err() && annotation("=b").is_err());
    }

    #[test]
    fn platforms() {
        for text in [
            "linux/amd64",
            "linux/arm/v7",
            "windows/amd64:10.0.20348",
            "windows/amd64:10.0.20348.2031+win32k",
            "linux/amd64/v3+sse4+avx",
        ] {
            assert_eq!(platform(text).unwrap().to_string(), text);
        }
        for text in ["", "linux", "linux/", "/amd64", "linux/arm/", "a/b/c/d", "a/b:", "a/b+", "a/b:1+", "a:1/b"] {
            assert!(platform(text).is_err(), "{text}");
        }
    }
}
