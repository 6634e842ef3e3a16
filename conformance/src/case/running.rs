//! Runs cases in the simulation.

use std::collections::BTreeSet;

use longshore_core::auth::Credentials;
use longshore_core::{Blob, Checkpoint, Client, Digest, Instant, Options, Push, Receipt, Secret};
use longshore_memory::{Schedule, Simulation, Source};
use longshore_mock_registry as mock;
use longshore_mock_registry::fault::Faults;

use super::{Case, Given, Interrupted, Key, PASSWORD, USER};
use crate::saboteur::{Sabotage, Saboteur};
use crate::{Image, Mock, Run};

impl Case {
    /// Runs it.
    ///
    /// # Panics
    /// If the client hangs, repeats itself without an end, or breaks its contract with a driver.
    #[must_use]
    pub fn run(&self) -> Run {
        self.run_until(None, None, |_| {})
    }

    /// Runs it against a given registry, without the push before it.
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

    /// Runs it with a planted bug around its client.
    ///
    /// # Panics
    /// As [`Case::run`] does, also if the planted bug is the reason.
    #[must_use]
    pub fn run_sabotaged(&self, saboteur: &Saboteur<Key>) -> Run {
        self.run_until(None, Some(saboteur), |_| {})
    }

    /// Runs it, and cancels the push after this many steps of the simulation.
    ///
    /// # Panics
    /// As [`Case::run`] does.
    #[must_use]
    pub fn run_and_cancel(&self, after: u64) -> Run {
        Self { interrupted: Interrupted::CancelledAfter(after), ..self.clone() }.run()
    }

    fn run_until(
        &self,
        registry: Option<Mock>,
        saboteur: Option<&Saboteur<Key>>,
        change: impl FnOnce(&mut Options),
    ) -> Run {
        let image = Image::of(&self.plan);
        let (registry, checkpoint) = match self.interrupted {
            Interrupted::ResumedAfter(steps) => self.interrupted_after(steps),
            Interrupted::Never | Interrupted::CancelledAfter(_) => (registry, None),
        };
        let simulation = self.simulation(&image, registry);
        let mut client = self.client(change);
        let push = self.push(&image);
        let is_resumed = checkpoint.is_some();
        let push = match checkpoint {
            Some(checkpoint) => push.resume(checkpoint).expect("it is a checkpoint of the same push"),
            None => push,
        };
        let operation = client.start(push);
        let waits_for = self.unknown().count();
        let (events, result) = (Vec::new(), Ok(Receipt::Allowed));
        let stored_before = if is_resumed { stored(&simulation.handler) } else { BTreeSet::new() };
        let mut run =
            Run { image, simulation, client, events, result, stored_before, steps: 0, said_before_cancel: None };
        run.go_on(operation, waits_for, self.interrupted, saboteur.map(Sabotage::new));
        run
    }

    /// The state after another process was interrupted after this many steps: the registry, and a checkpoint if the
    /// push had not ended before.
    fn interrupted_after(&self, steps: u64) -> (Option<Mock>, Option<Checkpoint>) {
        let image = Image::of(&self.plan);
        let faultless = Self { faults: Schedule::default(), interrupted: Interrupted::Never, ..self.clone() };
        let mut simulation = faultless.simulation(&image, None);
        simulation.handler.registry.inject_faults(Faults::none());
        let mut client = self.client(|_| {});
        let operation = client.start(self.push(&image));
        for _ in 0..steps {
            // Without manifests: an open push waits for them, and is interrupted before.
            let _ = simulation.step(&mut client);
        }
        let checkpoint = client.save(operation);
        let elapsed = simulation.now().since(Instant::ZERO);
        let mut registry = Mock::around(simulation.handler.broken_off());
        registry.begin_later(elapsed);
        (Some(registry), checkpoint)
    }

    /// A client with these settings.
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
        Mock::new(self.registry.clone().with_faults(Faults::none()))
    }

    /// Stores the content that exists before the push, and returns the sources of all blobs.
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

    /// A simulation with this registry and these sources. The requests of the preparation are not counted as the
    /// client's.
    pub(crate) fn begin(&self, mut registry: Mock, sources: Vec<(Key, Source)>) -> Simulation<Key, Mock> {
        registry.registry.judge = mock::judge::Judge::default();
        registry.registry.inject_faults(self.registry.faults.clone());
        let simulation = Simulation::new(self.seed, registry)
            .credentials(|_, _, _| Ok(Some(credentials())))
            .order(self.order.clone())
            .faults(self.faults.clone());
        sources.into_iter().fold(simulation, |simulation, (key, source)| simulation.source(key, source))
    }

    /// The push. It is open if a blob must be read before a manifest can name it.
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

    /// Whether manifests are supplied only after all blobs are hashed.
    fn is_open(&self) -> bool {
        self.unknown().next().is_some()
    }

    /// The numbers of the blobs whose digest is not known before they are read.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = usize> {
        (0..self.plan.blobs.len()).filter(|number| self.given(*number) == Given::Unknown)
    }
}

/// The blobs that the registry has.
fn stored(registry: &Mock) -> BTreeSet<Digest> {
    let contents = registry.registry.state.repositories.get(&Case::repository());
    contents.into_iter().flat_map(|contents| contents.blobs.keys().copied()).collect()
}

fn credentials() -> Credentials {
    Credentials::Basic { user: USER.to_owned(), password: Secret::new(PASSWORD.to_owned()) }
}
