//! The order of the events of a simulation.

use crate::random::Random;

/// The order of events that may happen in any order: requests are answered, bytes are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Order {
    /// By virtual time: the seed determines how long each takes.
    #[default]
    Latency,
    /// The one that was requested first.
    First,
    /// The one that was requested last.
    Last,
    /// A random one, by the seed.
    Random,
    /// For each choice, the one at this position; after the end of the list, the first one.
    Script(Vec<usize>),
}

/// One choice that an [`Order`] made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The position that was chosen, from 0.
    pub chosen: usize,
    /// How many possibilities there were.
    pub of: usize,
}

impl Order {
    /// Which of `of` events happens next; the first if time decides.
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

/// Runs a simulation in every possible order, and returns how many there were.
///
/// `run` must make the same simulation each time, with the order that it is given, and return
/// [`Simulation::choices`](crate::Simulation::choices). It should panic if something is wrong; the order is enough to
/// repeat that run.
pub fn every_order(mut run: impl FnMut(Order) -> Vec<Choice>) -> usize {
    let mut script = Vec::new();
    let mut orders = 0;
    loop {
        let mut choices = run(Order::Script(script));
        orders += 1;
        // The last choice that has another possibility takes it. The choices after it start again.
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
