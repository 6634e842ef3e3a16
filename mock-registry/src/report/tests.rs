use super::*;

fn report() -> Report {
    let clause = || Clause::spec("Pushing a blob in chunks", "pushing-a-blob-in-chunks");
    let mut report = Report::new(ReportKind::Registry, "http://127.0.0.1:5000").with_property("profile", "spec");
    report.seconds = 1.5;
    let mut known = Check::new("known", "push", Level::Must, clause()).failed("as ever");
    known.status = CheckStatus::KnownFailure;
    known.reason = Some("not done yet".to_owned());
    let mut failed = Check::new("order", "push", Level::Must, clause()).failed("200 instead of 416");
    failed.evidence[0].request = Some(3);
    failed.curl = Some("curl -X PATCH".to_owned());
    report.checks = vec![
        Check::new("ping", "pull", Level::Must, clause()).passed(),
        failed,
        known,
        Check::new("range", "push", Level::May, clause()).failed("no Range <&>\u{1}"),
        Check::new("mount", "push", Level::Should, clause()).skipped("no second repository"),
    ];
    report
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let report = report();
    assert_eq!(Report::from_json(&report.to_json()).unwrap(), report);
    assert!(report.breaks_a_must());
    assert_eq!(report.count(Level::Must, CheckStatus::Failed), 1);
}

#[test]
fn what_is_known_or_no_must_breaks_none() {
    let mut report = report();
    report.checks.remove(1);
    assert!(!report.breaks_a_must());
    report.checks[0].status = CheckStatus::Error;
    assert!(report.breaks_a_must());
}

#[test]
fn a_report_of_another_schema_is_refused() {
    let other = report().to_json().replace(SCHEMA, "longshore-report-9");
    assert!(matches!(Report::from_json(&other), Err(ReportError::OtherSchema(_))));
    assert!(matches!(Report::from_json("{}"), Err(ReportError::Malformed(_))));
}

#[cfg(feature = "junit")]
#[test]
fn junit_has_a_suite_for_each_group_and_counts_failures() {
    let xml = report().to_junit().unwrap();
    let has = |text: &str| assert!(xml.contains(text), "{text}\n{xml}");
    has("tests=\"5\" skipped=\"2\" failures=\"1\" errors=\"0\"");
    has("<testsuite name=\"pull\" tests=\"1\"");
    has("<testsuite name=\"push\" tests=\"4\"");
    has("<failure message=\"request 3: 200 instead of 416\" type=\"MUST\">");
    has("curl -X PATCH");
    has("not done yet");
    has("no Range &lt;&amp;&gt;");
    assert!(!xml.contains('\u{1}'), "{xml}");
}
