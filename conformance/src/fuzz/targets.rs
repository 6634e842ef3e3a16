//! Every target: its name, its promise, its function.

use super::{
    answers, challenge, checkpoint, core_responses, credentials, digest, driver_misuse, error_body, fault_plan, lanes,
    layout, layout_tar, link_header, lists, location_resolve, manifest_strict, misuse, mock_http, origin_classify,
    profile_toml, push, push_vs_mock, range_headers, redaction, reference, referrers_merge, retry_after, session,
    several_pushes, token_response, two_processes, unpack,
};

/// What judges some bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: `fuzz/corpus` has a folder of that name.
    pub name: &'static str,
    /// What the bytes are.
    pub input: &'static str,
    /// What must hold of them.
    pub promise: &'static str,
    /// Judges them, and panics where that does not hold.
    pub judge: fn(&[u8]),
    /// Whether the bytes are text in parts, which a mutation may exchange.
    pub is_script: bool,
    show: Option<fn(&[u8]) -> String>,
}

impl Target {
    /// A target whose inputs are shown as they are.
    #[must_use]
    pub const fn new(name: &'static str, input: &'static str, promise: &'static str, judge: fn(&[u8])) -> Self {
        Self { name, input, promise, judge, is_script: false, show: None }
    }

    /// It is a text in parts: lines `==` stand between them.
    #[must_use]
    pub const fn script(mut self) -> Self {
        self.is_script = true;
        self
    }

    /// It can say more of an input than its bytes do.
    const fn shown_by(mut self, show: fn(&[u8]) -> String) -> Self {
        self.show = Some(show);
        self
    }

    /// An input as a person reads it: what it decides and what was said, or its text.
    ///
    /// # Panics
    /// Where what it decides makes the client panic: [`Target::judge`] says more of that.
    #[must_use]
    pub fn show(&self, bytes: &[u8]) -> String {
        self.show.map_or_else(|| text(bytes), |show| show(bytes))
    }

    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

/// Text as it is; other bytes as escapes, a line of the input a line.
fn text(bytes: &[u8]) -> String {
    let lines = super::lines(bytes).map(|line| line.escape_ascii().to_string());
    lines.collect::<Vec<_>>().join("\n")
}

/// Every target, by its name.
pub static TARGETS: &[Target] = &[
    Target::new(
        "challenge",
        "`WWW-Authenticate`, a value a line",
        "bounded; no stranger is listened to; a token service is admitted by the policy, and read the same by every HTTP stack",
        challenge,
    ),
    Target::new(
        "checkpoint",
        "a saved push",
        "it is refused, or resumed to an end; what is read is what is written",
        checkpoint,
    ),
    Target::new(
        "core_responses",
        "an operation, and the answers to it",
        "it ends; nothing a peer wrote stands in a header; credentials go to the registry and its token service alone",
        core_responses,
    )
    .script()
    .shown_by(answers::show),
    Target::new(
        "digest",
        "a digest, and content",
        "exactly the grammar; the same digest however the content is cut",
        digest,
    ),
    Target::new(
        "docker_config",
        "a `config.json` of Docker",
        "a registry gets what stands under its own names; no secret of the file is shown",
        credentials::docker_config,
    ),
    Target::new(
        "driver_misuse",
        "what a driver does, right and wrong",
        "no panic, no hang, each operation ends once",
        driver_misuse,
    )
    .shown_by(misuse::show),
    Target::new("error_body", "the body of an error", "bounded, harmless to print", error_body),
    Target::new(
        "fault_plan",
        "a plan of faults for the mock registry",
        "it is printed as it is read; a push that meets it ends",
        fault_plan,
    ),
    Target::new(
        "helper_words",
        "a server, and what a credential helper says of it",
        "no credentials of another server; its words are not shown",
        credentials::helper_words,
    ),
    Target::new(
        "lanes",
        "limits, and how two registries take their requests",
        "one is sent the same, byte and moment, whatever the other does; waits are kept, by their origin alone",
        lanes,
    )
    .shown_by(super::lanes::show),
    Target::new(
        "layout",
        "the files of an image layout",
        "each blob has its digest's bytes; what is selected is complete, children first",
        layout,
    )
    .script()
    .shown_by(super::layout::show),
    Target::new("layout_tar", "a tar, gzip or zstd file", "as `layout`", layout_tar),
    Target::new(
        "link_header",
        "`Link`, a value a line",
        "the same origin, and no byte that was not there",
        link_header,
    ),
    Target::new(
        "location_resolve",
        "a URL reference, perhaps a base",
        "`url` and `http::Uri` see the same scheme, host, port, path and query, byte for byte",
        location_resolve,
    ),
    Target::new(
        "manifest_strict",
        "a manifest or index",
        "readers that fold keys, or take the first or last of equal ones, see the same descriptors; bytes are kept",
        manifest_strict,
    ),
    Target::new(
        "mock_http",
        "requests to the mock registry",
        "answers of the spec's form; what is stored is what its digest says",
        mock_http,
    )
    .script(),
    Target::new(
        "origin_classify",
        "a host, or the bytes of an address",
        "no address of this machine or network is public in any notation; `url` sees the same host",
        origin_classify,
    ),
    Target::new(
        "profile_toml",
        "a profile of the mock registry, and switches",
        "errors say where; a switch that is refused changes nothing; the registry can be pushed to",
        profile_toml,
    ),
    Target::new(
        "push_vs_mock",
        "an image, a client, a registry's quirk, faults",
        "every rule of `oracle::judge`, as in the property tests",
        push_vs_mock,
    )
    .shown_by(push::show),
    Target::new(
        "range_headers",
        "`Range`, `Content-Range`, `OCI-Chunk-Min-Length`",
        "no offset that this side did not send",
        range_headers,
    ),
    Target::new("redaction", "what stands around a secret", "the secret is in no text that is shown", redaction),
    Target::new(
        "reference",
        "a reference, as people type it",
        "one meaning; can stand in a path; `url` sees the same host",
        reference,
    ),
    Target::new(
        "referrers_merge",
        "the list under a fallback tag",
        "other entries keep bytes and order, ours is there once; what is no list is not written over",
        referrers_merge,
    ),
    Target::new(
        "retry_after",
        "`Date`, then `Retry-After`, a value a line",
        "no wait that was asked for is undercut",
        retry_after,
    ),
    Target::new(
        "several_pushes",
        "pushes of one client, what happens between their steps, jumps of time",
        "every rule of `oracle::judge_session`",
        several_pushes,
    )
    .shown_by(session::show),
    Target::new(
        "token_response",
        "a status, and a token service's answer",
        "the token goes to its registry alone, and is never shown; nor is the body",
        token_response,
    ),
    Target::new(
        "two_processes",
        "faults of two processes with one list of referrers, and whose turn it is",
        "no entry is lost where writes are guarded; elsewhere the next push repairs it",
        two_processes,
    )
    .shown_by(lists::show),
    Target::new(
        "unpack",
        "a folder's title, and the entries of its tar",
        "nothing is written beside the folder, nothing but files and folders, nothing after a failure",
        unpack,
    )
    .script(),
];
