//! Habits of registries, and of what stands before them, that need more than a switch of the mock.

mod chunks;
mod manifests;
mod pushing;
mod quirks;
mod refusals;
mod waits;
