fn found_by_every_single_fault() {
    use longshore_conformance::exhaustive::Stage;
    use longshore_conformance::exhaustive::kind;

    let stage = Stage::of("gar", "read once").unwrap();
    stage.check(6, &kind::named("twice").unwrap()).unwrap_or_else(|broken| panic!("{broken}"));
}
