//! What must be true of arbitrary bytes: an oracle a fuzz target.
//!
//! Each function takes bytes, puts them where a peer's or a caller's bytes go, and panics where something does not hold
//! that must. The folder `fuzz/` hands them what libFuzzer makes up; the tests of this crate hand them the corpora.
//!
//! ```
//! for target in longshore_conformance::fuzz::TARGETS {
//!     println!("{}: {}", target.name, target.promise);
//!     (target.judge)(b"0-41");
//! }
//! ```

mod answers;
mod chance;
mod checkpoint;
mod credentials;
mod headers;
mod lanes;
mod layout;
mod lists;
mod manifest;
mod misuse;
mod names;
mod origins;
mod profile;
mod push;
mod redaction;
mod referrers;
mod requests;
mod script;
mod session;
mod targets;
mod token;
mod unpack;
mod urls;

use http::{HeaderMap, HeaderName, HeaderValue};

pub use answers::core_responses;
pub use checkpoint::checkpoint;
pub use credentials::{docker_config, helper_words};
pub use headers::{challenge, error_body, link_header, range_headers, retry_after};
pub use lanes::lanes;
pub use layout::{layout, layout_tar};
pub use lists::two_processes;
pub use manifest::manifest_strict;
pub use misuse::driver_misuse;
pub use names::{digest, reference};
pub use origins::origin_classify;
pub use profile::{fault_plan, profile_toml};
pub use push::push_vs_mock;
pub use redaction::redaction;
pub use referrers::referrers_merge;
pub use requests::mock_http;
pub use session::several_pushes;
pub use targets::{TARGETS, Target};
pub use token::token_response;
pub use unpack::unpack;
pub use urls::location_resolve;

/// The lines of an input. Most inputs are values of headers, one a line.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n')
}

/// The parts of an input: lines `==` stand between them.
fn parts(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<&[u8]>> = vec![Vec::new()];
    for line in lines(bytes) {
        match parts.last_mut() {
            Some(part) if line != b"==" => part.push(line),
            _ => parts.push(Vec::new()),
        }
    }
    parts.iter().take(MAX_PARTS).map(|lines| lines.join(&b'\n')).collect()
}

/// The most parts of one input that are read.
const MAX_PARTS: usize = 64;

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
