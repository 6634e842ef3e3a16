//! Test support: plays one flow against a registry that is a function.

use bytes::Bytes;
use http::Response;

use super::{Context, Flow, Next, Outcome};
use crate::config::{Learned, Options, RepositoryRef};
use crate::driver::End;
use crate::endpoint::{Refused, Row};
use crate::outcome::Failure;
use crate::{Instant, Target};

/// The context that a flow is played in, and a record of its requests.
#[derive(Default)]
pub(crate) struct Stage {
    pub(crate) options: Options,
    pub(crate) learned: Learned,
    pub(crate) now: Instant,
    /// Method, path and query of each request, with `/v2/a/b` left out.
    pub(crate) requests: Vec<String>,
    /// The waits that the flow asked for: after how many failures in a row each.
    pub(crate) waits: Vec<u32>,
}

/// The repository that the flows work on.
pub(crate) fn place() -> RepositoryRef {
    let registry = Target::parse("https://registry.example/").unwrap();
    RepositoryRef { origin: registry.origin().clone(), repository: "a/b".parse().unwrap() }
}

/// An answer after which it is not known what was done.
pub(crate) fn transient(answer: &Response<Bytes>) -> Box<Refused> {
    Box::new(Refused::read(Row::CloseUpload, answer))
}

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Bytes> {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(body.into()).unwrap()
}

impl Stage {
    /// Calls `act` with a context.
    pub(crate) fn with<R>(&mut self, act: impl FnOnce(&mut Context<'_, u8>) -> R) -> R {
        let (mut events, mut pause, mut unseen) = (Vec::new(), 0, None);
        let result = act(&mut Context {
            options: &self.options,
            now: self.now,
            learned: &mut self.learned,
            events: &mut events,
            pause: &mut pause,
            unseen: &mut unseen,
        });
        self.waits.extend((pause > 0).then_some(pause));
        result
    }

    /// Plays a flow without one-shot blobs to its end. `registry` answers each request, which it is given as in
    /// [`Stage::requests`]. If it returns a transient status or no answer, the outcome is [`Outcome::Unknown`].
    pub(crate) fn play<F: Flow<u8>>(
        &mut self,
        mut flow: F,
        registry: impl Fn(&str) -> Option<Response<Bytes>>,
    ) -> Result<F::Output, Failure> {
        loop {
            let outcome = match flow.next(&self.options) {
                Next::Done => return flow.finish(),
                Next::Read { .. } | Next::Hold => unreachable!("nothing here is read once, or held"),
                Next::Send(Err(failure)) => Outcome::Failed(failure),
                Next::Send(Ok(exchange)) => {
                    let path = exchange.target.path_and_query().trim_start_matches("/v2/a/b").replace("%3A", ":");
                    let request = format!("{} {path}", exchange.request.method());
                    self.requests.push(request.clone());
                    match registry(&request) {
                        None => Outcome::Unknown { answer: None },
                        Some(answer) if matches!(answer.status().as_u16(), 499 | 502) => {
                            Outcome::Unknown { answer: Some(transient(&answer)) }
                        }
                        Some(response) => {
                            Outcome::Answer { from: exchange.target.clone(), response, end: End::Complete }
                        }
                    }
                }
            };
            self.with(|context| flow.outcome(outcome, context));
        }
    }
}
