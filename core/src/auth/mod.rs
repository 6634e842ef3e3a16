//! Authentication: what a request needs the right to do, what a registry asks for, and how a token is had.

mod scope;

pub use scope::{Action, Scope, Scopes};
