//! One push in simulation: all that decides it, and what came of it.

use std::fmt;

use longshore_core::auth::Credentials;
use longshore_core::{Blob, Client, Learned, Options, Push, Receipt, Registry, Repository, Secret, Tag};
use longshore_memory::{Order, Schedule, Simulation, Source};
use longshore_mock_registry as mock;
use longshore_mock_registry::auth::{Auth, Password};
use longshore_mock_registry::fault::Faults;
use serde_json::Value;

use crate::quirk;
use crate::{Image, Mock, Plan, Run};

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

/// All that decides what happens in a push. It prints in a few lines.
#[derive(Clone)]
pub struct Case {
    /// What another client has pushed before, without faults.
    pub before: Option<Box<Self>>,
    /// What is pushed.
    pub plan: Plan,
    /// How each blob is given; the pattern repeats.
    pub given: Vec<Given>,
    /// How many tags the root gets.
    pub tags: usize,
    /// What its tags are counted from.
    pub first_tag: usize,
    /// What the keys of its blobs are counted from: pushes of one client have keys of their own.
    pub first_key: usize,
    /// How the client behaves.
    pub client: Settings,
    /// How the registry behaves.
    pub registry: mock::RegistryOptions,
    /// In which order things happen.
    pub order: Order,
    /// What goes wrong.
    pub faults: Schedule,
    /// The seed of client and simulation.
    pub seed: u64,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, plan, given, tags, first_tag, first_key: _, client, registry, order, faults, seed } = self;
        if let Some(auth) = &registry.auth {
            writeln!(f, "{:?}, tokens for {:?}", auth.scheme, auth.lifetime)?;
        }
        writeln!(f, "seed {seed}, order {order:?}, tags {tags} from {first_tag}, given {given:?}")?;
        writeln!(f, "{client:?}")?;
        writeln!(f, "faults {faults:?}")?;
        let behaviour = serde_json::to_value(&registry.behaviour).map_err(|_| fmt::Error)?;
        let usual = serde_json::to_value(mock::Behaviour::default()).map_err(|_| fmt::Error)?;
        writeln!(f, "registry {}", difference(&behaviour, &usual))?;
        if !registry.faults.rules.is_empty() {
            writeln!(f, "faults of the registry {}", registry.faults)?;
        }
        writeln!(f, "manifests of at most {} bytes, pages of {}", registry.limits.manifest, registry.limits.page)?;
        plan.blobs.iter().enumerate().try_for_each(|(number, blob)| writeln!(f, "blob {number}: {blob:?}"))?;
        plan.documents.iter().try_for_each(|document| writeln!(f, "{document:?}"))?;
        write!(f, "attached {}", plan.attached)?;
        before.iter().try_for_each(|before| write!(f, "\nbefore that: {before:?}"))
    }
}

/// What of a registry's behaviour is not the usual.
fn difference(behaviour: &Value, usual: &Value) -> Value {
    match (behaviour, usual) {
        (Value::Object(behaviour), Value::Object(usual)) => {
            let other = behaviour.iter().filter_map(|(key, value)| {
                let usual = usual.get(key).unwrap_or(&Value::Null);
                (value != usual).then(|| (key.clone(), difference(value, usual)))
            });
            Value::Object(other.collect())
        }
        _ => behaviour.clone(),
    }
}

/// How a blob is given to the client, and where it is already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Its digest is known, and its source can be read again.
    Known,
    /// Its digest is known, and its source can be read once.
    Once,
    /// It comes out of a pipe: its digest is known when it has ended.
    Unknown,
    /// As `Known`, and the repository has it.
    Present,
    /// As `Known`, and another repository has it, which is named.
    Elsewhere,
    /// As `Known`, and another repository is named that does not have it.
    NotThere,
}

/// The settings of a client that matter to a push.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bytes in a chunk.
    pub chunk: u64,
    /// Above how many bytes a blob goes in chunks though it need not.
    pub chunk_above: u64,
    /// Up to how many bytes a blob goes in one POST.
    pub single_post: u64,
    /// Above how many bytes a blob is asked about.
    pub ask_above: u64,
    /// Requests in flight at once.
    pub in_flight: usize,
    /// What the client knows of the registry.
    pub learned: Learned,
}

impl Case {
    /// A push of this plan with nothing out of the ordinary.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            before: None,
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
            registry: quirk::spec_true(),
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

    /// Runs it.
    ///
    /// # Panics
    /// Where the client hangs, goes round in circles, or breaks its contract with a driver.
    #[must_use]
    pub fn run(&self) -> Run {
        self.run_until(None, None, |_| {})
    }

    /// Runs it against a registry as it is; what was to be pushed before is not.
    ///
    /// # Panics
    /// As [`Case::run`] does.
    #[must_use]
    pub fn run_at(&self, registry: Mock) -> Run {
        self.run_at_with(registry, |_| {})
    }

    /// [`Case::run_at`] with other options of the client than the settings make.
    ///
    /// # Panics
    /// As [`Case::run`] does.
    #[must_use]
    pub fn run_at_with(&self, registry: Mock, change: impl FnOnce(&mut Options)) -> Run {
        self.run_until(Some(registry), None, change)
    }

    /// Runs it with other options of the client than the settings make.
    ///
    /// # Panics
    /// As [`Case::run`] does.
    #[must_use]
    pub fn run_with(&self, change: impl FnOnce(&mut Options)) -> Run {
        self.run_until(None, None, change)
    }

    /// Runs it, and cancels the push after so many steps of the simulation. Later ones can be told by
    /// [`Run::said_before_cancel`].
    ///
    /// # Panics
    /// As [`Case::run`] does.
    #[must_use]
    pub fn run_and_cancel(&self, after: u64) -> Run {
        self.run_until(None, Some(after), |_| {})
    }

    fn run_until(&self, registry: Option<Mock>, cancel_after: Option<u64>, change: impl FnOnce(&mut Options)) -> Run {
        let image = Image::of(&self.plan);
        let simulation = self.simulation(&image, registry);
        let mut client = self.client(change);
        let operation = client.start(self.push(&image));
        let waits_for = self.unknown().count();
        let (events, result) = (Vec::new(), Ok(Receipt::Allowed));
        let mut run = Run { image, simulation, client, events, result, steps: 0, said_before_cancel: None };
        run.go_on(operation, waits_for, cancel_after);
        run
    }

    /// A client that is set up like this.
    pub(crate) fn client(&self, change: impl FnOnce(&mut Options)) -> Client<Key> {
        let mut options = self.options();
        change(&mut options);
        let mut client = Client::new(options);
        client.teach(&Self::registry(), self.client.learned.clone());
        client
    }

    fn options(&self) -> Options {
        let mut options = Options::default();
        options.seed = self.seed;
        options.chunk = self.client.chunk;
        options.chunk_above = self.client.chunk_above;
        options.single_post = self.client.single_post;
        options.ask_above = self.client.ask_above;
        options.in_flight = self.client.in_flight;
        options
    }

    fn simulation(&self, image: &Image, registry: Option<Mock>) -> Simulation<Key, Mock> {
        let mut registry = match (registry, &self.before) {
            (Some(registry), _) => registry,
            (None, Some(before)) => before.run().simulation.handler,
            (None, None) => self.empty_registry(),
        };
        registry.tag_changes.clear();
        let sources = self.prepare(image, &mut registry);
        self.begin(registry, sources)
    }

    pub(crate) fn empty_registry(&self) -> Mock {
        Mock::new(mock::RegistryOptions { faults: Faults::none(), ..self.registry.clone() })
    }

    /// Puts what is there already where it is, and gives the sources of all blobs.
    pub(crate) fn prepare(&self, image: &Image, registry: &mut Mock) -> Vec<(Key, Source)> {
        let mut sources = Vec::new();
        for (number, blob) in image.blobs.iter().enumerate() {
            let source = Source::bytes(blob.bytes.clone());
            let source = match self.given(number) {
                Given::Once | Given::Unknown => source.one_shot(blob.digest.algorithm()),
                Given::Known | Given::Present | Given::Elsewhere | Given::NotThere => source,
            };
            sources.push((Key(self.first_key + number), source));
            match self.given(number) {
                Given::Present => registry.put_blob(&Self::repository(), &blob.digest, &blob.bytes),
                Given::Elsewhere => registry.put_blob(&Self::elsewhere(), &blob.digest, &blob.bytes),
                Given::Known | Given::Once | Given::Unknown | Given::NotThere => {}
            }
        }
        sources
    }

    /// A simulation that begins with this registry and these sources. What was done to prepare it is not the client's.
    pub(crate) fn begin(&self, mut registry: Mock, sources: Vec<(Key, Source)>) -> Simulation<Key, Mock> {
        registry.registry.judge = mock::judge::Judge::default();
        registry.registry.inject_faults(self.registry.faults.clone());
        let simulation = Simulation::new(self.seed, registry)
            .credentials(|_, _, _| Ok(Some(credentials())))
            .order(self.order.clone())
            .faults(self.faults.clone());
        sources.into_iter().fold(simulation, |simulation, (key, source)| simulation.source(key, source))
    }

    /// The push, left open where a blob must be read before a manifest can name it.
    pub(crate) fn push(&self, image: &Image) -> Push<Key> {
        let mut push = Push::new(Self::registry(), Self::repository());
        for (number, content) in image.blobs.iter().enumerate() {
            let (key, digest, size) = (Key(self.first_key + number), content.digest, content.bytes.len() as u64);
            push = push.blob(match self.given(number) {
                Given::Known | Given::Present => Blob::known(key, digest, size),
                Given::Once => Blob::read_once(key, digest, size),
                Given::Unknown => Blob::unknown(key, digest.algorithm()),
                Given::Elsewhere | Given::NotThere => Blob::known(key, digest, size).mount_from(Self::elsewhere()),
            });
        }
        push = self.tags().fold(push, Push::tag);
        if self.is_open() {
            return push.open();
        }
        image.manifests.iter().cloned().fold(push, Push::manifest).root(image.root.clone())
    }

    /// Whether manifests are given only when all blobs are digested.
    fn is_open(&self) -> bool {
        self.unknown().next().is_some()
    }

    /// The numbers of the blobs whose digest is not known before they are read.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = usize> {
        (0..self.plan.blobs.len()).filter(|number| self.given(*number) == Given::Unknown)
    }
}

/// The password of the suite's own user.
pub(crate) const PASSWORD: &str = "a-canary-that-nobody-may-see";

fn credentials() -> Credentials {
    Credentials::Basic { user: USER.to_owned(), password: Secret::new(PASSWORD.to_owned()) }
}

/// The suite's own user.
pub(crate) const USER: &str = "suite";

fn parsed<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().expect("the suite's own names are names")
}

/// Lets the suite's own user, and nobody else, do this in a case's registry, with tokens.
///
/// # Panics
/// Where these are no rights.
pub fn let_in(case: &mut Case, rights: &str) {
    let rights = rights.parse().expect("these are rights");
    case.registry.auth = Some(Auth::bearer().user(USER, Password::plain(PASSWORD), rights));
}
