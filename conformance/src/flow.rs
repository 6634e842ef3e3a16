//! The ways in which a push goes, one case each: what exhaustive tests go through.

use longshore_core::Learned;

use crate::case::CHUNK;
use crate::case::{Case, Given};
use crate::image::{BlobPlan, DocumentPlan, Plan, Subject};

/// One way in which a push goes.
#[derive(Debug, Clone)]
pub struct Flow {
    /// What it is called.
    pub name: &'static str,
    /// A push that goes this way.
    pub case: Case,
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Flow> {
    let flow = |name, case| Flow { name, case };
    vec![
        flow("POST and PUT", image(&[20, 90, 10])),
        flow("one POST", taking_single_posts(image(&[20, 90]))),
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
        flow("an index of two images", index()),
        flow("an artifact", attached(1)),
        flow("artifacts, lists under tags", without_referrers(attached(2))),
        flow("one artifact more, lists under tags", {
            let before = without_referrers(attached(1));
            pushed_before(before, without_referrers(attached(2)))
        }),
    ]
}

/// An image of blobs of these lengths, the first of them its config.
fn image(lens: &[u64]) -> Case {
    let blob = |(number, len): (usize, &u64)| BlobPlan { len: *len as usize, fill: number as u8, sha512: false };
    let blobs: Vec<BlobPlan> = lens.iter().enumerate().map(blob).collect();
    let document = document((0..blobs.len()).collect(), Vec::new());
    Case::new(Plan { blobs, documents: vec![document], attached: 0 })
}

const fn document(blobs: Vec<usize>, children: Vec<usize>) -> DocumentPlan {
    DocumentPlan { blobs, children, docker: false, subject: Subject::None }
}

fn index() -> Case {
    let mut case = image(&[20, 90, 40]);
    let images = [document(vec![0, 1], Vec::new()), document(vec![2, 1], Vec::new())];
    case.plan.documents = images.into_iter().chain([document(Vec::new(), vec![0, 1])]).collect();
    case
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

fn without_referrers(mut case: Case) -> Case {
    case.registry.behaviour.referrers.api = longshore_mock_registry::behaviour::ReferrersApi::NotFound;
    case
}

fn pushed_before(before: Case, mut case: Case) -> Case {
    case.before = Some(Box::new(before));
    case
}
