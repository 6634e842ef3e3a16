//! Runs of the suite.

use longshore_conformance::suite::{InMemory, Suite, SuiteOptions, Version};
use longshore_core::Target;
use longshore_mock_registry::report::{CheckStatus, Report};
use longshore_mock_registry::{Registry, RegistryOptions};

/// Everything, one after another.
pub(crate) fn options() -> SuiteOptions {
    let origin = Target::parse("http://registry.example").unwrap().origin().clone();
    let mut options = SuiteOptions::new(origin, "conformance".parse().unwrap());
    options.version = Version::V1_2;
    options.parallel = 1;
    options
}

/// A run against a registry that is set up like this; gives the registry as it is afterwards too.
pub(crate) fn run(registry: RegistryOptions, options: SuiteOptions) -> (Report, Registry) {
    let registry = InMemory::new(Registry::new(registry));
    let report = Suite::new(&registry, options).run();
    (report, registry.into_registry())
}

/// The checks with this status, a line each.
pub(crate) fn lines(report: &Report, status: CheckStatus) -> Vec<String> {
    let checks = report.checks.iter().filter(|check| check.status == status);
    checks.map(|check| format!("{}: {:?} {:?}", check.id, check.reason, check.evidence)).collect()
}
