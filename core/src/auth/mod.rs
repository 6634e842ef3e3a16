//! Authentication: what a request needs the right to do, what a registry asks for, and how a token is had.

mod credentials;
mod scope;

pub use credentials::{Credentials, Identity};
pub use scope::{Action, Scope, Scopes};
