//! Applies faults to requests.

use std::time::Duration;

use http::header::{CONTENT_LENGTH, DATE, LOCATION, RETRY_AFTER};
use http::{Method, StatusCode};

use super::effect::FaultEffect;
use super::when::Candidate;
use super::{Fault, RetryAfter, Struck};
use crate::answer::{Answer, Body, Delivery};
use crate::judge::JudgedRequest;
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use crate::route::Route;
use crate::uploads::gone;
use longshore_core::Row;

/// The most faults that are recorded after they struck.
const REMEMBERED: usize = 100_000;

impl Registry {
    /// The faults of a request: one that answers it at once, or effects on the rest of it.
    pub(crate) fn strike(&mut self, request: &ParsedRequest, judged: &JudgedRequest) -> (FaultEffect, Option<Answer>) {
        let mut effect = FaultEffect::default();
        let candidate = Candidate {
            method: &request.method,
            row: request.row,
            repository: judged.repository.as_ref(),
            digest: judged.digest,
        };
        let rules = self.options.faults.rules.iter();
        let whens = rules.map(|rule| &rule.when);
        let striking = self.fault_counters.count(whens, &candidate, self.now, &self.options.seed);
        let mut early = None;
        let mut first = true;
        for at in striking {
            let Some(fault) = self.options.faults.rules.get(at).map(|rule| rule.fault.clone()) else { continue };
            if fault.is_pace() || std::mem::take(&mut first) {
                if self.struck.len() < REMEMBERED {
                    let request = judged.number - self.faults_from;
                    self.struck.push(Struck { request, row: judged.row, fault: fault.clone() });
                }
                early = self.apply(fault, request, &mut effect).or(early);
            }
        }
        (effect, early)
    }

    /// Applies a fault. Returns the answer if the fault ends the request.
    fn apply(&mut self, fault: Fault, request: &ParsedRequest, effect: &mut FaultEffect) -> Option<Answer> {
        match fault {
            Fault::NotSent => return Some(undelivered(request.row, Delivery::NotSent)),
            Fault::RequestLost => return Some(undelivered(request.row, Delivery::Lost)),
            Fault::RequestReset => return Some(undelivered(request.row, Delivery::Reset)),
            Fault::BodyCut(_) if !request.has_body() => return Some(undelivered(request.row, Delivery::Lost)),
            Fault::HealthCheck => return Some(healthy(request.row)),
            Fault::UploadMissed if matches!(request.route, Route::Upload(..)) => {
                return Some(self.refused(request.row, gone()));
            }
            Fault::UploadMissed => {}
            Fault::Status(given, retry_after) => return Some(self.turned_away(request, given, retry_after)),
            Fault::Redirect(given, url) => return Some(redirected(request, given, url)),
            Fault::BodyCut(bytes) => effect.body_cut = Some(bytes),
            Fault::AnswerLost => effect.delivery = Delivery::Lost,
            Fault::AnswerReset => effect.delivery = Delivery::Reset,
            Fault::HeadCut(bytes) => effect.delivery = Delivery::HeadCut(bytes),
            Fault::AnswerCut(bytes) => effect.delivery = Delivery::CutAfter(bytes),
            Fault::Garbage => effect.delivery = Delivery::Garbage,
            Fault::Oversize(bytes) => effect.oversize = Some(bytes),
            Fault::Latency(micros) => effect.pace.late = effect.pace.late.saturating_add(micros),
            Fault::DripRequest(rate) => effect.request_rate = slower(effect.request_rate, rate),
            Fault::DripAnswer(rate) => effect.pace.rate = slower(effect.pace.rate, rate),
            Fault::Bandwidth(rate) => {
                effect.request_rate = slower(effect.request_rate, rate);
                effect.pace.rate = slower(effect.pace.rate, rate);
            }
            Fault::Location(url) => effect.location = Some(url),
            Fault::TokenExpired => effect.token_expired = true,
            Fault::BlobNotYetVisible => effect.blobs_hidden = true,
            Fault::HiddenFromGet => effect.hidden_from_get = true,
            Fault::Twice => effect.twice = true,
            Fault::UploadGone => {
                if let Route::Upload(repository, id) = &request.route
                    && self.upload(repository, id).is_ok_and(|upload| !upload.busy)
                {
                    self.drop_upload(id);
                }
            }
        }
        None
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
            Some(RetryAfter::Text(text)) => answer.header(RETRY_AFTER, text),
            Some(RetryAfter::Date(seconds)) => {
                let now = self.calendar_start.saturating_add(Duration::from_micros(self.now.as_micros()));
                let later = Duration::from_secs(now.as_secs().saturating_add(seconds));
                answer.header(DATE, date(now)).header(RETRY_AFTER, date(later))
            }
        }
    }

    /// The refusal of a `GET` of content that a fault hides.
    pub(crate) fn check_hidden(&self, request: &ParsedRequest, effect: &FaultEffect) -> Result<(), Refusal> {
        let code = match request.row {
            Some(Row::PullBlob | Row::CheckBlob) => Code::BlobUnknown,
            Some(Row::PullManifest | Row::CheckManifest) => Code::ManifestUnknown,
            _ => return Ok(()),
        };
        if effect.hidden_from_get && request.method == Method::GET {
            return Err(Refusal::not_found(code, "the content is not there yet"));
        }
        Ok(())
    }
}

const fn slower(before: Option<u64>, rate: u64) -> Option<u64> {
    match before {
        Some(before) if before < rate => Some(before),
        _ => Some(rate),
    }
}

/// The answer of a load balancer's health check, whatever was requested.
fn healthy(row: Option<Row>) -> Answer {
    Answer::new(row, StatusCode::OK).body("text/plain", Body::Bytes("Healthcheck requested".into()))
}

fn redirected(request: &ParsedRequest, given: u16, url: Option<String>) -> Answer {
    let url = url.unwrap_or_else(|| request.path_and_query.clone());
    Answer::new(request.row, status(given)).header(LOCATION, url).header(CONTENT_LENGTH, 0)
}

fn undelivered(row: Option<Row>, delivery: Delivery) -> Answer {
    let mut answer = Answer::new(row, StatusCode::INTERNAL_SERVER_ERROR).header(CONTENT_LENGTH, 0);
    answer.delivery = delivery;
    answer
}

/// An instant as an HTTP date.
fn date(since_1970: Duration) -> String {
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since_1970.min(Duration::from_secs(253_402_300_799)))
}
