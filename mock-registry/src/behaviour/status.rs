//! Reads the statuses that switches name.

use serde::de::{Error, Unexpected};
use serde::{Deserialize as _, Deserializer};

/// Reads the status of a complete answer: from 200 to 599.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    checked(u16::deserialize(deserializer)?)
}

/// Reads such a status, or none.
pub(super) fn read_optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    Option::<u16>::deserialize(deserializer)?.map(checked).transpose()
}

fn checked<E: Error>(status: u16) -> Result<u16, E> {
    match status {
        200..=599 => Ok(status),
        _ => Err(E::invalid_value(Unexpected::Unsigned(status.into()), &"a status from 200 to 599")),
    }
}
