//! The example, run.

#[path = "../examples/hold_a_registry_to_the_spec.rs"]
#[expect(dead_code, reason = "a test calls what `main` calls")]
mod hold_a_registry_to_the_spec;

#[test]
fn a_registry_is_held_to_the_specification_and_probed() {
    let told = hold_a_registry_to_the_spec::told("distribution-2.8").unwrap();
    assert!(told.contains("distribution-2.8: a MUST is broken: true\n"), "{told}");
    assert!(told.contains("set.start.single-post = \"ignored\""), "{told}");
}
