//! The command line.

use std::ops::Range;

use longshore_conformance::exhaustive::shard::Shard;

/// What is asked for.
pub(crate) struct Arguments {
    pub(crate) mode: Mode,
    pub(crate) shard: Shard,
    pub(crate) seeds: Range<u64>,
    registry: Option<String>,
    flow: Option<String>,
}

/// Which cases.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Singles,
    Doubles,
    Swarm,
    Saboteurs,
    List,
}

const USAGE: &str =
    "faults singles|doubles|swarm|saboteurs|list [--shard K/N] [--seeds A..B] [--registry NAME] [--flow NAME]";

impl Arguments {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mode = match words.next().as_deref() {
            Some("singles") => Mode::Singles,
            Some("doubles") => Mode::Doubles,
            Some("swarm") => Mode::Swarm,
            Some("saboteurs") => Mode::Saboteurs,
            Some("list") => Mode::List,
            _ => return Err(USAGE.to_owned()),
        };
        let mut arguments = Self { mode, shard: Shard::ALL, seeds: 0..100, registry: None, flow: None };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"))?;
            match word.as_str() {
                "--shard" => arguments.shard = value.parse().map_err(|why| format!("{why}"))?,
                "--seeds" => arguments.seeds = seeds(&value).ok_or_else(|| format!("no seeds: {value}\n{USAGE}"))?,
                "--registry" => arguments.registry = Some(value),
                "--flow" => arguments.flow = Some(value),
                _ => return Err(format!("{word} is not known\n{USAGE}")),
            }
        }
        Ok(arguments)
    }

    pub(crate) fn wants(&self, registry: &str, flow: &str) -> bool {
        self.registry.as_deref().is_none_or(|name| name == registry)
            && self.flow.as_deref().is_none_or(|name| name == flow)
    }
}

fn seeds(text: &str) -> Option<Range<u64>> {
    let (start, end) = text.split_once("..")?;
    Some(start.parse().ok()?..end.parse().ok()?)
}
