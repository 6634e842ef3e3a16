//! What real registries were seen to do, one by one: each is a switch of the mock registry's, by the id of the quirk.
//!
//! Lengths are those of random cases: a few times [`CHUNK`](crate::CHUNK) bytes stand for megabytes.

mod contents;
mod trouble;
mod uploads;

use longshore_mock_registry::{Behaviour, RegistryOptions};

use crate::Case;
pub use crate::spec_true::spec_true;

/// One quirk of some registry.
#[derive(Debug, Clone, Copy)]
pub struct Quirk {
    /// Its id; where one quirk shows in several ways, what tells this way from the others follows after a colon.
    pub id: &'static str,
    /// What must become of a push.
    pub outcome: Outcome,
    change: fn(&mut Behaviour),
    /// What goes wrong in this registry, as a plan of the mock registry's.
    faults: &'static str,
    /// What a push must have for the quirk to show.
    setup: fn(&mut Case),
}

/// What must become of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeds.
    Succeeds,
    /// It succeeds, but nobody could know that the list of referrers must be kept under a tag.
    SucceedsUnlisted,
    /// The registry does not take everything: the push may fail with an error that says so.
    MayBeRefused,
    /// The registry does not take everything: the push may fail, and the error, as it prints, has one of these in it.
    RefusedFor(&'static [&'static str]),
}

impl Quirk {
    const fn new(id: &'static str, outcome: Outcome, change: fn(&mut Behaviour)) -> Self {
        Self { id, outcome, change, faults: "", setup: |_| {} }
    }

    /// It shows in such pushes only.
    const fn in_case(mut self, setup: fn(&mut Case)) -> Self {
        self.setup = setup;
        self
    }

    /// Makes a behaviour have this quirk too. What else it takes, [`Self::play_in`] knows.
    pub fn apply(&self, behaviour: &mut Behaviour) {
        (self.change)(behaviour);
    }

    /// A registry that has this quirk and no other.
    #[must_use]
    pub fn registry(&self) -> RegistryOptions {
        let mut options = spec_true();
        self.apply(&mut options.behaviour);
        options
    }

    /// Lets a case meet this quirk too.
    ///
    /// # Panics
    /// Never: what goes wrong is written as a plan.
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
