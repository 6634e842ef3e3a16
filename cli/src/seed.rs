//! Where what is random begins.

use crate::exit::Error;

/// What the system's randomness gives, for what must differ from run to run.
pub(crate) fn random() -> Result<u64, Error> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|error| Error::failed(format!("the system gives no randomness: {error}")))?;
    Ok(u64::from_ne_bytes(seed))
}
