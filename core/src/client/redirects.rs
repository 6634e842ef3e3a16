//! Follows redirects. Only this file does.

use bytes::Bytes;
use http::Response;

use super::Client;
use super::task::{Flight, Redirect, Task};
use crate::driver::Key;
use crate::endpoint::Row;
use crate::flow::{IfLost, Outcome};
use crate::outcome::{Failure, FailureKind};
use crate::target::{Source, Target, admit, check_redirect};

impl<K: Key> Client<K> {
    /// Queues the request in the lane of the origin that the redirect names.
    pub(super) fn redirected(&mut self, task: &mut Task<K>, flight: &Flight, response: &Response<Bytes>) {
        // No operation waits for the result of this write, and a redirect means that nothing was written.
        if flight.if_lost == IfLost::Forget && flight.row != Row::CancelUpload {
            return self.settle(task, Outcome::Unknown { answer: None });
        }
        match self.redirect(task, flight, response) {
            Ok(redirect) => {
                task.redirect = Some(redirect);
                // The lane counts this redirect as a served request, but it serves no other request.
                if let Some(throttled) = &mut task.throttled {
                    throttled.served = throttled.served.saturating_add(1);
                }
            }
            Err(failure) => self.settle(task, Outcome::Failed(failure.at(flight.row, flight.target.clone()))),
        }
    }

    fn redirect(&self, task: &Task<K>, flight: &Flight, response: &Response<Bytes>) -> Result<Redirect, Failure> {
        let followed = task.redirect.as_ref().map_or(0, |redirect| redirect.followed);
        check_redirect(&flight.method, response.status(), followed, self.options.redirects)
            .map_err(|error| refused(error.to_string()))?;
        let to = location(&flight.target, response)?;
        let is_list = matches!(flight.row, Row::ListReferrers | Row::ListSomeReferrers);
        if is_list && to.origin() != flight.target.origin() {
            // A registry that redirects the request for referrers has no referrers API (quirk `referrers-303-to-html`).
            return Err(refused("the registry redirects the request for referrers".to_owned()));
        }
        if flight.is_poured {
            return Err(Failure::new(FailureKind::NotReplayable));
        }
        let admitted = admit(&self.options.policy, &task.registry, &flight.target, to, Source::Redirect);
        let admitted = admitted.map_err(|refusal| refused(refusal.to_string()))?;
        // After a redirect to another origin credentials are not sent any more, not even back at the registry, because
        // another origin named the target.
        let was_trusted = task.redirect.as_ref().is_none_or(|redirect| redirect.credentials_may_follow);
        let credentials_may_follow = admitted.credentials_may_follow && was_trusted;
        Ok(Redirect { target: admitted.target, followed: followed.saturating_add(1), credentials_may_follow })
    }
}

fn location(from: &Target, response: &Response<Bytes>) -> Result<Target, Failure> {
    match crate::header::location(response.headers(), from) {
        Ok(Some(target)) => Ok(target),
        Ok(None) => Err(refused("the registry redirects without a Location".to_owned())),
        Err(error) => Err(refused(format!("the registry redirects to a Location that cannot be used: {error}"))),
    }
}

fn refused(why: String) -> Failure {
    Failure::new(FailureKind::Refused(why))
}
