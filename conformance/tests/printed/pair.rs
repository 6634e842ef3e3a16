fn found_by_two_faults() {
    use longshore_conformance::exhaustive::Stage;
    use longshore_conformance::exhaustive::double::Pair;
    use longshore_memory::Fault;

    let stage = Stage::of("gar", "read once").unwrap();
    stage.check_pair(&Pair { requests: [1, 6], faults: [Fault::AnswerCut(0), Fault::Twice] }).unwrap_or_else(|broken| panic!("{broken}"));
}
