//! The methods that a resource has.

use http::header::ALLOW;
use http::{Method, StatusCode};

use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::{ParsedRequest, row};
use crate::route::{Query, Route};

/// The methods that a registry knows, in the order in which `Allow` names them.
const METHODS: [Method; 6] = [Method::DELETE, Method::GET, Method::HEAD, Method::PATCH, Method::POST, Method::PUT];

impl Registry {
    /// Whether this resource has this method.
    pub(crate) fn has_method(&self, method: &Method, route: &Route, query: &Query) -> bool {
        let behaviour = &self.options.behaviour;
        match (route, method) {
            (Route::Token, _) => matches!(*method, Method::GET | Method::POST),
            (Route::Catalog, _) => matches!(*method, Method::GET | Method::HEAD),
            (Route::Upload(..), &Method::HEAD) => behaviour.status.head,
            (Route::Manifest(..), &Method::HEAD) => behaviour.read.manifest_head,
            _ => row(method, route, query).is_some(),
        }
    }

    /// The refusal of a method that this resource does not have, with those that it has (RFC 9110, section 15.5.6).
    pub(crate) fn method_refused(&self, request: &ParsedRequest) -> Refusal {
        let has = |method: &&Method| self.has_method(method, &request.route, &request.query);
        let allowed: Vec<&str> = METHODS.iter().filter(has).map(Method::as_str).collect();
        let message = format!("{} is not allowed here", request.method);
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported, message);
        refusal.header(ALLOW, allowed.join(", "))
    }
}
