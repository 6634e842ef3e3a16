//! Whether there is a registry, and whether it lets one in.

use bytes::Bytes;
use http::Response;
use longshore_core::auth::Scopes;
use longshore_core::driver::NoAnswer;

use super::client::RawClient;
use super::options::SuiteOptions;
use super::signer::{Courier, Signer, ping_of};

/// Asks the registry for `/v2/` (`end-1`) with the credentials of the options, and gives its last answer.
///
/// Where that is 401, the registry knows the credentials not, or wants some: nothing else can be found out about it.
///
/// # Errors
/// Why no answer came.
///
/// ```
/// use longshore_conformance::suite::{InMemory, SuiteOptions, ping};
/// use longshore_core::Target;
/// use longshore_mock_registry::{Registry, RegistryOptions};
///
/// let registry = InMemory::new(Registry::new(RegistryOptions::default()));
/// let origin = Target::parse("http://registry.example")?.origin().clone();
/// assert_eq!(ping(&registry, &SuiteOptions::new(origin, "conformance".parse()?)).unwrap().status(), 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ping(client: &dyn RawClient, options: &SuiteOptions) -> Result<Response<Bytes>, NoAnswer> {
    let signer = Signer::new(options);
    let mut courier = Courier { client, signer: &signer, record: &mut drop };
    courier.send_signed(&ping_of(&options.registry, options.time_limit), &Scopes::none())
}
