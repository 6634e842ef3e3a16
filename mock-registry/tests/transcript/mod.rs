//! Raw-HTTP transcripts, read and played against a registry by code of their own.
//!
//! A line `C: ...` is the client's and a line `S: ...` the registry's. Each side begins with its first line, then come
//! headers, then, after an empty line, a body. Of the answer, only the headers that are written are compared; `S: !name`
//! says that a header is absent. `{name}` stands for a value: the first time it is seen in an answer it takes what is there.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of this")]
#![allow(clippy::needless_pass_by_value, reason = "shorter to call")]

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::{Instant, Registry, RegistryOptions};

/// A registry and the values that transcripts share.
pub struct Stage {
    pub registry: Registry,
    pub now: u64,
    values: BTreeMap<String, String>,
}

impl Stage {
    pub fn new(options: RegistryOptions) -> Self {
        Self { registry: Registry::new(options), now: 0, values: BTreeMap::new() }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }

    pub fn value(&self, name: &str) -> &str {
        &self.values[name]
    }

    /// Plays a transcript; panics where an answer differs.
    #[track_caller]
    pub fn play(&mut self, transcript: &str) -> &mut Self {
        let mut lines = transcript.lines().map(str::trim_start).filter(|line| !line.is_empty()).peekable();
        while lines.peek().is_some() {
            let mut side = |prefix: &str| {
                let mut of_side = Vec::new();
                while let Some(line) = lines.next_if(|line| line.starts_with(prefix)) {
                    of_side.push(line[2..].trim().to_owned());
                }
                of_side
            };
            let (asked, expected) = (side("C:"), side("S:"));
            assert!(!asked.is_empty() && !expected.is_empty(), "a transcript alternates between C: and S:");
            let asked: Vec<String> = asked.iter().map(|line| self.fill(line)).collect();
            let answered = self.registry.answer(Instant::from_micros(self.now), request(&asked));
            // A transcript writes 500 where no answer came.
            let response = answered.unwrap_or_else(|undelivered| {
                let lost = Response::builder().status(500).body(Bytes::new()).unwrap();
                undelivered.arrived.unwrap_or(lost)
            });
            self.compare(&asked, &expected, &response);
        }
        self
    }

    #[track_caller]
    fn compare(&mut self, asked: &[String], expected: &[String], response: &Response<Bytes>) {
        let body = String::from_utf8_lossy(response.body()).into_owned();
        let context = format!("\nasked: {asked:#?}\nanswered: {} {:#?}\n{body}", response.status(), response.headers());
        let mut expected = expected.iter();
        let status = expected.next().map(String::as_str).unwrap_or_default();
        assert!(status.starts_with(response.status().as_str()), "expected {status}{context}");
        for line in expected.by_ref().take_while(|line| !line.is_empty()) {
            if let Some(name) = line.strip_prefix('!') {
                assert!(!response.headers().contains_key(name), "{name} is there{context}");
                continue;
            }
            let (name, pattern) = line.split_once(": ").unwrap_or_else(|| panic!("not a header: {line}"));
            let given = response.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
            let given: Vec<String> = given.collect();
            assert!(given.iter().any(|given| self.matches(pattern, given)), "expected {line}{context}");
        }
        let expected_body: Vec<&str> = expected.map(String::as_str).collect();
        if !expected_body.is_empty() {
            let pattern = expected_body.join("\n");
            assert!(self.matches(&pattern, &body), "expected the body {pattern}{context}");
        }
    }

    /// Compares, and takes the values that are not known yet.
    fn matches(&mut self, pattern: &str, given: &str) -> bool {
        let mut pattern = self.fill(pattern);
        while let Some((before, name, after)) = hole(&pattern) {
            let Some(from) = given.strip_prefix(before) else { return false };
            let stop = hole(after).map_or(after, |(stop, _, _)| stop);
            let end = if stop.is_empty() { Some(from.len()) } else { from.find(stop) };
            let Some(end) = end else { return false };
            self.values.insert(name.to_owned(), from[..end].to_owned());
            pattern = self.fill(&pattern);
        }
        pattern == given
    }

    /// Puts the known values in.
    pub fn fill(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

/// The first `{name}` of a pattern, between what stands before and after it.
fn hole(pattern: &str) -> Option<(&str, &str, &str)> {
    pattern.match_indices('{').find_map(|(at, _)| {
        let (name, after) = pattern[at + 1..].split_once('}')?;
        is_name(name).then_some((&pattern[..at], name, after))
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn request(lines: &[String]) -> Request<Bytes> {
    let mut lines = lines.iter();
    let first: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let mut request = Request::builder().method(first[0]).uri(first[1]);
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        request = request.header(name, value.trim());
    }
    let body: Vec<&str> = lines.map(String::as_str).collect();
    request.body(Bytes::from(body.join("\n"))).unwrap()
}

/// The digest of a text.
pub fn sha256(text: &str) -> Digest {
    Digest::of(Algorithm::Sha256, text.as_bytes())
}

/// Pushes a blob.
pub fn push(stage: &mut Stage, repository: &str, content: &str) -> Digest {
    let digest = sha256(content);
    stage.play(&format!(
        "C: POST /v2/{repository}/blobs/uploads/?digest={digest}
         C:
         C: {content}
         S: 201"
    ));
    digest
}

/// Pushes an image of one blob, which is its config, and gives its document.
pub fn image(stage: &mut Stage, repository: &str, extra: &str) -> String {
    let config = push(stage, repository, "{}");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[]{extra}}}"#
    )
}
