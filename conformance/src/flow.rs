//! The flows: the different ways a push can take, one case each. The exhaustive tests run all of them.

use std::time::Duration;

use longshore_core::Learned;
use longshore_mock_registry::RegistryOptions;
use longshore_mock_registry::behaviour::{ReferrersApi, SinglePost};

use crate::case::{CHUNK, Case, Given, Interrupted};
use crate::image::{BlobPlan, DocumentPlan, Plan, Subject};

/// One way that a push can take.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Its name.
    pub name: &'static str,
    /// A push that takes this way, to a registry without quirks.
    pub case: Case,
    /// The behaviour of the registry without which the push would take another way.
    registry: fn(&mut RegistryOptions),
    /// Whether the registry requires credentials.
    is_let_in: bool,
}

impl Flow {
    fn new(name: &'static str, case: Case) -> Self {
        Self { name, case, registry: |_| {}, is_let_in: false }
    }

    /// Sets the behaviour that the registry must have.
    fn with(mut self, registry: fn(&mut RegistryOptions)) -> Self {
        self.registry = registry;
        self.set_up();
        self
    }

    /// Lets only the suite's own user push to the registry.
    fn let_in(mut self) -> Self {
        self.is_let_in = true;
        crate::case::let_in(&mut self.case, "*=*");
        self
    }

    /// The push of this flow to this registry.
    #[must_use]
    pub fn at(&self, registry: &RegistryOptions) -> Case {
        let mut flow = self.clone();
        flow.case.registry = registry.clone();
        flow.case.registry.auth = registry.auth.clone().filter(|_| self.is_let_in);
        if let Some(before) = &mut flow.case.before {
            before.registry = flow.case.registry.clone();
        }
        flow.set_up();
        flow.case
    }

    fn set_up(&mut self) {
        (self.registry)(&mut self.case.registry);
        if let Some(before) = &mut self.case.before {
            (self.registry)(&mut before.registry);
        }
    }
}

/// All flows.
#[must_use]
pub fn all() -> Vec<Flow> {
    let flow = Flow::new;
    vec![
        flow("POST and PUT", image(&[20, 90, 10])),
        flow("one POST", taking_single_posts(image(&[20, 90]))),
        flow("one POST, which opens an upload", taking_single_posts(image(&[20, 90])))
            .with(|registry| registry.behaviour.start.single_post = SinglePost::Ignored),
        flow("one streamed PATCH", without_whole_puts(image(&[90]))),
        flow("chunks", without_streams(image(&[4 * CHUNK + 7, 10]))),
        flow("chunks, the last in the PUT", in_chunks(image(&[4 * CHUNK + 7]))),
        flow("no byte", image(&[0])),
        flow("blobs that are there", given(image(&[20, 90]), &[Given::Present])),
        flow("mounted", given(image(&[20, 90]), &[Given::Elsewhere])),
        flow("mounted from where it is not", given(image(&[20, 90]), &[Given::NotThere])),
        flow("read once", given(image(&[20, 3 * CHUNK + 5]), &[Given::Once])),
        flow("out of a pipe", given(image(&[20, 3 * CHUNK + 5]), &[Given::Unknown])),
        flow("pushed before", pushed_before(image(&[20, 90]), image(&[20, 90]))),
        flow("one layer changed", pushed_before(image(&[20, 90, 40]), image(&[20, 90, 60]))),
        flow("three tags", Case { tags: 3, ..image(&[20]) }),
        flow("by digest", Case { tags: 0, ..image(&[20]) }),
        flow("an index of two images", index(2)),
        flow("an index of one image more", pushed_before(index(2), index(3))),
        flow("an artifact", attached(1)),
        flow("artifacts, lists under tags", attached(2)).with(without_referrers),
        flow("one artifact more, lists under tags", pushed_before(attached(1), attached(2))).with(without_referrers),
        flow("let in", image(&[20, 90])).let_in(),
        flow("let in, mounted", given(image(&[20, 90]), &[Given::Elsewhere])).let_in(),
        flow("let in, and tokens end midway", image(&[20, 3 * CHUNK + 5])).let_in().with(tokens_end),
        flow("cancelled", interrupted(Interrupted::CancelledAfter(30))),
        flow("gone on with", interrupted(Interrupted::ResumedAfter(30))),
    ]
}

/// An image with blobs of these lengths. The first is its config.
fn image(lens: &[u64]) -> Case {
    let blob = |(number, len): (usize, &u64)| BlobPlan { len: *len as usize, fill: number as u8, sha512: false };
    let blobs: Vec<BlobPlan> = lens.iter().enumerate().map(blob).collect();
    let document = document((0..blobs.len()).collect(), Vec::new());
    Case::new(Plan { blobs, documents: vec![document], attached: 0 })
}

const fn document(blobs: Vec<usize>, children: Vec<usize>) -> DocumentPlan {
    DocumentPlan { blobs, children, docker: false, subject: Subject::None }
}

/// An index of this many images, which share a layer.
fn index(images: usize) -> Case {
    let mut case = image(&[20, 90, 40, 50]);
    let listed = (0..images).map(|number| document(vec![[0, 2, 3][number % 3], 1], Vec::new()));
    case.plan.documents = listed.chain([document(Vec::new(), (0..images).collect())]).collect();
    case
}

/// A push that is interrupted while it sends chunks.
fn interrupted(interrupted: Interrupted) -> Case {
    Case { interrupted, ..in_chunks(image(&[20, 4 * CHUNK + 7])) }
}

fn attached(artifacts: usize) -> Case {
    let mut case = image(&[20, 30]);
    case.plan.attached = artifacts;
    case
}

fn given(mut case: Case, given: &[Given]) -> Case {
    case.given = given.to_vec();
    case
}

fn learning(mut case: Case, learn: impl FnOnce(&mut Learned)) -> Case {
    learn(&mut case.client.learned);
    case
}

fn taking_single_posts(mut case: Case) -> Case {
    case.client.single_post = 1 << 20;
    case
}

fn without_whole_puts(case: Case) -> Case {
    learning(case, |learned| learned.whole_put = Some(false))
}

fn without_streams(case: Case) -> Case {
    learning(without_whole_puts(case), |learned| learned.streamed_patch = Some(false))
}

fn in_chunks(mut case: Case) -> Case {
    case.client.chunk_above = CHUNK;
    case
}

fn without_referrers(registry: &mut RegistryOptions) {
    registry.behaviour.referrers.api = ReferrersApi::NotFound;
}

/// The token with which an upload was begun has expired when the wait of the client is over.
fn tokens_end(registry: &mut RegistryOptions) {
    if let Some(auth) = &mut registry.auth {
        auth.lifetime = Duration::from_secs(60);
    }
    registry.faults = "end-6#1: status 503 retry-after 90".parse().expect("this is a plan");
}

fn pushed_before(before: Case, mut case: Case) -> Case {
    case.before = Some(Box::new(before));
    case
}
