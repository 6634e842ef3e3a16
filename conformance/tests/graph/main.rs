//! What is sent in a push, and in which order: the branches that every client of registries has to get right.

mod absent;
mod content;
mod have;
mod order;
mod tags;
mod world;
