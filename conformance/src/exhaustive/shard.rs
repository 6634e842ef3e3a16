//! A part of many cases.

use std::str::FromStr;

/// The k-th of n shares: every n-th case, from the k-th on. It is written as `k/n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u64,
    of: u64,
}

/// An error in the text of a [`Shard`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a shard is written as k/n, with k from 1 to n: {0:?}")]
pub struct NoShard(String);

impl Shard {
    /// All of them.
    pub const ALL: Self = Self { number: 1, of: 1 };

    /// Whether the case of this number, from 0, is in it.
    #[must_use]
    pub const fn has(self, case: u64) -> bool {
        case % self.of == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let parsed = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err(NoShard(text.to_owned())),
        }
    }
}
