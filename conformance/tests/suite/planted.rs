//! Registries with a bug that no quirk has: the suite fails exactly the requirements that the bug breaks.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Response};
use longshore_conformance::suite::{InMemory, RawBody, RawClient, RawRequest, Suite};
use longshore_core::driver::NoAnswer;
use longshore_core::{Instant, Target};
use longshore_mock_registry::report::Level;
use longshore_mock_registry::{Registry, RegistryOptions};

use crate::support::options;

/// What a registry with a bug makes of a request, before the one behind it answers.
type Request = fn(&mut RawRequest);
/// What it makes of the answer.
type Answer = fn(&RawRequest, &mut Response<Bytes>);

/// A spec-true registry behind something that changes what comes and goes.
struct Bugged {
    registry: InMemory,
    request: Request,
    answer: Answer,
}

impl RawClient for Bugged {
    fn send(&self, mut request: RawRequest) -> Result<Response<Bytes>, NoAnswer> {
        (self.request)(&mut request);
        let mut answer = self.registry.send(request.clone())?;
        (self.answer)(&request, &mut answer);
        Ok(answer)
    }

    fn now(&self) -> Instant {
        self.registry.now()
    }

    fn wait(&self, time: Duration) {
        self.registry.wait(time);
    }
}

/// The requirements with MUST of these groups that a registry with the bug does not meet.
fn broken(groups: &[&str], request: Request, answer: Answer) -> Vec<String> {
    let mut options = options();
    options.level = Level::Must;
    options.filters = groups.iter().map(|&group| group.to_owned()).collect();
    let registry = InMemory::new(Registry::new(RegistryOptions::default()));
    let report = Suite::new(&Bugged { registry, request, answer }, options).run();
    let failed = report.checks.into_iter().filter(|check| check.status.is_failure());
    failed.map(|check| check.id).collect()
}

/// The reference to a manifest at the end of a path, where there is one.
fn reference(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once("/manifests/")
}

fn as_it_comes(_: &mut RawRequest) {}

fn as_it_goes(_: &RawRequest, _: &mut Response<Bytes>) {}

#[test]
fn without_a_bug_nothing_is_found() {
    let groups = ["pull-blob", "mount", "push-manifest"];
    assert_eq!(broken(&groups, as_it_comes, as_it_goes), Vec::<String>::new());
}

#[test]
fn a_registry_that_serves_only_the_first_mebibyte_of_a_blob_is_found() {
    let truncate: Answer = |request, answer| {
        let len = answer.body().len().min(1 << 20);
        if request.method == Method::GET && request.target.path().contains("/blobs/") && len < answer.body().len() {
            *answer.body_mut() = answer.body().slice(..len);
            answer.headers_mut().insert(CONTENT_LENGTH, len.into());
        }
    };
    assert_eq!(broken(&["pull-blob"], as_it_comes, truncate), ["pull-blob-large"]);
}

#[test]
fn a_registry_that_serves_one_mebibyte_of_a_blob_twice_is_found() {
    let repeat: Answer = |request, answer| {
        const MIB: usize = 1 << 20;
        if request.method == Method::GET && request.target.path().contains("/blobs/") && answer.body().len() > 2 * MIB {
            let mut body = answer.body().to_vec();
            body.copy_within(..MIB, MIB);
            *answer.body_mut() = body.into();
        }
    };
    assert_eq!(broken(&["pull-blob"], as_it_comes, repeat), ["pull-blob-large"]);
}

#[test]
fn a_registry_that_says_of_each_mount_that_it_succeeded_is_found() {
    let lie: Answer = |request, answer| {
        let mounts = request.target.query().is_some_and(|query| query.contains("mount="));
        if mounts && answer.status() == 202 {
            *answer.status_mut() = http::StatusCode::CREATED;
        }
    };
    assert_eq!(broken(&["mount"], as_it_comes, lie), ["mount-absent-blob-not-mounted"]);
}

#[test]
fn a_registry_that_serves_other_bytes_in_a_206_is_found() {
    let other: Answer = |_, answer| {
        if answer.status() == 206 {
            *answer.body_mut() = vec![0; answer.body().len()].into();
        }
    };
    assert_eq!(broken(&["pull-blob"], as_it_comes, other), ["pull-blob-range-bytes"]);
}

/// RFC 9110, section 15.3.7: a server may send less than what was asked for, and says so.
#[test]
fn a_registry_that_serves_a_part_of_the_range_is_let_pass() {
    let less: Answer = |request, answer| {
        if answer.status() == 206 && request.headers["range"] == "bytes=2000-" {
            *answer.body_mut() = answer.body().slice(..10);
            answer.headers_mut().insert(CONTENT_LENGTH, 10.into());
            answer.headers_mut().insert("content-range", "bytes 2000-2009/*".parse().unwrap());
        }
    };
    assert_eq!(broken(&["pull-blob-range"], as_it_comes, less), Vec::<String>::new());
}

#[test]
fn a_registry_that_takes_tags_in_any_case_for_one_is_found() {
    let fold: Request = |request| {
        if let Some((before, tag)) = reference(request.target.path()) {
            let path = format!("{before}/manifests/{}", tag.to_lowercase());
            request.target = Target::new(request.target.origin().clone(), path).unwrap();
        }
    };
    assert_eq!(broken(&["push-manifest"], fold, as_it_goes), ["push-manifest-tag-case"]);
}

#[test]
fn a_registry_that_writes_a_manifest_anew_that_is_pushed_under_a_tag_is_found() {
    let anew: Request = |request| {
        let is_tagged = reference(request.target.path()).is_some_and(|(_, reference)| !reference.contains(':'));
        if request.method == Method::PUT
            && is_tagged
            && let Ok(json) = serde_json::from_slice::<serde_json::Value>(request.body.bytes())
        {
            let body = json.to_string();
            request.headers.insert(CONTENT_LENGTH, body.len().into());
            request.body = RawBody::Sized(body.into());
        }
    };
    assert_eq!(broken(&["push-manifest"], anew, as_it_goes), ["push-manifest-tagged-bytes"]);
}
