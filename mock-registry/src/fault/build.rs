//! Builds faults in Rust: `Faults::nth(3).answer_lost()`.

use std::time::Duration;

use super::{Fault, FaultRule, Faults, RetryAfter, When};

impl When {
    /// Sets this fault for the requests.
    #[must_use]
    pub fn strike(self, fault: Fault) -> Faults {
        Faults { rules: vec![FaultRule { when: self, fault }] }
    }

    /// [`Fault::NotSent`].
    #[must_use]
    pub fn not_sent(self) -> Faults {
        self.strike(Fault::NotSent)
    }

    /// [`Fault::RequestLost`].
    #[must_use]
    pub fn request_lost(self) -> Faults {
        self.strike(Fault::RequestLost)
    }

    /// [`Fault::RequestReset`].
    #[must_use]
    pub fn request_reset(self) -> Faults {
        self.strike(Fault::RequestReset)
    }

    /// [`Fault::AnswerLost`].
    #[must_use]
    pub fn answer_lost(self) -> Faults {
        self.strike(Fault::AnswerLost)
    }

    /// [`Fault::AnswerReset`].
    #[must_use]
    pub fn answer_reset(self) -> Faults {
        self.strike(Fault::AnswerReset)
    }

    /// [`Fault::BodyCut`].
    #[must_use]
    pub fn body_cut(self, after: u64) -> Faults {
        self.strike(Fault::BodyCut(after))
    }

    /// [`Fault::HeadCut`].
    #[must_use]
    pub fn head_cut(self, after: u64) -> Faults {
        self.strike(Fault::HeadCut(after))
    }

    /// [`Fault::AnswerCut`].
    #[must_use]
    pub fn answer_cut(self, after: u64) -> Faults {
        self.strike(Fault::AnswerCut(after))
    }

    /// [`Fault::Garbage`].
    #[must_use]
    pub fn garbage(self) -> Faults {
        self.strike(Fault::Garbage)
    }

    /// [`Fault::Oversize`].
    #[must_use]
    pub fn oversize(self, bytes: u64) -> Faults {
        self.strike(Fault::Oversize(bytes))
    }

    /// [`Fault::Latency`]. The longest time is 584,000 years.
    #[must_use]
    pub fn latency(self, time: Duration) -> Faults {
        self.strike(Fault::Latency(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)))
    }

    /// [`Fault::DripRequest`]. 0 bytes a second counts as 1.
    #[must_use]
    pub fn drip_request(self, bytes_a_second: u64) -> Faults {
        self.strike(Fault::DripRequest(bytes_a_second.max(1)))
    }

    /// [`Fault::DripAnswer`]. 0 bytes a second counts as 1.
    #[must_use]
    pub fn drip_answer(self, bytes_a_second: u64) -> Faults {
        self.strike(Fault::DripAnswer(bytes_a_second.max(1)))
    }

    /// [`Fault::Bandwidth`]. 0 bytes a second counts as 1.
    #[must_use]
    pub fn bandwidth(self, bytes_a_second: u64) -> Faults {
        self.strike(Fault::Bandwidth(bytes_a_second.max(1)))
    }

    /// [`Fault::Status`] without `Retry-After`.
    #[must_use]
    pub fn status(self, status: u16) -> Faults {
        self.strike(Fault::Status(status, None))
    }

    /// [`Fault::Status`] with `Retry-After`.
    #[must_use]
    pub fn status_retry_after(self, status: u16, retry_after: RetryAfter) -> Faults {
        self.strike(Fault::Status(status, Some(retry_after)))
    }

    /// [`Fault::Redirect`] to this URL.
    #[must_use]
    pub fn redirect(self, status: u16, url: impl Into<String>) -> Faults {
        self.strike(Fault::Redirect(status, Some(url.into())))
    }

    /// [`Fault::Location`].
    #[must_use]
    pub fn location(self, url: impl Into<String>) -> Faults {
        self.strike(Fault::Location(url.into()))
    }

    /// [`Fault::TokenExpired`].
    #[must_use]
    pub fn token_expired(self) -> Faults {
        self.strike(Fault::TokenExpired)
    }

    /// [`Fault::BlobNotYetVisible`].
    #[must_use]
    pub fn blob_not_yet_visible(self) -> Faults {
        self.strike(Fault::BlobNotYetVisible)
    }

    /// [`Fault::HiddenFromGet`].
    #[must_use]
    pub fn hidden_from_get(self) -> Faults {
        self.strike(Fault::HiddenFromGet)
    }

    /// [`Fault::UploadGone`].
    #[must_use]
    pub fn upload_gone(self) -> Faults {
        self.strike(Fault::UploadGone)
    }

    /// [`Fault::UploadMissed`].
    #[must_use]
    pub fn upload_missed(self) -> Faults {
        self.strike(Fault::UploadMissed)
    }

    /// [`Fault::Twice`].
    #[must_use]
    pub fn twice(self) -> Faults {
        self.strike(Fault::Twice)
    }

    /// [`Fault::HealthCheck`].
    #[must_use]
    pub fn health_check(self) -> Faults {
        self.strike(Fault::HealthCheck)
    }
}
