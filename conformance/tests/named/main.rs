//! Habits of registries, and of what stands before them, that need more than a switch of the mock.

mod habits;
mod pushing;
mod refusals;
