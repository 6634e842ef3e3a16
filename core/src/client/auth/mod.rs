//! Authentication: what is known about a registry's token services and the caller's credentials, how a request is
//! signed, and what a refusal changes.

mod redaction;
mod refusals;
mod signing;
mod state;

pub(super) use redaction::Redactor;
pub(super) use signing::{Awaited, Parked};
pub(super) use state::{RegistryAuth, SentCredential};

use crate::outcome::{Failure, FailureKind};

fn denied(why: String) -> Failure {
    Failure::new(FailureKind::Denied(why))
}
