//! Faults between the client and the handler, and the requests that they affect.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::random::Random;

/// A fault of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is not sent.
    NotSent,
    /// The connection is lost before the handler receives the request.
    RequestLost,
    /// The handler applies the request, and its answer is lost.
    AnswerLost,
    /// The connection is lost, but the handler still receives the request, after this time.
    RequestLate(Duration),
    /// The connection is lost after this many bytes of the request's body, so the handler receives an incomplete body.
    BodyCut(u64),
    /// The answer's body is cut after this many bytes. An answer without a body is lost.
    AnswerCut(usize),
    /// The handler receives the request twice. The client receives the second answer.
    Twice,
    /// A proxy answers with this status and `Retry-After` in seconds, and the handler does not receive the request.
    Status(StatusCode, Option<u64>),
    /// The answer takes this much longer.
    Slow(Duration),
    /// The answer comes without this header.
    HeaderMissing(HeaderName),
    /// The answer has this header with this value, and no other of its name.
    HeaderChanged(HeaderName, HeaderValue),
    /// The answer has this body.
    BodyChanged(Bytes),
}

impl Fault {
    /// Every fault that a client must recover from, with values for small bodies.
    #[must_use]
    pub fn every_passing() -> Vec<Self> {
        let status = |code: u16| StatusCode::from_u16(code).ok();
        let mut faults = vec![
            Self::NotSent,
            Self::RequestLost,
            Self::AnswerLost,
            Self::RequestLate(Duration::from_millis(1)),
            Self::RequestLate(Duration::from_secs(2)),
            Self::BodyCut(0),
            Self::BodyCut(1),
            Self::BodyCut(100),
            Self::AnswerCut(0),
            Self::AnswerCut(1),
            Self::Twice,
            Self::Slow(Duration::from_secs(60)),
        ];
        let statuses = [408, 429, 499, 500, 502, 503, 504, 522].into_iter().filter_map(status);
        faults.extend(statuses.map(|status| Self::Status(status, None)));
        faults.extend([429, 503].into_iter().filter_map(status).map(|status| Self::Status(status, Some(7))));
        faults
    }

    /// Applies the fault to an answer.
    pub(crate) fn change(&self, answer: &mut Response<Bytes>) {
        match self {
            Self::HeaderMissing(name) => drop(answer.headers_mut().remove(name)),
            Self::HeaderChanged(name, value) => drop(answer.headers_mut().insert(name, value.clone())),
            Self::BodyChanged(body) => *answer.body_mut() = body.clone(),
            _ => {}
        }
    }
}

/// The faults of a simulation, by request. Requests are counted from 1, in the order in which the client sends them.
///
/// [`Display`](std::fmt::Display) writes the list that [`Schedule::list`] takes.
#[derive(Clone, Default)]
pub struct Schedule {
    listed: BTreeMap<u64, Fault>,
    random: Option<Swarm>,
}

/// Faults at random.
#[derive(Debug, Clone)]
struct Swarm {
    random: Random,
    per_thousand: u64,
    left: u64,
    among: Vec<Fault>,
}

impl Schedule {
    /// These requests have these faults.
    #[must_use]
    pub fn list(faults: impl IntoIterator<Item = (u64, Fault)>) -> Self {
        Self { listed: faults.into_iter().collect(), random: None }
    }

    /// On average `per_thousand` of a thousand requests have a fault, and at most `most` in total.
    #[must_use]
    pub fn random(seed: u64, per_thousand: u64, most: u64) -> Self {
        let among = Fault::every_passing();
        Self {
            listed: BTreeMap::new(),
            random: Some(Swarm { random: Random::new(seed), per_thousand, left: most, among }),
        }
    }

    /// Sets the faults that [`Schedule::random`] chooses from. The default is [`Fault::every_passing`].
    #[must_use]
    pub fn among(mut self, faults: Vec<Fault>) -> Self {
        if let Some(swarm) = &mut self.random {
            swarm.among = faults;
        }
        self
    }

    /// The fault of request number `ordinal`. It must be called once for each request, in order.
    pub(crate) fn draw(&mut self, ordinal: u64) -> Option<Fault> {
        if let Some(swarm) = &mut self.random
            && swarm.left > 0
            && swarm.random.below(1000) < swarm.per_thousand
        {
            let index = usize::try_from(swarm.random.below(swarm.among.len() as u64)).unwrap_or(0);
            if let Some(fault) = swarm.among.get(index) {
                swarm.left -= 1;
                self.listed.insert(ordinal, fault.clone());
            }
        }
        self.listed.get(&ordinal).cloned()
    }

    /// What the first `requests` requests meet, as a list: the same faults without chance.
    #[must_use]
    pub fn listed(&self, requests: u64) -> Self {
        let mut all = self.clone();
        (1..=requests).for_each(|ordinal| drop(all.draw(ordinal)));
        Self::list(all.listed)
    }

    /// The faults that have been drawn or are listed, each with the number of its request, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Fault)> {
        self.listed.iter().map(|(ordinal, fault)| (*ordinal, fault))
    }

    /// How many faults have occurred or are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    /// Whether there are no faults so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match &self.random {
            Some(Swarm { random, per_thousand, left, .. }) if *left > 0 => {
                write!(f, " and {left} more, {per_thousand} in a thousand requests, by {random:?}")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.listed.iter().collect::<Vec<_>>())
    }
}
