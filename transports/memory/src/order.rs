//! In which order things happen.

use crate::random::Random;

/// In which order things happen that may happen in any order: requests being answered, bytes being read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Order {
    /// By virtual time: each takes as long as the seed says.
    #[default]
    Latency,
    /// What was asked for first.
    First,
    /// What was asked for last.
    Last,
    /// Any, by the seed.
    Random,
    /// The n-th of what is possible, choice by choice; the first where the script is at its end.
    Script(Vec<usize>),
}

/// One choice that an [`Order`] made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// What was chosen, from 0.
    pub chosen: usize,
    /// Of how many.
    pub of: usize,
}

impl Order {
    /// Which of `of` things happens next; the first where time decides.
    pub(crate) fn choose(&self, of: usize, made: usize, random: &mut Random) -> usize {
        let last = of.saturating_sub(1);
        match self {
            Self::Latency | Self::First => 0,
            Self::Last => last,
            Self::Random => usize::try_from(random.below(of as u64)).unwrap_or(0),
            Self::Script(script) => script.get(made).copied().unwrap_or(0).min(last),
        }
    }
}

/// Runs a simulation in every order there is, and says how many there were.
///
/// `run` makes the same simulation each time, with the order that it is given, and returns
/// [`Simulation::choices`](crate::Simulation::choices). It should panic where something is wrong: the script of the
/// order is all that is needed to see it again.
pub fn every_order(mut run: impl FnMut(Order) -> Vec<Choice>) -> usize {
    let mut script = Vec::new();
    let mut orders = 0;
    loop {
        let mut choices = run(Order::Script(script));
        orders += 1;
        // The last choice that had another possibility takes it; what follows is chosen anew.
        while choices.last().is_some_and(|choice| choice.chosen + 1 >= choice.of) {
            choices.pop();
        }
        match choices.last_mut() {
            Some(choice) => choice.chosen += 1,
            None => return orders,
        }
        script = choices.into_iter().map(|choice| choice.chosen).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_of_three_things_is_six_orders() {
        let mut seen = std::collections::BTreeSet::new();
        let orders = every_order(|order| {
            let mut left = vec!['a', 'b', 'c'];
            let (mut word, mut choices) = (String::new(), Vec::new());
            while !left.is_empty() {
                let chosen = order.choose(left.len(), choices.len(), &mut Random::new(0));
                choices.push(Choice { chosen, of: left.len() });
                word.push(left.remove(chosen));
            }
            seen.insert(word);
            choices
        });
        assert_eq!((orders, seen.len()), (6, 6));
    }
}
