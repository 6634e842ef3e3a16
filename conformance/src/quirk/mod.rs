//! Observed quirks of real registries: each is reproduced by a switch of the mock registry, and has the id of the
//! quirk.
//!
//! Lengths are those of random cases: a few times [`CHUNK`](crate::CHUNK) bytes replace megabytes.

mod contents;
mod trouble;
mod uploads;

use longshore_mock_registry::{Behaviour, RegistryOptions};

use crate::Case;
pub use crate::spec_true::spec_true;

/// One quirk of some registry.
#[derive(Debug, Clone, Copy)]
pub struct Quirk {
    /// Its id. If a quirk has several variants, the name of the variant follows after a colon.
    pub id: &'static str,
    /// The required result of a push.
    pub outcome: Outcome,
    change: fn(&mut Behaviour),
    /// The faults of this registry, as a plan of the mock registry.
    faults: &'static str,
    /// Changes the case so that the push meets the quirk.
    setup: fn(&mut Case),
}

/// The required result of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeds.
    Succeeds,
    /// It succeeds, but the client could not know that it must store the list of referrers under a tag.
    SucceedsUnlisted,
    /// The registry refuses some content: the push may fail with an error that says so.
    MayBeRefused,
    /// The registry refuses some content: the push may fail, and the text of the error contains one of these texts.
    RefusedFor(&'static [&'static str]),
}

impl Quirk {
    const fn new(id: &'static str, outcome: Outcome, change: fn(&mut Behaviour)) -> Self {
        Self { id, outcome, change, faults: "", setup: |_| {} }
    }

    /// Sets the change that a case needs to meet the quirk.
    const fn in_case(mut self, setup: fn(&mut Case)) -> Self {
        self.setup = setup;
        self
    }

    /// Adds this quirk to a behaviour. [`Self::play_in`] also makes the other changes that the quirk needs.
    pub fn apply(&self, behaviour: &mut Behaviour) {
        (self.change)(behaviour);
    }

    /// A registry with only this quirk.
    #[must_use]
    pub fn registry(&self) -> RegistryOptions {
        let mut options = spec_true();
        self.apply(&mut options.behaviour);
        options
    }

    /// Adds this quirk to a case.
    ///
    /// # Panics
    /// Never, because the faults are a valid plan.
    pub fn play_in(&self, case: &mut Case) {
        self.apply(&mut case.registry.behaviour);
        let plan: longshore_mock_registry::fault::Faults = self.faults.parse().expect("this is a plan");
        case.registry.faults.rules.extend(plan.rules);
        (self.setup)(case);
    }
}

/// The quirk of this id.
#[must_use]
pub fn named(id: &str) -> Option<Quirk> {
    all().into_iter().find(|quirk| quirk.id == id)
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Quirk> {
    [
        contents::reading(),
        uploads::mounting(),
        uploads::starting(),
        uploads::chunks(),
        uploads::committing(),
        contents::manifests(),
        contents::referrers(),
        contents::errors(),
        trouble::passing(),
    ]
    .concat()
}

const fn fine(id: &'static str, change: fn(&mut Behaviour)) -> Quirk {
    Quirk::new(id, Outcome::Succeeds, change)
}

const fn refusing(id: &'static str, causes: &'static [&'static str], change: fn(&mut Behaviour)) -> Quirk {
    Quirk::new(id, Outcome::RefusedFor(causes), change)
}
