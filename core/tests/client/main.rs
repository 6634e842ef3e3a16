//! One client for many registries, for a long time: in virtual time, against registries that are functions.

#![allow(missing_docs, clippy::type_complexity, reason = "a test")]

mod credentials;
mod ends;
mod lanes;
mod late;
mod pipes;
mod referrers;
mod refusals;
mod retries;
mod storms;
mod suspended;
mod tokens;
mod waits;
mod world;
