//! Reports as JUnit XML: a test suite for each group, a test case for each check.
//!
//! A broken MUST and a broken SHOULD are failures. A failed check of another level is written as the output of a test
//! case that passed, because the format has no warnings.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report as Document, TestCase, TestCaseStatus, TestSuite};
use thiserror::Error;

use super::{Check, CheckStatus, Level, Report};

/// Why a report could not be written as XML.
#[derive(Debug, Error)]
#[error("the report cannot be written as JUnit XML: {0}")]
#[non_exhaustive]
pub struct JunitError(
    /// The message of the XML writer.
    pub String,
);

impl Report {
    /// The report as JUnit XML.
    ///
    /// # Errors
    /// If the XML writer fails.
    pub fn to_junit(&self) -> Result<String, JunitError> {
        let mut document = Document::new(format!("{}: {}", self.tool, self.subject));
        document.set_time(seconds(self.seconds));
        let mut groups: Vec<&str> = Vec::new();
        for check in &self.checks {
            if !groups.contains(&check.group.as_str()) {
                groups.push(&check.group);
            }
        }
        for group in groups {
            let mut suite = TestSuite::new(group);
            for (name, value) in &self.properties {
                suite.add_property(Property::new(name.as_str(), value.as_str()));
            }
            let checks = self.checks.iter().filter(|check| check.group == group);
            suite.add_test_cases(checks.map(test_case));
            document.add_test_suite(suite);
        }
        document.to_string().map_err(|error| JunitError(error.to_string()))
    }
}

fn test_case(check: &Check) -> TestCase {
    let told = check.level == Level::May || check.level == Level::Quirk;
    let mut status = match check.status {
        CheckStatus::Passed => TestCaseStatus::success(),
        CheckStatus::Failed if told => TestCaseStatus::success(),
        CheckStatus::Failed | CheckStatus::UnexpectedPass => TestCaseStatus::non_success(NonSuccessKind::Failure),
        CheckStatus::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        CheckStatus::Skipped | CheckStatus::KnownFailure => TestCaseStatus::skipped(),
    };
    let said = said(check);
    if let Some(first) = said.lines().next() {
        status.set_message(first);
    }
    if check.status.is_failure() {
        status.set_type(check.level.to_string()).set_description(&said);
    }
    let mut case = TestCase::new(&check.id, status);
    case.set_classname(&check.group).set_time(seconds(check.seconds));
    if told && check.status == CheckStatus::Failed {
        case.set_system_out(&said);
    }
    case
}

/// The reason and the observations of a check, one per line.
fn said(check: &Check) -> String {
    let mut lines: Vec<String> = check.reason.iter().cloned().collect();
    lines.extend(check.evidence.iter().map(|evidence| match evidence.request {
        Some(request) => format!("request {request}: {}", evidence.sentence),
        None => evidence.sentence.clone(),
    }));
    if check.status.is_failure() {
        let url = check.clause.url.as_ref().map_or(String::new(), |url| format!(" <{url}>"));
        lines.push(format!("{}: {}{url}", check.level, check.clause.title));
        lines.extend(check.curl.clone());
    }
    lines.join("\n")
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
