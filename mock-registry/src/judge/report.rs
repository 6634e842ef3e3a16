//! The judge's findings as a report.

use super::{Judge, REFERRERS_LISTED, RULES, Rule};
use crate::report::{Check, CheckStatus, Evidence, Report, ReportKind};
use crate::row::row_id;

/// How many breaches of one rule a report lists at most.
const TOLD: usize = 100;

impl Judge {
    /// The report about the clients so far, with a check for each rule. A rule is passed if no request has broken it.
    #[must_use]
    pub fn report(&self, client: impl Into<String>, requests: u64) -> Report {
        let mut report = Report::new(ReportKind::Client, client).with_property("requests", requests.to_string());
        report.checks = RULES.iter().map(|rule| self.check(rule, requests)).collect();
        report
    }

    fn check(&self, rule: &Rule, requests: u64) -> Check {
        let mut check = Check::new(rule.name, "judge", rule.level, rule.clause());
        rule.sentence.clone_into(&mut check.title);
        let breaches: Vec<_> = self.breaches.iter().filter(|breach| breach.rule == rule.name).collect();
        let told = breaches.iter().take(TOLD).map(|breach| Evidence {
            request: Some(breach.request),
            row: Some(row_id(breach.row).to_owned()),
            sentence: breach.what.clone(),
        });
        check.evidence = told.collect();
        if rule.name == REFERRERS_LISTED {
            let owed = self.owed.iter().take(TOLD).map(|owed| Evidence {
                request: None,
                row: None,
                sentence: format!("{} in {} is not listed under {}", owed.digest, owed.repository, owed.tag),
            });
            check.evidence.extend(owed);
        }
        check.status = match (check.evidence.is_empty(), requests) {
            (false, _) => CheckStatus::Failed,
            (true, 0) => return check.skipped("no request came"),
            (true, _) => CheckStatus::Passed,
        };
        if breaches.len() > TOLD {
            check.reason = Some(format!("{} breaches, of which the first {TOLD} are told", breaches.len()));
        }
        // The level of a failed check is the highest of its breaches, which may be lower than the rule's.
        check.level = breaches.iter().map(|breach| breach.level).min().unwrap_or(rule.level);
        check
    }
}
