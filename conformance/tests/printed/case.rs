{
    use longshore_conformance::*;
    use longshore_memory::*;

    let mut case = Case::new(Plan { blobs: vec![BlobPlan { len: 0, fill: 0, sha512: false }, BlobPlan { len: 70, fill: 3, sha512: true }], documents: vec![DocumentPlan { blobs: vec![0, 1], children: vec![], docker: false, subject: Subject::Absent }, DocumentPlan { blobs: vec![1], children: vec![0], docker: true, subject: Subject::Document(0) }], attached: 1 });
    case.interrupted = Interrupted::CancelledAfter(9);
    case.given = vec![Given::Once, Given::NotThere];
    case.tags = 2;
    case.first_tag = 3;
    case.first_key = 4;
    case.client.chunk_above = 32;
    case.client.learned = serde_json::from_str(r##"{"whole_put":false}"##).unwrap();
    case.registry.behaviour = serde_json::from_str(r##"{"referrers":{"api":"not-found"},"start":{"chunk-min":{"announced":true,"bytes":64}}}"##).unwrap();
    case.registry.faults = "end-6#1: status 503 retry-after 90".parse().unwrap();
    case.registry.limits.page = 2;
    case.order = Order::Script(vec![1, 0]);
    case.seed = 5;
    case.faults = Schedule::list([(1, Fault::AnswerLost), (2, Fault::BodyCut(3)), (3, Fault::RequestLate(std::time::Duration::from_micros(2000))), (4, Fault::Status(http::StatusCode::from_u16(503).unwrap(), Some(7))), (5, Fault::HeaderMissing("range".parse().unwrap())), (6, Fault::HeaderChanged("location".parse().unwrap(), "/v2/".parse().unwrap())), (7, Fault::BodyChanged("{".into()))]);
    let_in(&mut case, "library/*=pull,push");
    case.registry.auth.as_mut().unwrap().scheme = longshore_mock_registry::auth::AuthScheme::Basic;
    case.registry.auth.as_mut().unwrap().lifetime = std::time::Duration::from_micros(60000000);
    case.before = Some(Box::new({
        use longshore_conformance::*;

        Case::new(Plan { blobs: vec![BlobPlan { len: 0, fill: 0, sha512: false }, BlobPlan { len: 70, fill: 3, sha512: true }], documents: vec![DocumentPlan { blobs: vec![0, 1], children: vec![], docker: false, subject: Subject::Absent }, DocumentPlan { blobs: vec![1], children: vec![0], docker: true, subject: Subject::Document(0) }], attached: 1 })
    }));
    case
}
