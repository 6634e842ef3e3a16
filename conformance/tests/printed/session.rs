{
    use longshore_conformance::session::*;

    Session::new(vec![{
    use longshore_conformance::*;

    Case::new(Plan { blobs: vec![BlobPlan { len: 1, fill: 0, sha512: false }], documents: vec![DocumentPlan { blobs: vec![0, 1], children: vec![], docker: false, subject: Subject::Absent }, DocumentPlan { blobs: vec![1], children: vec![0], docker: true, subject: Subject::Document(0) }], attached: 1 })
}, {
    use longshore_conformance::*;

    let mut case = Case::new(Plan { blobs: vec![BlobPlan { len: 1, fill: 0, sha512: false }], documents: vec![DocumentPlan { blobs: vec![0, 1], children: vec![], docker: false, subject: Subject::Absent }, DocumentPlan { blobs: vec![1], children: vec![0], docker: true, subject: Subject::Document(0) }], attached: 1 });
    case.first_key = 1000;
    case
}], vec![Act { after: None, what: What::Start(0) }, Act { after: Some(3), what: What::Delete(Thing::Blob(1)) }, Act { after: Some(1), what: What::Lose(Thing::Tag) }, Act { after: None, what: What::Pass(std::time::Duration::from_micros(9000000)) }, Act { after: None, what: What::Start(1) }])
}
