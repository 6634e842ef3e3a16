//! Fault plans as people write them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Fault, FaultPlan, FaultRule, RetryAfter, When};
use crate::Row;

/// Why a text is not a [`FaultPlan`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not a fault: write number=fault or row/number=fault, for example 3=answer-lost or end-6/1=status:503:7; \
     faults are request-lost, answer-lost, body-cut:BYTES, answer-cut:BYTES, slow:MICROSECONDS, status:CODE, \
     status:CODE:SECONDS, status-date:CODE:SECONDS, token-expired, blob-not-yet-visible, upload-gone, \
     upload-missed and health-check"
)]
#[non_exhaustive]
pub struct FaultError(
    /// What was given, cut to 256 characters.
    pub String,
);

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, rule) in self.rules.iter().enumerate() {
            write!(f, "{}{rule}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            When::Request(number) => write!(f, "{number}=")?,
            When::Row(row, number) => write!(f, "{row}/{number}=")?,
        }
        match &self.fault {
            Fault::RequestLost => f.write_str("request-lost"),
            Fault::AnswerLost => f.write_str("answer-lost"),
            Fault::BodyCut(bytes) => write!(f, "body-cut:{bytes}"),
            Fault::AnswerCut(bytes) => write!(f, "answer-cut:{bytes}"),
            Fault::Slow(micros) => write!(f, "slow:{micros}"),
            Fault::Status(status, None) => write!(f, "status:{status}"),
            Fault::Status(status, Some(RetryAfter::Seconds(seconds))) => write!(f, "status:{status}:{seconds}"),
            Fault::Status(status, Some(RetryAfter::Date(seconds))) => write!(f, "status-date:{status}:{seconds}"),
            Fault::TokenExpired => f.write_str("token-expired"),
            Fault::BlobNotYetVisible => f.write_str("blob-not-yet-visible"),
            Fault::UploadGone => f.write_str("upload-gone"),
            Fault::UploadMissed => f.write_str("upload-missed"),
            Fault::HealthCheck => f.write_str("health-check"),
        }
    }
}

impl FromStr for FaultPlan {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let rules = text.split(',').map(str::trim).filter(|rule| !rule.is_empty());
        let rule = |text: &str| rule(text).ok_or_else(|| FaultError(text.chars().take(256).collect()));
        Ok(Self { rules: rules.map(rule).collect::<Result<_, _>>()? })
    }
}

fn rule(text: &str) -> Option<FaultRule> {
    let (when, fault) = text.split_once('=')?;
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    let when = match when.split_once('/') {
        None => When::Request(number(when)?),
        Some((row, nth)) => When::Row(Row::ALL.into_iter().find(|known| known.to_string() == row)?, number(nth)?),
    };
    let mut parts = fault.split(':');
    let name = parts.next()?;
    let numbers: Vec<u64> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let code = |code: u64| u16::try_from(code).ok().filter(|code| (100..1000).contains(code));
    let fault = match (name, &numbers[..]) {
        ("request-lost", []) => Fault::RequestLost,
        ("answer-lost", []) => Fault::AnswerLost,
        ("body-cut", [bytes]) => Fault::BodyCut(*bytes),
        ("answer-cut", [bytes]) => Fault::AnswerCut(*bytes),
        ("slow", [micros]) => Fault::Slow(*micros),
        ("status", [status]) => Fault::Status(code(*status)?, None),
        ("status", [status, seconds]) => Fault::Status(code(*status)?, Some(RetryAfter::Seconds(*seconds))),
        ("status-date", [status, seconds]) => Fault::Status(code(*status)?, Some(RetryAfter::Date(*seconds))),
        ("token-expired", []) => Fault::TokenExpired,
        ("blob-not-yet-visible", []) => Fault::BlobNotYetVisible,
        ("upload-gone", []) => Fault::UploadGone,
        ("upload-missed", []) => Fault::UploadMissed,
        ("health-check", []) => Fault::HealthCheck,
        _ => return None,
    };
    Some(FaultRule { when, fault })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_read_as_they_are_printed() {
        let text = "1=request-lost,end-4a/2=answer-lost,end-6/1=body-cut:100,3=answer-cut:0,4=slow:1000000,5=status:500,\
                    6=status:429:7,7=status-date:503:7,8=token-expired,end-7a/1=blob-not-yet-visible,end-5/3=upload-gone,\
                    end-6/2=upload-missed,end-4a/1=health-check";
        let plan: FaultPlan = text.parse().unwrap();
        assert_eq!(plan.rules.len(), 13);
        assert_eq!(plan.to_string(), text);
        assert_eq!("".parse(), Ok(FaultPlan::none()));
        for bad in
            ["x", "0=slow:1", "1=slow", "1=slow:x", "end-99/1=slow:1", "1=status:99", "1=status:2000", "=slow:1", "1="]
        {
            assert_eq!(bad.parse::<FaultPlan>(), Err(FaultError(bad.to_owned())), "{bad}");
        }
    }
}
