//! The rules that every push must keep, whatever the registry does and whichever faults happen: strategies draw random pushes,
//! runs execute them, and oracles check the rules.
//!
//! A [`Case`] holds everything that a push depends on: the image, the settings of the client and of the registry, the order of
//! answers, the faults and the seed. It runs in virtual time against the mock registry, and the oracles judge the [`Run`].
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
//! [`suite`] checks a registry against the specification, over any transport; [`page`] shows its report as an HTML page.
//!
//! With `default-features = false` this crate does not depend on [proptest](https://docs.rs/proptest). The modules `strategy`
//! and `property`, and `fuzz`, the oracles of the fuzz targets, are missing then.

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
