//! Authentication: the scopes that a request needs, the challenges of a registry, and how a token is obtained.

pub mod access;
pub mod cache;
pub mod challenge;
mod credentials;
mod exchange;
mod scope;
mod service;
pub mod token;

pub use access::{Access, AccessError, Answered, Denied, Next, Sent};
pub use cache::{TokenCache, TokenKey};
pub use challenge::{Bearer, Challenge, Challenges, ForeignChallenge};
pub use credentials::{Credentials, Identity};
pub use exchange::{Attempt, TokenCall, TokenRequest};
pub use scope::{Action, Scope, Scopes};
pub use service::{NoTokenService, TokenService};
pub use token::{Token, TokenError};
