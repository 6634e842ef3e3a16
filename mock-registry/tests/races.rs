//! Two requests that write the same name at the same time: every order in which their heads, bodies and ends can come.

#[path = "transcript/mod.rs"]
mod transcript;

use bytes::Bytes;
use http::Request;
use longshore_mock_registry::behaviour::ImmutableTags;
use longshore_mock_registry::{Answer, BodyEnd, Instant, Opened, Progress, Registry, RegistryOptions, RequestId};
use transcript::{Stage, image, sha256};

const NOW: Instant = Instant::from_micros(0);

/// A request on its way: its path, what it demands, its body, and how far it is.
struct Writer {
    path: String,
    condition: Option<&'static str>,
    body: Bytes,
    pending: Option<RequestId>,
    answer: Option<Answer>,
}

impl Writer {
    fn new(path: String, condition: Option<&'static str>, body: &str) -> Self {
        Self { path, condition, body: Bytes::from(body.to_owned()), pending: None, answer: None }
    }

    /// Its head, the two halves of its body, or its end.
    fn step(&mut self, registry: &mut Registry, step: usize) {
        if self.answer.is_some() {
            return;
        }
        let half = self.body.len() / 2;
        match (step, self.pending) {
            (0, _) => {
                let head = Request::put(&self.path).header("content-length", self.body.len());
                let head = self.condition.iter().fold(head, |head, condition| head.header("if-none-match", *condition));
                match registry.open(NOW, head.body(()).unwrap().into_parts().0) {
                    Opened::Body(pending) => self.pending = Some(pending),
                    Opened::Answer(answer) => self.answer = Some(answer),
                }
            }
            (1 | 2, Some(pending)) => {
                let piece = if step == 1 { self.body.slice(..half) } else { self.body.slice(half..) };
                if let Progress::Answer(answer) = registry.piece(pending, &piece) {
                    self.answer = Some(answer);
                }
            }
            (_, Some(pending)) => self.answer = Some(registry.close(NOW, pending, BodyEnd::Complete)),
            (_, None) => panic!("it was not opened"),
        }
    }

    fn status(&self) -> u16 {
        self.answer.as_ref().unwrap().status.as_u16()
    }
}

/// All orders of four steps of each of two writers.
fn orders() -> Vec<Vec<usize>> {
    (0..1_u32 << 8)
        .filter(|bits| bits.count_ones() == 4)
        .map(|bits| (0..8).map(|at| (bits >> at & 1) as usize).collect())
        .collect()
}

/// Runs two writers in every order. One of them succeeds, and the other is refused with `refused`; the tag names what the
/// first one brought, and so it stays.
fn one_wins(change: impl Fn(&mut RegistryOptions), paths: [&str; 2], condition: Option<&'static str>, refused: u16) {
    let mut wins = [0, 0];
    for order in orders() {
        let mut stage = Stage::new(RegistryOptions::default());
        let bodies = [image(&mut stage, "a", ""), image(&mut stage, "a", r#","annotations":{"other":"1"}"#)];
        change(&mut stage.registry.options);
        let mut steps = [0, 0];
        let mut writers: Vec<Writer> = (0..2)
            .map(|i| Writer::new(paths[i].replace("{digest}", &sha256(&bodies[i]).to_string()), condition, &bodies[i]))
            .collect();
        for who in &order {
            writers[*who].step(&mut stage.registry, steps[*who]);
            steps[*who] += 1;
        }
        // Whoever ended first was there first.
        let first = 1 - order.last().unwrap();
        wins[first] += 1;
        let statuses = [writers[first].status(), writers[1 - first].status()];
        assert_eq!(statuses, [201, refused], "{order:?}");
        let named = stage.registry.state.repositories[&"a".parse().unwrap()].tags[&"v1".parse().unwrap()];
        assert_eq!(named, sha256(&bodies[first]), "{order:?}");
    }
    assert_eq!(wins, [35, 35]);
}

const BY_TAG: &str = "/v2/a/manifests/v1";
const BY_DIGEST: &str = "/v2/a/manifests/{digest}?tag=v1";

#[test]
fn s4_an_immutable_tag_is_not_moved_in_a_race() {
    for paths in [[BY_TAG, BY_TAG], [BY_TAG, BY_DIGEST], [BY_DIGEST, BY_TAG], [BY_DIGEST, BY_DIGEST]] {
        for same_is_fine in [true, false] {
            let rule = ImmutableTags::new(409, "TAG_IMMUTABLE", same_is_fine);
            one_wins(|options| options.behaviour.manifests.immutable_tags = Some(rule.clone()), paths, None, 409);
        }
    }
}

/// RFC 9110, section 13.1.2: `If-None-Match: *` lets one of two through that both find nothing.
#[test]
fn a_condition_is_looked_at_when_the_manifest_is_stored() {
    one_wins(|_| (), [BY_TAG, BY_TAG], Some("*"), 412);
}
