//! This program, as the fuzzer of one target.

use std::process::Command;

use longshore_conformance::fuzz::Target;

use crate::{corpus, dictionary, named, targets};

/// The variable that names the target. libFuzzer's own children inherit it.
pub(crate) const TARGET: &str = "LONGSHORE_FUZZ_TARGET";

/// What is met by at most so many executions is rare, and inputs that meet it are preferred. libFuzzer counts for each input
/// which rare things it meets: at its own 255 that takes half the time of the targets that drive the client, anew in each job
/// of a campaign.
const RARE: &str = "-entropic_feature_frequency_threshold=16";

/// This program once more, as the fuzzer of a target.
pub(crate) fn fuzzer(target: &Target, arguments: &[String]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| "fuzz".into()));
    command.env(TARGET, target.name).args(arguments);
    let has = |prefix: &str| arguments.iter().any(|argument| argument.starts_with(prefix));
    if !has("-entropic_feature_frequency_threshold=") {
        command.arg(RARE);
    }
    if let Some(dictionary) = dictionary(target).filter(|_| !has("-dict=")) {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    if arguments.iter().all(|argument| argument.starts_with('-')) {
        command.arg(corpus(target));
    }
    command
}

/// The targets of these names, or all.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<&'static Target>, String> {
    if names.is_empty() {
        return Ok(targets().collect());
    }
    names.iter().map(|name| named(name).ok_or_else(|| format!("there is no target {name}"))).collect()
}
