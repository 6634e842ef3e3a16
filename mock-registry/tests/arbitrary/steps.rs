//! What happens to a registry, step by step.

use bytes::Bytes;
use http::{Request, StatusCode};
use longshore_mock_registry::{BodyEnd, Instant, Opened, Progress, Registry, RequestId};
use proptest::prelude::*;

use crate::requests::{Asking, Target, askings, bodies};

/// One thing that happens to a registry.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A request, with its body in one piece.
    Ask(Asking),
    /// A request whose body comes later.
    Open(Asking),
    /// A piece for one of the open requests.
    Piece(usize, Vec<u8>),
    /// The end of one of the open requests.
    Close(usize, bool),
    /// Time.
    Wait(u64),
}

/// Up to 39 of them.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => askings().prop_map(Step::Ask),
        3 => askings().prop_map(Step::Open),
        3 => (0..4_usize, bodies()).prop_map(|(which, bytes)| Step::Piece(which, bytes)),
        2 => (0..4_usize, any::<bool>()).prop_map(|(which, whole)| Step::Close(which, whole)),
        1 => (0..5_000_000_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..40)
}

/// What a run remembers: the time, the locations that the registry gave, and the requests that are open.
#[derive(Default)]
pub(crate) struct Memo {
    now: u64,
    pub(crate) locations: Vec<String>,
    open: Vec<RequestId>,
}

impl Memo {
    fn request(&self, asking: &Asking) -> Option<Request<Bytes>> {
        let path = match &asking.target {
            Target::Path(path) => path.clone(),
            Target::Location(which) => self.locations.get(which % self.locations.len().max(1))?.clone(),
        };
        let uri = match (asking.query.as_str(), path.contains('?')) {
            ("", _) => path,
            (query, true) => format!("{path}&{query}"),
            (query, false) => format!("{path}?{query}"),
        };
        let mut request = Request::builder().method(asking.method.as_str()).uri(uri);
        for (name, value) in &asking.headers {
            request = request.header(name, value);
        }
        request.body(Bytes::from(asking.body.clone())).ok()
    }

    fn learn(&mut self, location: Option<&http::HeaderValue>) {
        if let Some(location) = location.and_then(|location| location.to_str().ok()) {
            self.locations.push(location.to_owned());
        }
    }
}

/// Takes one step, and returns the status of the answer if there is one.
pub(crate) fn take(registry: &mut Registry, memo: &mut Memo, step: &Step) -> Option<StatusCode> {
    let now = Instant::from_micros(memo.now);
    match step {
        Step::Wait(micros) => memo.now += micros,
        Step::Ask(asking) => {
            let answer = registry.answer(now, memo.request(asking)?);
            let answer = answer.or_else(|undelivered| undelivered.arrived.ok_or(())).ok()?;
            memo.learn(answer.headers().get("location"));
            return Some(answer.status());
        }
        Step::Open(asking) => match registry.open(now, memo.request(asking)?.into_parts().0) {
            Opened::Body(id) => memo.open.push(id),
            Opened::Answer(answer) => return Some(answer.status),
        },
        Step::Piece(which, bytes) => {
            let id = *memo.open.get(which % memo.open.len().max(1))?;
            if let Progress::Answer(answer) = registry.piece(id, &Bytes::from(bytes.clone())) {
                memo.open.retain(|open| *open != id);
                return Some(answer.status);
            }
        }
        Step::Close(which, whole) => {
            let at = which % memo.open.len().max(1);
            let id = *memo.open.get(at)?;
            memo.open.remove(at);
            let how = if *whole { BodyEnd::Complete } else { BodyEnd::Cut };
            return Some(registry.close(now, id, how).status);
        }
    }
    None
}
