//! The one source of ids and tokens: a seed and a counter, hashed.

use longshore_core::{Algorithm, Digest};
use subtle::ConstantTimeEq as _;

/// A generator that gives the same values for the same seed.
///
/// Each value is the SHA-256 of seed and counter, so that with a secret seed the next value cannot be guessed from
/// earlier ones.
#[derive(Clone)]
pub(crate) struct Random {
    seed: [u8; 32],
    count: u64,
}

impl Random {
    pub(crate) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, count: 0 }
    }

    /// 64 hex digits, different in each call.
    pub(crate) fn hex(&mut self) -> String {
        self.count += 1;
        let mut input = [0; 40];
        input[..32].copy_from_slice(&self.seed);
        input[32..].copy_from_slice(&self.count.to_be_bytes());
        Digest::of(Algorithm::Sha256, &input).hex()
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        u64::from_str_radix(&self.hex()[..16], 16).unwrap_or_default() % bound
    }

    /// A UUID in the form of version 4, because the spec requires a UUID in the URL of an upload.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex();
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }
}

/// Compares two secrets in a time that does not depend on where they differ.
pub(crate) fn same_secret(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
