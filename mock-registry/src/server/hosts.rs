//! The host names that a server accepts. A web page must not reach the registry of a developer through the browser,
//! neither by a cross-origin request nor by DNS rebinding.

use http::request::Parts;
use http::{HeaderValue, StatusCode, Version, header};
use longshore_core::Origin;

/// The host names and origins that a server accepts.
#[derive(Debug, Clone, Default)]
pub(super) struct Hosts {
    /// The origins of this server, as `scheme://host:port`.
    pub(super) origins: Vec<Origin>,
    /// Other host names that are accepted, with any port.
    pub(super) names: Vec<String>,
    /// Whether only these names are accepted, because the server is for clients on the same machine only.
    pub(super) only_these: bool,
    /// Whether requests from web pages of other origins are accepted.
    pub(super) cross_origin: bool,
}

/// A request that is refused before the registry sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turned {
    pub(super) status: StatusCode,
    pub(super) why: &'static str,
}

const NO_HOST: Turned =
    Turned { status: StatusCode::BAD_REQUEST, why: "a request has one Host header (RFC 9112, section 3.2)" };
const OTHER_HOST: Turned = Turned {
    status: StatusCode::MISDIRECTED_REQUEST,
    why: "this Host is no name of this server, which only this machine may reach: --allow-host NAME lets it in",
};
const OTHER_SITE: Turned = Turned {
    status: StatusCode::FORBIDDEN,
    why: "a page of another site sends this (Origin): --allow-cross-origin lets it in",
};

impl Hosts {
    /// Checks that a request names this server as its host and does not come from a web page of another origin.
    pub(super) fn check(&self, head: &Parts) -> Result<(), Turned> {
        let mut hosts = head.headers.get_all(header::HOST).iter();
        let given = match (hosts.next(), hosts.next(), head.version) {
            (Some(host), None, _) => Some(host.to_str().unwrap_or_default()),
            (None, _, Version::HTTP_2 | Version::HTTP_10) => None,
            _ => return Err(NO_HOST),
        };
        // A target in absolute form, which HTTP/2 always has, takes precedence over Host (RFC 9112, section 3.2.2).
        let named = head.uri.authority().map(http::uri::Authority::as_str).or(given);
        // HTTP/1.0 does not require a host.
        let host = named.unwrap_or_default();
        if self.only_these && named.is_some() && !self.is_ours(host) {
            return Err(OTHER_HOST);
        }
        match head.headers.get(header::ORIGIN) {
            Some(origin) if !self.cross_origin && !self.is_own_page(origin, host) => Err(OTHER_SITE),
            _ => Ok(()),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        self.origins.iter().any(|origin| origin.authority().eq_ignore_ascii_case(host))
            || self.names.iter().any(|known| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(host))
    }

    /// Whether this is the origin of a page from the server itself.
    fn is_own_page(&self, origin: &HeaderValue, host: &str) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
        authority.eq_ignore_ascii_case(host) && (!self.only_these || self.is_ours(authority))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(hosts: &Hosts, headers: &[(&str, &str)]) -> Result<(), u16> {
        let request = headers.iter().fold(Request::get("/v2/"), |request, (name, value)| request.header(*name, *value));
        hosts.check(&request.body(()).unwrap().into_parts().0).map_err(|turned| turned.status.as_u16())
    }

    /// A client of HTTP/1 may write the whole URL into the request line.
    #[test]
    fn the_authority_of_a_target_stands_above_the_host_header() {
        let own = Origin::new(longshore_core::Scheme::Http, "localhost".parse().unwrap(), Some(5000));
        let hosts = Hosts { origins: vec![own], only_these: true, ..Hosts::default() };
        let status = |target: &str, version: Version, headers: &[(&str, &str)]| {
            let request = Request::get(target).version(version);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            hosts.check(&request.body(()).unwrap().into_parts().0).map_err(|turned| turned.status.as_u16())
        };
        let (ours, theirs) = ("http://localhost:5000/v2/", "http://evil.test:5000/v2/");
        for host in ["localhost:5000", "evil.test:5000"] {
            assert_eq!(status(ours, Version::HTTP_11, &[("host", host)]), Ok(()));
            assert_eq!(status(theirs, Version::HTTP_11, &[("host", host)]), Err(421));
        }
        assert_eq!(status("http://me@localhost:5000/v2/", Version::HTTP_11, &[("host", "localhost:5000")]), Err(421));
        assert_eq!(status(ours, Version::HTTP_11, &[]), Err(400));
        assert_eq!(status(ours, Version::HTTP_2, &[]), Ok(()));
        assert_eq!(status(theirs, Version::HTTP_2, &[]), Err(421));
        assert_eq!(status("/v2/", Version::HTTP_10, &[]), Ok(()));
        assert_eq!(status("/v2/", Version::HTTP_10, &[("origin", "http://evil.test")]), Err(403));
    }

    #[test]
    fn only_own_names_and_own_pages_are_let_in() {
        let own = ["localhost", "127.0.0.1", "[::1]"].map(|host| host.parse().unwrap());
        let origins = own.map(|host| Origin::new(longshore_core::Scheme::Http, host, Some(5000))).to_vec();
        let mut hosts =
            Hosts { origins, names: vec!["host.docker.internal".to_owned()], only_these: true, cross_origin: false };
        for own in ["localhost:5000", "LOCALHOST:5000", "127.0.0.1:5000", "[::1]:5000", "host.docker.internal:5000"] {
            assert_eq!(check(&hosts, &[("host", own)]), Ok(()), "{own}");
            assert_eq!(check(&hosts, &[("host", own), ("origin", &format!("http://{own}"))]), Ok(()), "{own}");
            assert_eq!(check(&hosts, &[("host", own), ("origin", "http://evil.test")]), Err(403));
            assert_eq!(check(&hosts, &[("host", own), ("origin", "null")]), Err(403));
        }
        for other in ["evil.test:5000", "localhost", "localhost:5001", "127.0.0.1.evil.test:5000", ""] {
            assert_eq!(check(&hosts, &[("host", other)]), Err(421), "{other}");
        }
        assert_eq!(check(&hosts, &[]), Err(400));
        assert_eq!(check(&hosts, &[("host", "localhost:5000"), ("host", "localhost:5000")]), Err(400));
        hosts.only_these = false;
        assert_eq!(check(&hosts, &[("host", "registry.test")]), Ok(()));
        assert_eq!(check(&hosts, &[("host", "registry.test"), ("origin", "http://evil.test")]), Err(403));
        hosts.cross_origin = true;
        assert_eq!(check(&hosts, &[("host", "registry.test"), ("origin", "http://evil.test")]), Ok(()));
    }
}
