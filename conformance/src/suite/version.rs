//! Versions of the specification.

use std::fmt;
use std::str::FromStr;

/// A version of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 1.0, of May 2021.
    V1_0,
    /// 1.1, of February 2024: referrers.
    V1_1,
    /// 1.2, which is not released: tags in the query of a manifest, `digest-algorithm`, digests in every answer.
    V1_2,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        })
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "1.0" => Ok(Self::V1_0),
            "1.1" => Ok(Self::V1_1),
            "1.2" => Ok(Self::V1_2),
            _ => Err("a version of the specification is 1.0, 1.1 or 1.2".to_owned()),
        }
    }
}
