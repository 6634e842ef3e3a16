//! A registry is held to the specification, and asked what it does otherwise. Here it is the mock registry in memory; any other
//! takes a [`RawClient`](longshore_conformance::suite::RawClient) of one's own, or `longshore conformance URL`:
//! `cargo run -p longshore-conformance --example hold_a_registry_to_the_spec -- quay`

use std::error::Error;

use longshore_conformance::suite::{InMemory, Suite, SuiteOptions, probe};
use longshore_core::{Repository, Target};
use longshore_mock_registry::Registry;
use longshore_mock_registry::profile::Profile;

fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "quay".to_owned());
    print!("{}", told(&name)?);
    Ok(())
}

/// Every requirement that a MUST of the specification makes and that it does not fulfil, and then its profile.
pub(crate) fn told(name: &str) -> Result<String, Box<dyn Error>> {
    let registry =
        || -> Result<InMemory, Box<dyn Error>> { Ok(InMemory::new(Registry::new(Profile::named(name)?.options()))) };
    let origin = Target::parse("http://registry.example")?.origin().clone();
    let repository: Repository = "conformance".parse()?;
    let options = || SuiteOptions::new(origin.clone(), repository.clone());

    let client = registry()?;
    let report = Suite::new(&client, options()).run();
    let mut told = format!("{name}: a MUST is broken: {}\n", report.breaks_a_must());
    let client = registry()?;
    told += &probe(&client, &options()).profile(name);
    Ok(told)
}
