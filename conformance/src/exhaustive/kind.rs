//! The kinds of faults.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header};
use longshore_core::bytes::Bytes;
use longshore_memory::Fault;
use longshore_mock_registry::fault::Faults;

/// One kind of fault, with its values.
#[derive(Debug, Clone)]
pub struct FaultKind {
    /// Its name, which is the name in plans of the mock registry if there is one.
    pub name: String,
    /// The push may fail because of it if the text of the failure contains one of these texts. If this is empty, the
    /// push must succeed.
    pub may_fail_for: &'static [&'static str],
    /// Whether it may prevent that the client notices that it must store lists of referrers under tags.
    pub may_go_unlisted: bool,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    OnTheWay(Fault),
    InTheRegistry,
}

/// The place of a fault.
#[derive(Debug, Clone)]
pub enum Struck {
    /// Between the client and the registry.
    OnTheWay(Fault),
    /// In the registry, or in a proxy in front of it.
    InTheRegistry(Faults),
}

/// Faults of the mock registry's plans that are not a kind here, because a client cannot distinguish them from another
/// fault.
pub const SEEN_AS: [(&str, &str); 10] = [
    ("request-reset", "request-lost: that the connection was reset, and not closed, no client is told"),
    ("answer-reset", "answer-lost, for the same reason"),
    ("head-cut", "answer-lost: a head without its end is no answer"),
    ("garbage", "answer-lost: what is no HTTP is no answer"),
    ("oversize", "body-changed to 5 MiB, which is cheaper to make"),
    ("latency", "slow"),
    ("drip-request", "slow: bodies are not timed"),
    ("drip-answer", "slow: bodies are not timed"),
    ("bandwidth", "slow: bodies are not timed"),
    ("location", "header-changed, which changes Location on its way"),
];

/// All kinds of faults.
#[must_use]
pub fn all() -> Vec<FaultKind> {
    let mut all = connections();
    all.extend(statuses());
    all.extend(changed_answers());
    all.extend(registrys());
    all
}

/// The kinds after which every push must succeed.
#[must_use]
pub fn passing() -> Vec<FaultKind> {
    all().into_iter().filter(|kind| kind.may_fail_for.is_empty()).collect()
}

/// The kind of this name.
#[must_use]
pub fn named(name: &str) -> Option<FaultKind> {
    all().into_iter().find(|kind| kind.name == name)
}

impl FaultKind {
    fn on_the_way(name: impl Into<String>, fault: Fault) -> Self {
        Self { name: name.into(), may_fail_for: &[], may_go_unlisted: false, how: How::OnTheWay(fault) }
    }

    fn in_the_registry(plan: &str) -> Self {
        Self { name: plan.to_owned(), may_fail_for: &[], may_go_unlisted: false, how: How::InTheRegistry }
    }

    const fn may_fail_for(mut self, causes: &'static [&'static str]) -> Self {
        self.may_fail_for = causes;
        self
    }

    const fn may_go_unlisted(mut self) -> Self {
        self.may_go_unlisted = true;
        self
    }

    /// Whether the fault explains a failure with this text.
    #[must_use]
    pub fn explains(&self, failure: &str) -> bool {
        self.may_fail_for.iter().any(|cause| failure.contains(cause))
    }

    /// The fault at the request of this number.
    ///
    /// # Panics
    /// Never, because every name is a valid plan.
    #[must_use]
    pub fn schedule(&self, request: u64) -> Struck {
        match &self.how {
            How::OnTheWay(fault) => Struck::OnTheWay(fault.clone()),
            How::InTheRegistry => {
                let plan = format!("every#{request}: {}", self.name);
                Struck::InTheRegistry(plan.parse().expect("a kind's name is a plan"))
            }
        }
    }
}

/// The failure text for a token service that gives no token.
const NO_TOKEN: &str = "no token that can be used";
/// The failure text for a tag whose content is not a list of referrers.
const NO_LIST: &str = "should hold an index of referrers, but it is not a manifest";
/// The failure text for a token service that redirects.
const TOKEN_MOVED: &str = "its redirects are not followed";

/// The failure text for an answer that is not from a registry.
const WEB_PAGE: &str = "it is a web page";
/// The failure text for a proxy's page in place of a manifest.
const NO_MANIFEST: &str = "its Content-Type is text/plain";
/// The failure text for a refused manifest if the reason was only in the body.
const REFUSAL: &str = "refused to push a manifest";

/// Requests and answers that are lost, late, cut or duplicated.
fn connections() -> Vec<FaultKind> {
    let kind = FaultKind::on_the_way;
    vec![
        kind("not-sent", Fault::NotSent),
        kind("request-lost", Fault::RequestLost),
        kind("answer-lost", Fault::AnswerLost),
        kind("request-late 1ms", Fault::RequestLate(Duration::from_millis(1))),
        kind("request-late 2s", Fault::RequestLate(Duration::from_secs(2))),
        kind("body-cut 0", Fault::BodyCut(0)),
        kind("body-cut 1", Fault::BodyCut(1)),
        kind("body-cut 100", Fault::BodyCut(100)),
        kind("answer-cut 0", Fault::AnswerCut(0)),
        kind("answer-cut 1", Fault::AnswerCut(1)),
        kind("twice", Fault::Twice),
        kind("slow 60s", Fault::Slow(Duration::from_secs(60))),
    ]
}

/// Answers of a proxy in place of the registry's.
fn statuses() -> Vec<FaultKind> {
    let status = |code: u16, wait: Option<u64>| {
        let fault = Fault::Status(StatusCode::from_u16(code).expect("it is a status"), wait);
        let name = wait.map_or_else(|| format!("status {code}"), |wait| format!("status {code} retry-after {wait}"));
        FaultKind::on_the_way(name, fault)
    };
    let mut all: Vec<FaultKind> = [408, 429, 499, 500, 502, 503, 504, 522].map(|code| status(code, None)).into();
    all.push(status(429, Some(7)));
    all.push(status(503, Some(7)));
    all.push(status(429, Some(1_000_000)).may_fail_for(&["more than the 300 that are allowed"]));
    all.push(status(503, Some(1_000_000)).may_fail_for(&["more than the 300 that are allowed"]));
    all.push(status(400, None).may_fail_for(&["400"]));
    all.push(status(401, None).may_fail_for(&["401", "refuses access"]));
    all.push(status(403, None).may_fail_for(&["403", "refuses access"]));
    all.push(status(404, None).may_fail_for(&["404"]).may_go_unlisted());
    all.push(status(405, None).may_fail_for(&["405"]).may_go_unlisted());
    all.push(status(413, None).may_fail_for(&["413"]));
    all.push(status(416, None).may_fail_for(&["416"]));
    all
}

/// Answers with changed heads or bodies.
fn changed_answers() -> Vec<FaultKind> {
    const OTHER: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let kind = FaultKind::on_the_way;
    let digest = HeaderName::from_static("docker-content-digest");
    let changed = |name: HeaderName, value: &'static str| Fault::HeaderChanged(name, HeaderValue::from_static(value));
    let location = |value| changed(header::LOCATION, value);
    vec![
        kind("header-missing location", Fault::HeaderMissing(header::LOCATION)).may_fail_for(&["Location"]),
        kind("header-missing range", Fault::HeaderMissing(header::RANGE)),
        kind("header-missing content-type", Fault::HeaderMissing(header::CONTENT_TYPE)).may_fail_for(&["media type"]),
        kind("header-missing docker-content-digest", Fault::HeaderMissing(digest.clone())),
        kind("header-changed content-type", changed(header::CONTENT_TYPE, "text/html")).may_fail_for(&[
            "media type",
            NO_LIST,
            WEB_PAGE,
        ]),
        kind("header-changed docker-content-digest", changed(digest, OTHER)).may_fail_for(&["reports the digest"]),
        kind("header-changed location to another origin", location("https://elsewhere.example/v2/uploads/1"))
            .may_fail_for(&["elsewhere.example"]),
        kind("header-changed location to plain HTTP", location("http://registry.example/v2/a/blobs/uploads/1"))
            .may_fail_for(&["plain HTTP"]),
        kind("header-changed location to nowhere", location("/v2/library/app/blobs/uploads/none")),
        kind("body-changed to no JSON", Fault::BodyChanged(Bytes::from_static(b"{"))).may_fail_for(&[
            "malformed",
            "not JSON",
            NO_TOKEN,
            NO_LIST,
            REFUSAL,
        ]),
        kind("body-changed to 5 MiB", Fault::BodyChanged(Bytes::from_static(&LONG))).may_fail_for(&["larger", REFUSAL]),
    ]
}

static LONG: [u8; 5 << 20] = [b' '; 5 << 20];

/// Errors of the registry, or of a proxy in front of it.
fn registrys() -> Vec<FaultKind> {
    let kind = FaultKind::in_the_registry;
    vec![
        kind("status 429 retry-after date+7"),
        kind("status 503 retry-after date+60"),
        kind("status 503 retry-after soon"),
        kind("redirect 307").may_fail_for(&[TOKEN_MOVED]),
        kind("redirect 308").may_fail_for(&[TOKEN_MOVED]),
        kind("redirect 301").may_fail_for(&["redirect"]),
        kind("redirect 307 https://elsewhere.example/blob").may_fail_for(&["404", TOKEN_MOVED]),
        // The scheme of the registry is not changed.
        kind("redirect 307 http://registry.example/blob").may_fail_for(&["404", TOKEN_MOVED]),
        kind("token-expired"),
        kind("blob-not-yet-visible"),
        kind("hidden-from-get"),
        kind("upload-gone"),
        kind("upload-missed"),
        kind("health-check").may_fail_for(&[NO_TOKEN, NO_LIST, REFUSAL, NO_MANIFEST]),
    ]
}
