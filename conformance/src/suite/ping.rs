//! Whether there is a registry, and whether it accepts the credentials.

use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Method, Response, StatusCode};
use longshore_core::Target;
use longshore_core::auth::{Scope, Scopes};
use longshore_core::driver::NoAnswer;

use super::client::{RawBody, RawClient, RawRequest};
use super::options::SuiteOptions;
use super::signer::{Courier, Signer};

/// How many bytes of an answer are read.
const MAX_ANSWER_LEN: usize = 64 * 1024;

/// Requests `/v2/` (`end-1`) and, if that is not refused, an upload in the repository (`end-4a`), which it cancels
/// (`end-14`). Both have the credentials of the options. Returns the last answer before the cancellation.
///
/// If its status is 401, the registry refuses the credentials, or requires some. Then nothing else can be found out about it.
///
/// # Errors
/// The reason why no answer came.
///
/// ```
/// use longshore_conformance::suite::{InMemory, SuiteOptions, ping};
/// use longshore_core::Target;
/// use longshore_mock_registry::{Registry, RegistryOptions};
///
/// let registry = InMemory::new(Registry::new(RegistryOptions::default()));
/// let origin = Target::parse("http://registry.example")?.origin().clone();
/// assert_eq!(ping(&registry, &SuiteOptions::new(origin, "conformance".parse()?)).unwrap().status(), 202);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ping(client: &dyn RawClient, options: &SuiteOptions) -> Result<Response<Bytes>, NoAnswer> {
    let signer = Signer::new(options);
    let mut courier = Courier { client, signer: &signer, record: &mut drop };
    let registry = &options.registry;
    let root = Target::new(registry.clone(), "/v2/").expect("it is a path");
    let answer = courier.send_signed(&request(Method::GET, root, options.time_limit), &Scopes::none())?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        return Ok(answer);
    }
    let scopes = Scopes::one(Scope::push(options.repository.clone()));
    let uploads = format!("/v2/{}/blobs/uploads/", options.repository);
    let uploads = Target::new(registry.clone(), &uploads).expect("a repository's name is a path");
    let answer = courier.send_signed(&request(Method::POST, uploads.clone(), options.time_limit), &scopes)?;
    let location = answer.headers().get(LOCATION).filter(|_| answer.status() == StatusCode::ACCEPTED);
    let upload = location.and_then(|location| uploads.resolve(location.to_str().ok()?).ok());
    if let Some(upload) = upload.filter(|upload| upload.origin() == registry) {
        // Some registries cannot cancel an upload: it stays open until it expires.
        drop(courier.send_signed(&request(Method::DELETE, upload, options.time_limit), &scopes));
    }
    Ok(answer)
}

fn request(method: Method, target: Target, time_limit: Duration) -> RawRequest {
    let (headers, body) = (HeaderMap::new(), RawBody::Sized(Bytes::new()));
    RawRequest { method, target, headers, body, time_limit, body_limit: MAX_ANSWER_LEN }
}
