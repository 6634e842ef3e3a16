fn found_by_a_property() {
    use longshore_conformance::{oracle, quirk::Outcome};

    let case = {
        use longshore_conformance::*;

        let mut case = Case::new(Plan { blobs: vec![BlobPlan { len: 0, fill: 0, sha512: false }], documents: vec![DocumentPlan { blobs: vec![0], children: vec![], docker: false, subject: Subject::None }], attached: 0 });
        case.tags = 0;
        case.client.ask_above = 0;
        case.client.in_flight = 1;
        case.registry.behaviour = serde_json::from_str(r##"{"commit":{"empty-blob-refused":500}}"##).unwrap();
        case.seed = 0;
        case
    };
    let mut run = case.run();
    let verdict = oracle::judge(&case, Outcome::Succeeds, &mut run);
    assert_eq!(verdict, Ok(()), "{}", run.simulation.transcript());
}
