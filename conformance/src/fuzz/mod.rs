//! What must be true of arbitrary bytes: an oracle a fuzz target.
//!
//! Each function takes bytes, puts them where a peer's or a caller's bytes go, and panics where something does not hold
//! that must. The folder `fuzz/` hands them what libFuzzer makes up; the tests of this crate hand them the corpora.
//!
//! ```
//! for (name, target) in longshore_conformance::fuzz::TARGETS {
//!     println!("{name}");
//!     target(b"0-41");
//! }
//! ```

mod answers;
mod checkpoint;
mod headers;
mod manifest;
mod names;
mod push;
mod redaction;
mod referrers;
mod requests;
mod script;
mod token;
mod urls;

use http::{HeaderMap, HeaderName, HeaderValue};

pub use answers::core_responses;
pub use checkpoint::checkpoint;
pub use headers::{challenge, error_body, link_header, range_headers, retry_after};
pub use manifest::manifest_strict;
pub use names::{digest, reference};
pub use push::push_vs_mock;
pub use redaction::redaction;
pub use referrers::referrers_merge;
pub use requests::mock_http;
pub use token::token_response;
pub use urls::location_resolve;

/// A function that judges what becomes of some bytes, and panics where it must not be so.
pub type Target = fn(&[u8]);

/// Every target by its name. `fuzz/` has a file and a corpus of that name for each.
pub const TARGETS: [(&str, Target); 16] = [
    ("challenge", challenge),
    ("checkpoint", checkpoint),
    ("core_responses", core_responses),
    ("digest", digest),
    ("error_body", error_body),
    ("link_header", link_header),
    ("location_resolve", location_resolve),
    ("manifest_strict", manifest_strict),
    ("mock_http", mock_http),
    ("push_vs_mock", push_vs_mock),
    ("range_headers", range_headers),
    ("redaction", redaction),
    ("reference", reference),
    ("referrers_merge", referrers_merge),
    ("retry_after", retry_after),
    ("token_response", token_response),
];

/// The lines of an input. Most inputs are values of headers, one a line.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n')
}

/// One header with a value a line; what can be no value is left out, as it never arrives either.
fn headers(name: &HeaderName, bytes: &[u8]) -> HeaderMap {
    let values = lines(bytes).filter_map(|line| HeaderValue::from_bytes(line).ok());
    values.map(|value| (name.clone(), value)).collect()
}

/// Text that people are shown steers no terminal and hides nothing (security invariant I30).
fn assert_harmless(text: &str) {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert!(!text.contains(unseen), "shown: {text:?}");
}
