//! Rules about the number and the times of requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::{Method, Uri};
use longshore_core::header::RetryAfter;
use longshore_core::{Instant, Origin, Target};
use longshore_memory::{Entry, Said, Transcript};

use super::{Verdict, ensure};
use crate::run::Run;

/// The longest `Retry-After` with which a client with default options waits. After a longer one the push fails.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// I26: all requests to an origin wait as long as its `Retry-After` says. The answer to an aborted request does not
/// count. If the wait is longer than the limit, the push fails, and the client only cancels its uploads.
pub(crate) fn retry_after_is_kept<K>(transcript: &Transcript<K>) -> Verdict {
    let mut given_up: BTreeSet<u64> = BTreeSet::new();
    let origin = |uri: &Uri| Target::parse(&uri.to_string()).ok().map(|target| target.origin().clone());
    let mut asked: BTreeMap<u64, Option<Origin>> = BTreeMap::new();
    let mut paused: BTreeMap<Option<Origin>, Instant> = BTreeMap::new();
    for entry in &transcript.entries {
        match &entry.what {
            Said::Asked { head, .. } => {
                let origin = origin(&head.uri);
                let until = paused.get(&origin).copied().unwrap_or(Instant::ZERO);
                let is_over = until.since(entry.at) > LONGEST_WAIT && head.method == Method::DELETE;
                ensure(is_over || until <= entry.at, || {
                    format!("#{} is sent at {:?}, and a wait until {until:?} was asked for", entry.request, entry.at)
                })?;
                asked.insert(entry.request, origin);
            }
            Said::Aborted => {
                given_up.insert(entry.request);
            }
            Said::Answered { answer, .. } if !given_up.contains(&entry.request) => {
                if let (RetryAfter::Delay(delay), Some(origin)) =
                    (RetryAfter::read(answer.headers()), asked.get(&entry.request))
                {
                    let until = paused.entry(origin.clone()).or_default();
                    *until = (*until).max(entry.at + delay);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// No more requests are in flight to one origin than the client may have, and each is answered once.
pub(crate) fn requests_in_flight_are_capped<K>(in_flight: usize, transcript: &Transcript<K>) -> Verdict {
    let mut flying: BTreeMap<u64, String> = BTreeMap::new();
    for entry in &transcript.entries {
        match &entry.what {
            Said::Asked { head, .. } => {
                let origin = head.uri.authority().map(ToString::to_string).unwrap_or_default();
                let there = flying.values().filter(|other| **other == origin).count();
                ensure(there < in_flight, || format!("too many in flight to {origin}: {flying:?}"))?;
                flying.insert(entry.request, origin);
            }
            Said::Answered { .. } | Said::Failed(_) | Said::Aborted => {
                flying.remove(&entry.request);
            }
            _ => {}
        }
    }
    Ok(())
}

/// After a push has ended and the client is idle, no request is in flight.
pub(super) fn nothing_is_in_flight(run: &Run) -> Verdict {
    ensure(run.client.in_flight() == 0, || "the push ended, and requests are still in flight".to_owned())
}

/// Whether a registry sent a longer `Retry-After` than the limit.
pub(super) fn is_left_alone(run: &Run) -> bool {
    run.simulation.transcript().entries.iter().any(|entry| match &entry.what {
        Said::Answered { answer, .. } => {
            matches!(RetryAfter::read(answer.headers()), RetryAfter::Delay(delay) if delay > LONGEST_WAIT)
        }
        _ => false,
    })
}

/// I23: no more bytes of an answer are kept than its limit: 4 MiB of content that is read, 256 KiB of other answers.
pub(super) fn answers_are_bounded(run: &Run) -> Verdict {
    let entries = &run.simulation.transcript().entries;
    let is_read = |entry: &Entry<_>| matches!(&entry.what, Said::Asked { head, .. } if head.method == Method::GET);
    let read: BTreeSet<u64> = entries.iter().filter(|entry| is_read(entry)).map(|entry| entry.request).collect();
    for entry in entries {
        if let Said::Answered { answer, .. } = &entry.what {
            let most = if read.contains(&entry.request) { 4 << 20 } else { 256 << 10 };
            let len = answer.body().len();
            ensure(len <= most, || format!("#{}: {len} bytes of an answer are kept", entry.request))?;
        }
    }
    Ok(())
}
