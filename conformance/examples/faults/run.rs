//! Running many cases on all processors.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_conformance::exhaustive::{Broken, Checked, Stage, double, kind, known};

use crate::arguments::{Arguments, Mode};

/// How many finds of one stage are shown whole.
const SHOWN: usize = 3;

/// What came of it.
#[derive(Default)]
pub(crate) struct Report {
    cases: u64,
    skipped: u64,
    successes: u64,
    not_replayable: u64,
    most: u64,
    /// What is known to break a rule, by the reason: how often.
    known: BTreeMap<&'static str, u64>,
    /// What was found, by fault and rule: how often, and the first of it.
    finds: BTreeMap<String, (u64, Broken)>,
}

/// All cases that are asked for, each stage by one thread.
pub(crate) fn all(stages: &[Stage], arguments: &Arguments) -> Report {
    let next = AtomicUsize::new(0);
    let whole = Mutex::new(Report::default());
    // A simulation that is broken panics with all that there is to tell: that is a find, and not for the terminal.
    std::panic::set_hook(Box::new(|_| {}));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(stage) = stages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = one(stage, arguments);
                    report.print_finds();
                    whole.lock().expect("no thread panics").add(report);
                }
            });
        }
    });
    drop(std::panic::take_hook());
    whole.into_inner().expect("no thread panics")
}

fn one(stage: &Stage, arguments: &Arguments) -> Report {
    let mut report = Report::default();
    // What is known of every kind of fault is known of several, too.
    let known = |rule: &str| known::reason(stage.registry, stage.flow, "", rule);
    report.take("no fault", |_| None, || stage.check_without_fault());
    let mut number = 0;
    let mut is_wanted = || {
        number += 1;
        arguments.shard.has(number - 1)
    };
    match arguments.mode {
        Mode::Singles => {
            for request in 1..=stage.requests {
                for kind in kind::all() {
                    let known = |rule: &str| known::reason(stage.registry, stage.flow, &kind.name, rule);
                    report.take_if(is_wanted(), &kind.name, known, || stage.check(request, &kind));
                }
            }
        }
        Mode::Doubles => {
            for pair in double::pairs(stage) {
                report.take_if(is_wanted(), "two faults", known, || stage.check_pair(&pair));
            }
        }
        Mode::Swarm => {
            for seed in arguments.seeds.clone() {
                report.take_if(is_wanted(), "swarm", known, || stage.check_swarm(seed));
            }
        }
        Mode::Saboteurs | Mode::List => {}
    }
    report
}

impl Report {
    fn take_if(
        &mut self,
        is_wanted: bool,
        fault: &str,
        known: impl FnOnce(&str) -> Option<&'static str>,
        check: impl FnOnce() -> Result<Checked, Broken>,
    ) {
        if is_wanted {
            self.cases += 1;
            self.take(fault, known, check);
        } else {
            self.skipped += 1;
        }
    }

    fn take(
        &mut self,
        fault: &str,
        known: impl FnOnce(&str) -> Option<&'static str>,
        check: impl FnOnce() -> Result<Checked, Broken>,
    ) {
        match check() {
            Ok(checked) => {
                self.successes += u64::from(checked.is_success);
                self.not_replayable += u64::from(checked.is_not_replayable);
                self.most = self.most.max(checked.cost);
            }
            Err(broken) => {
                if let Some(reason) = known(&broken.rule) {
                    *self.known.entry(reason).or_default() += 1;
                    return;
                }
                let rule: String = broken.rule.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
                self.finds.entry(format!("{fault}: {rule}")).or_insert((0, broken)).0 += 1;
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.skipped += other.skipped;
        self.successes += other.successes;
        self.not_replayable += other.not_replayable;
        self.most = self.most.max(other.most);
        for (reason, count) in other.known {
            *self.known.entry(reason).or_default() += count;
        }
        for (key, (count, broken)) in other.finds {
            self.finds.entry(key).or_insert((0, broken)).0 += count;
        }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.finds.is_empty()
    }

    /// What was found is told at once: there may be hours to come.
    fn print_finds(&self) {
        for (_, broken) in self.finds.values().take(SHOWN) {
            println!("\n== {broken}");
        }
    }

    pub(crate) fn print(&self) {
        for (key, (count, broken)) in &self.finds {
            println!("{count:6} x {key} (the first: {}; {})", broken.name, broken.rule);
        }
        for (reason, count) in &self.known {
            println!("{count:6} x known: {reason}");
        }
        let Self { cases, skipped, successes, not_replayable, most, .. } = self;
        println!("{cases} cases were run, {skipped} are in other shards");
        println!("{successes} pushes succeeded; {not_replayable} ended because a source could be read only once");
        println!("the fault that cost most cost {most} requests; {} finds", self.finds.len());
    }
}
