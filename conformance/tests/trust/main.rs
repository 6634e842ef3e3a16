//! Trust, as the client keeps it: who is asked for credentials, who is shown them, and where a registry may send us.
//!
//! The other side is a small world of hosts that is written for these tests, so that it can do what the mock registry never
//! would. Each test is named by the invariant (`core/SECURITY-INVARIANTS.md`) or the quirk that it holds.

mod challenges;
mod drive;
mod echoes;
mod lists;
mod mock;
mod origins;
mod pauses;
mod quirks;
mod renewals;
mod scopes;
mod table;
mod tokens;
mod world;
