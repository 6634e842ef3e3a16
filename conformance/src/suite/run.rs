//! A run of the suite: checks requirements at the same time, then removes the stored content.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use longshore_mock_registry::report::{Check, CheckStatus, Evidence, Report, ReportKind};

use super::cleanup;
use super::client::RawClient;
use super::curl;
use super::fixtures::Fixtures;
use super::options::SuiteOptions;
use super::requirement::{Group, Requirement};
use super::requirements::GROUPS;
use super::signer::Signer;
use super::stop::Stop;
use super::tested::{Left, Surroundings, TestedRegistry};

/// A run of the suite.
///
/// ```
/// use longshore_conformance::suite::{InMemory, Suite, SuiteOptions};
/// use longshore_core::Target;
/// use longshore_mock_registry::{Registry, RegistryOptions};
///
/// let registry = InMemory::new(Registry::new(RegistryOptions::default()));
/// let origin = Target::parse("http://registry.example")?.origin().clone();
/// let mut options = SuiteOptions::new(origin, "conformance".parse()?);
/// options.filters = vec!["pull-".to_owned()];
///
/// let report = Suite::new(&registry, options).run();
/// assert!(!report.breaks_a_must());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Suite<'a> {
    client: &'a dyn RawClient,
    options: SuiteOptions,
    signer: Signer,
    on_found: Box<dyn Fn(&Check) + Sync + 'a>,
}

impl<'a> Suite<'a> {
    /// A run against the registry of the options.
    #[must_use]
    pub fn new(client: &'a dyn RawClient, options: SuiteOptions) -> Self {
        let signer = Signer::new(&options);
        Self { client, options, signer, on_found: Box::new(|_| {}) }
    }

    /// Sets a function that is called after each check, from any thread.
    #[must_use]
    pub fn on_found(mut self, on_found: impl Fn(&Check) + Sync + 'a) -> Self {
        self.on_found = Box::new(on_found);
        self
    }

    /// Checks all requirements that the options select, then removes the content that the checks stored.
    #[must_use]
    pub fn run(self) -> Report {
        let begun = self.client.now();
        let fixtures = Fixtures::default();
        let around =
            Surroundings { client: self.client, options: &self.options, signer: &self.signer, fixtures: &fixtures };
        let selected: Vec<(&Group, &Requirement)> = GROUPS
            .iter()
            .flat_map(|group| group.requirements.iter().map(move |requirement| (group, requirement)))
            .filter(|(_, requirement)| self.options.selects(requirement))
            .collect();
        let (mut found, left) = self.check_all(&around, &selected);
        let left = cleanup::remove(&around, left);
        let mut report = Report::new(ReportKind::Registry, self.options.registry.to_string())
            .with_property("specification", self.options.version.to_string())
            .with_property("repository", self.options.repository.as_str())
            .with_property("second-repository", self.options.second.as_str())
            .with_property("seed", self.options.seed.to_string());
        if !left.is_empty() {
            report = report.with_property("left", left.join("; "));
        }
        report.checks = selected.iter().filter_map(|(_, requirement)| found.remove(requirement.id)).collect();
        report.seconds = self.client.now().since(begun).as_secs_f64();
        report
    }

    /// Checks the selected requirements, as many at the same time as the options allow.
    fn check_all(
        &self,
        around: &Surroundings<'_>,
        selected: &[(&Group, &Requirement)],
    ) -> (BTreeMap<&'static str, Check>, BTreeSet<Left>) {
        let (next, all) = (AtomicUsize::new(0), Mutex::new((BTreeMap::new(), BTreeSet::new())));
        let work = || {
            while let Some((group, requirement)) = selected.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.options.stop.load(Ordering::Relaxed) {
                    return;
                }
                let (found, left) = self.check(around, group, requirement);
                (self.on_found)(&found);
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.0.insert(requirement.id, found);
                all.1.extend(left);
            }
        };
        match self.options.parallel {
            0 | 1 => work(),
            // No more threads than requirements.
            many => std::thread::scope(|scope| {
                for _ in 0..many.min(selected.len()) {
                    scope.spawn(work);
                }
            }),
        }
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, around: &Surroundings<'_>, group: &Group, requirement: &Requirement) -> (Check, Vec<Left>) {
        let begun = self.client.now();
        let tested = TestedRegistry::new(around, requirement.id, begun.after(self.options.time_limit));
        let stop = (requirement.check)(&tested).err();
        let mut check = Check::new(requirement.id, group.name, requirement.level, requirement.source());
        requirement.title.clone_into(&mut check.title);
        check.row = (!requirement.endpoint.is_empty()).then(|| requirement.endpoint.to_owned());
        check.exchanges = tested.exchanges.take();
        check.curl = Some(curl::script(&check.exchanges)).filter(|script| !script.is_empty());
        check.seconds = self.client.now().since(begun).as_secs_f64();
        conclude(&mut check, stop, self.options.known.reason(requirement.id));
        (check, tested.left.take())
    }
}

/// Sets the result of a check, with the known failures taken into account.
fn conclude(check: &mut Check, stop: Option<Stop>, known: Option<&str>) {
    check.status = match (&stop, known) {
        (None, None) => CheckStatus::Passed,
        (None, Some(_)) => CheckStatus::UnexpectedPass,
        (Some(Stop::Unsupported(_)), _) => CheckStatus::Skipped,
        (Some(_), Some(_)) => CheckStatus::KnownFailure,
        (Some(Stop::Failed(_)), None) => CheckStatus::Failed,
        (Some(Stop::NotPrepared(_)), None) => CheckStatus::Error,
    };
    check.reason = known.map(str::to_owned);
    match stop {
        None => {}
        Some(Stop::Failed(finding)) => {
            let sentence = format!("expected {}, came {}", finding.expected, finding.found);
            let request = finding.exchange.map(|at| at as u64 + 1);
            check.evidence.push(Evidence::new(sentence).about(request, check.row.clone()));
        }
        Some(Stop::Unsupported(why) | Stop::NotPrepared(why)) if known.is_none() => check.reason = Some(why),
        Some(Stop::Unsupported(why) | Stop::NotPrepared(why)) => {
            check.evidence.push(Evidence::new(why));
        }
    }
}
