fn found_by_a_swarm() {
    use longshore_conformance::exhaustive::Stage;

    let stage = Stage::of("gar", "read once").unwrap();
    stage.check_swarm(163).unwrap_or_else(|broken| panic!("{broken}"));
}
