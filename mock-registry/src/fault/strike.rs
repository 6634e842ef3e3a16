//! Faults striking.

use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_LENGTH, DATE, RETRY_AFTER};

use super::{Fault, RetryAfter, Struck};
use crate::answer::{Answer, Body, Delivery, Row};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use crate::route::Route;
use crate::uploads::gone;

/// How many faults that struck are remembered.
const REMEMBERED: usize = 100_000;

/// What a fault does to the rest of a request.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultEffect {
    /// How the answer is delivered.
    pub(crate) delivery: Delivery,
    /// After how many bytes of its body the request breaks off.
    pub(crate) body_cut: Option<u64>,
    /// Whether blobs are not there.
    pub(crate) blobs_hidden: bool,
    /// Whether the answer to a token is that it is no longer good.
    pub(crate) token_expired: bool,
}

impl Registry {
    /// What goes wrong with a request: at once, or later.
    pub(crate) fn strike(&mut self, request: &ParsedRequest) -> Result<FaultEffect, Answer> {
        self.requests += 1;
        let in_row = self.requests_of.entry(request.row).or_default();
        *in_row += 1;
        let number = self.requests - self.faults_from;
        let fault = self.options.faults.striking(number, request.row, *in_row).cloned();
        let Some(fault) = fault else { return Ok(FaultEffect::default()) };
        if self.struck.len() < REMEMBERED {
            self.struck.push(Struck { request: number, row: request.row, fault: fault.clone() });
        }
        let mut effect = FaultEffect::default();
        match fault {
            Fault::RequestLost => return Err(lost(request.row)),
            Fault::BodyCut(_) if !request.has_body() => return Err(lost(request.row)),
            Fault::HealthCheck => return Err(healthy(request.row)),
            Fault::UploadMissed if matches!(request.route, Route::Upload(..)) => {
                return Err(self.refused(request.row, gone()));
            }
            Fault::UploadMissed => {}
            Fault::Status(given, retry_after) => return Err(self.turned_away(request, given, retry_after)),
            Fault::BodyCut(bytes) => effect.body_cut = Some(bytes),
            Fault::AnswerLost => effect.delivery = Delivery::Lost,
            Fault::AnswerCut(bytes) => effect.delivery = Delivery::CutAfter(bytes),
            Fault::Slow(micros) => effect.delivery = Delivery::Late(micros),
            Fault::TokenExpired => effect.token_expired = true,
            Fault::BlobNotYetVisible => effect.blobs_hidden = true,
            Fault::UploadGone => {
                if let Route::Upload(repository, id) = &request.route
                    && self.upload(repository, id).is_ok_and(|upload| !upload.busy)
                {
                    self.drop_upload(id);
                }
            }
        }
        Ok(effect)
    }

    fn turned_away(&self, request: &ParsedRequest, given: u16, retry_after: Option<RetryAfter>) -> Answer {
        let refusal = match given {
            429 => Refusal::new(status(given), Code::TooManyRequests, "too many requests"),
            _ => Refusal::new(status(given), Code::Unknown, "somebody on the way cannot answer"),
        };
        let answer = self.refused(request.row, refusal);
        match retry_after {
            None => answer,
            Some(RetryAfter::Seconds(seconds)) => answer.header(RETRY_AFTER, seconds),
            Some(RetryAfter::Date(seconds)) => {
                let now = Duration::from_micros(self.now.as_micros());
                let later = Duration::from_secs(now.as_secs().saturating_add(seconds));
                answer.header(DATE, date(now)).header(RETRY_AFTER, date(later))
            }
        }
    }
}

/// An answer whose delivery is what a fault made of it.
pub(crate) fn delivered(mut answer: Answer, delivery: Delivery) -> Answer {
    answer.delivery = match delivery {
        Delivery::Whole => return answer,
        Delivery::CutAfter(bytes) if bytes >= answer.body.len() => Delivery::Lost,
        other => other,
    };
    answer
}

/// What says that all is well, to somebody who asked for something else.
fn healthy(row: Row) -> Answer {
    Answer::new(row, StatusCode::OK).body("text/plain", Body::Bytes("Healthcheck requested".into()))
}

fn lost(row: Row) -> Answer {
    let mut answer = Answer::new(row, StatusCode::INTERNAL_SERVER_ERROR).header(CONTENT_LENGTH, 0);
    answer.delivery = Delivery::Lost;
    answer
}

/// A moment as HTTP writes it, on a calendar whose origin is 1970.
fn date(since_origin: Duration) -> String {
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since_origin.min(Duration::from_secs(253_402_300_799)))
}
