//! The port: what a client of plain sockets sees.

mod bodies;
mod connections;
mod names;
mod refusals;
mod running;
#[cfg(feature = "tls")]
mod tls;
