//! The suite that holds a registry to the specification, against the mock registry in memory.

mod planted;
mod profiles;
mod spec;
mod support;
mod table;
