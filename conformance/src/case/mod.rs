//! One push in the simulation: its parameters and its result.

pub(crate) mod as_rust;
mod running;
mod shown;

use std::fmt;

use longshore_core::{Learned, Registry, Repository, Tag};
use longshore_memory::{Order, Schedule};
use longshore_mock_registry as mock;
use longshore_mock_registry::auth::{Auth, Password};

use crate::Plan;
use crate::spec_true::spec_true;

/// The size of a chunk in random cases, in bytes. Blobs are a few of these, or a byte more or less.
pub const CHUNK: u64 = 32;

/// A blob's key: its number in the image.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub usize);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blob {}", self.0)
    }
}

/// All parameters of a push. It is printed in a few lines.
#[derive(Clone)]
pub struct Case {
    /// A push that another client made before, without faults.
    pub before: Option<Box<Self>>,
    /// Whether and how it is interrupted.
    pub interrupted: Interrupted,
    /// The plan of the content.
    pub plan: Plan,
    /// How each blob is given; the pattern repeats.
    pub given: Vec<Given>,
    /// The number of tags of the root.
    pub tags: usize,
    /// The number of its first tag.
    pub first_tag: usize,
    /// The key of its first blob. Each push of one client has its own keys.
    pub first_key: usize,
    /// How the client behaves.
    pub client: Settings,
    /// How the registry behaves.
    pub registry: mock::RegistryOptions,
    /// The order of events.
    pub order: Order,
    /// The faults.
    pub faults: Schedule,
    /// The seed of client and simulation.
    pub seed: u64,
}

/// How a blob is given to the client, and where it is already stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Its digest is known, and its source can be read again.
    Known,
    /// Its digest is known, and its source can be read once.
    Once,
    /// It is read from a pipe: its digest is known only at its end.
    Unknown,
    /// As `Known`, and the repository has it.
    Present,
    /// As `Known`, and another repository has it, which is named.
    Elsewhere,
    /// As `Known`, and another repository is named that does not have it.
    NotThere,
}

/// Whether a push is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interrupted {
    /// It is not.
    #[default]
    Never,
    /// It is cancelled after this many steps of the simulation.
    CancelledAfter(u64),
    /// Another process started it, without faults, and ended after this many steps of the simulation. It is resumed
    /// from the checkpoint of that process.
    ResumedAfter(u64),
}

/// The settings of a client that matter to a push.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bytes in a chunk.
    pub chunk: u64,
    /// The length in bytes above which a blob is sent in chunks although that is not required.
    pub chunk_above: u64,
    /// The length in bytes up to which a blob is sent in one POST.
    pub single_post: u64,
    /// The length in bytes above which the client asks whether the registry has a blob.
    pub ask_above: u64,
    /// Requests in flight at once.
    pub in_flight: usize,
    /// What the client knows of the registry.
    pub learned: Learned,
}

impl Case {
    /// A push of this plan with default parameters.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            before: None,
            interrupted: Interrupted::Never,
            plan,
            given: vec![Given::Known],
            tags: 1,
            first_tag: 0,
            first_key: 0,
            client: Settings {
                chunk: CHUNK,
                chunk_above: u64::MAX,
                single_post: 0,
                ask_above: CHUNK,
                in_flight: 4,
                learned: Learned::default(),
            },
            registry: spec_true(),
            order: Order::Latency,
            faults: Schedule::default(),
            seed: 1,
        }
    }

    /// The registry that is pushed to.
    #[must_use]
    pub fn registry() -> Registry {
        parsed("registry.example")
    }

    /// The repository that is pushed to.
    #[must_use]
    pub fn repository() -> Repository {
        parsed("library/app")
    }

    /// The repository that blobs are mounted from.
    #[must_use]
    pub fn elsewhere() -> Repository {
        parsed("library/base")
    }

    /// The tags of the root.
    pub fn tags(&self) -> impl Iterator<Item = Tag> {
        (self.first_tag..self.first_tag + self.tags).map(|number| parsed(&format!("v{number}")))
    }

    /// How the blob of this number is given.
    #[must_use]
    pub fn given(&self, number: usize) -> Given {
        self.given.get(number % self.given.len().max(1)).copied().unwrap_or(Given::Known)
    }
}

/// The password of the suite's own user.
pub(crate) const PASSWORD: &str = "a-canary-that-nobody-may-see";

/// The suite's own user.
pub(crate) const USER: &str = "suite";

fn parsed<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().expect("the suite's own names are names")
}

/// Gives these rights in a case's registry to the suite's own user, with tokens, and none to other users.
///
/// # Panics
/// If the text is not a list of rights.
pub fn let_in(case: &mut Case, rights: &str) {
    let rights = rights.parse().expect("these are rights");
    case.registry.auth = Some(Auth::bearer().user(USER, Password::plain(PASSWORD), rights));
}
