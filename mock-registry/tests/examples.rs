//! The example that needs no network, run.

#[path = "../examples/fixture.rs"]
mod fixture;

#[test]
fn a_client_is_tested_against_the_pure_registry() {
    fixture::main().unwrap();
}
