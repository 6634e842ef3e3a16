//! What must be true of a push, whatever the registry does and whatever goes wrong: as strategies, runs and oracles.
//!
//! A [`Case`] is all that decides a push: the image, the client's settings, the registry's, the order of answers, the
//! faults and the seed. It runs in virtual time against the mock registry, and an oracle judges the [`Run`].
//!
//! ```
//! use longshore_conformance::{oracle, quirk, strategy};
//! use proptest::strategy::{Strategy, ValueTree};
//! use proptest::test_runner::TestRunner;
//!
//! let case = strategy::case(quirk::spec_true(), 2).new_tree(&mut TestRunner::deterministic()).unwrap().current();
//! let mut run = case.run();
//! oracle::judge(&case, quirk::Outcome::Succeeds, &mut run)?;
//! println!("{}", run.simulation.transcript());
//! # Ok::<(), oracle::Violation>(())
//! ```
//!
//! [`suite`] holds a registry to the specification, over any transport; [`page`] writes what it found for people.
//!
//! With `default-features = false` there is no [proptest](https://docs.rs/proptest) in the tree, and neither `strategy` nor
//! `property`; nor `fuzz`, the oracles of the fuzz targets.

#![cfg_attr(docsrs, feature(doc_cfg))] // what needs a feature says so
#![forbid(unsafe_code)]

mod case;
pub mod exhaustive;
pub mod flow;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod image;
mod mock;
pub mod oracle;
pub mod page;
#[cfg(feature = "proptest")]
pub mod property;
pub mod quirk;
mod run;
pub mod saboteur;
pub mod session;
mod spec_true;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod suite;

pub use case::{CHUNK, Case, Given, Interrupted, Key, Settings, let_in};
pub use image::{BlobPlan, Content, DocumentPlan, Image, Plan, Subject};
pub use mock::{Mock, TagChange};
pub use run::Run;
