//! What must be true after every run, whatever happened in it.

mod requests;
mod secrets;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode, Uri};
use longshore_core::driver::{Body, End};
use longshore_core::header::RetryAfter;
use longshore_core::{Digest, Event, Failure, Instant, Manifest, MediaType, Origin, Tag, Target};
use longshore_memory::{Fault, Said, Transcript};
use longshore_mock_registry::UploadId;
use longshore_mock_registry::behaviour::{EtagForm, LocationForm, ReferrersApi};

use crate::case::{Case, Given};
use crate::quirk::Outcome;
use crate::run::Run;

pub use session::judge_session;

/// A rule that a run broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(String);

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Violation {}

/// What an oracle says.
pub type Verdict = Result<(), Violation>;

fn ensure(holds: bool, rule: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Violation(rule())) }
}

/// Holds a run against every rule; `outcome` is what must become of a push to this registry.
///
/// # Errors
/// The first rule that was broken.
pub fn judge(case: &Case, outcome: Outcome, run: &mut Run) -> Verdict {
    requests::are_well_formed(run.simulation.transcript())?;
    requests::lost_commits_are_asked_about(run.simulation.transcript())?;
    secrets::stay_where_they_belong(case, run)?;
    the_registry_has_no_complaint(case, run)?;
    manifests_come_last(run)?;
    retry_after_is_kept(run.simulation.transcript())?;
    requests_in_flight_are_capped(case.client.in_flight, run.simulation.transcript())?;
    nothing_is_in_flight(run)?;
    progress_never_falls(run)?;
    tags_change_once(case, run)?;
    uploads_are_not_left(run)?;
    stored_bytes_are_the_bytes_given(run)?;
    match &run.result {
        Ok(_) => {
            everything_stands(case, run)?;
            if outcome == Outcome::SucceedsUnlisted { Ok(()) } else { all_are_listed(case, run) }
        }
        Err(_) if outcome == Outcome::MayBeRefused => Ok(()),
        Err(failure) if names_one_of(failure, outcome) => Ok(()),
        Err(failure) => a_failure_is_expected(case, run, failure),
    }
}

/// I39: after a push was cancelled, no manifest is sent, no upload is left, and it says that it was cancelled.
///
/// # Errors
/// The first rule that was broken.
pub fn judge_cancelled(case: &Case, run: &Run) -> Verdict {
    let Some(before) = run.said_before_cancel else { return Ok(()) };
    let mut said = run.simulation.transcript().entries.iter().skip(before);
    if let Ok(receipt) = &run.result {
        // It was over before it was cancelled, and only its end was not told yet.
        let asked = said.any(|entry| matches!(entry.what, Said::Asked { .. }));
        return ensure(!asked, || format!("a push that was cancelled went on, and came to {receipt:?}"));
    }
    for entry in said {
        let is_manifest = matches!(&entry.what, Said::Asked { head, .. }
            if head.method == Method::PUT && head.uri.path().contains("/manifests/"));
        ensure(!is_manifest, || format!("#{}: a manifest is sent after the push was cancelled", entry.request))?;
    }
    let is_cancelled = |failure: &Failure| failure.kind == longshore_core::FailureKind::Cancelled;
    ensure(run.result.as_ref().is_err_and(|failure| is_cancelled(failure)), || {
        format!("a cancelled push came to {:?}", run.result)
    })?;
    manifests_come_last(run)?;
    requests_in_flight_are_capped(case.client.in_flight, run.simulation.transcript())?;
    nothing_is_in_flight(run)?;
    progress_never_falls(run)?;
    tags_change_once(case, run)?;
    uploads_are_not_left(run)?;
    stored_bytes_are_the_bytes_given(run)
}

/// Whether a failure says what the registry does not take.
fn names_one_of(failure: &Failure, outcome: Outcome) -> bool {
    let Outcome::RefusedFor(causes) = outcome else { return false };
    let said = failure.to_string();
    causes.iter().any(|cause| said.contains(cause))
}

/// Every fault of these runs passes by, so only a source that can be read once is a reason to fail.
fn a_failure_is_expected(case: &Case, run: &Run, failure: &Failure) -> Verdict {
    let blobs = 0..case.plan.blobs.len();
    let once = blobs.into_iter().any(|number| matches!(case.given(number), Given::Once | Given::Unknown));
    let is_replay = matches!(failure.kind, longshore_core::FailureKind::NotReplayable);
    ensure(once && is_replay && !nothing_went_wrong(run), || format!("faults that pass made the push fail: {failure}"))
}

/// Whether no fault struck, on the way or in the registry.
fn nothing_went_wrong(run: &Run) -> bool {
    run.simulation.schedule().is_empty() && run.simulation.handler.registry.struck.is_empty()
}

/// Where nothing went wrong on the way, the registry's own judge saw no request that breaks the spec, nor one that some
/// registry does not stand. (It cannot know which answers were lost.)
fn the_registry_has_no_complaint(case: &Case, run: &Run) -> Verdict {
    // What it named was no URL, so none can be the same.
    let is_no_url = case.registry.behaviour.start.location == LocationForm::WithoutScheme;
    let mut breaches = run.simulation.handler.registry.judge.breaches.iter();
    match breaches.find(|breach| !is_no_url || breach.rule != "location-verbatim") {
        Some(breach) if nothing_went_wrong(run) => Err(Violation(format!("a breach: {breach}"))),
        _ => Ok(()),
    }
}

/// I33: what a manifest refers to was acknowledged before the manifest was sent.
fn manifests_come_last(run: &Run) -> Verdict {
    let mut asked: BTreeMap<u64, (Method, Uri, Option<Manifest>)> = BTreeMap::new();
    let mut acknowledged: BTreeSet<Digest> = BTreeSet::new();
    for entry in &run.simulation.transcript().entries {
        match &entry.what {
            Said::Asked { head, body } => {
                let manifest = match body {
                    Body::Bytes(bytes) if head.uri.path().contains("/manifests/") => {
                        Manifest::parse(bytes.clone()).ok()
                    }
                    _ => None,
                };
                if let Some(manifest) = &manifest {
                    let is_of_referrers = head.uri.path().contains("/manifests/sha256-")
                        || head.uri.path().contains("/manifests/sha512-");
                    let needed = manifest.blobs().chain(manifest.children()).map(|descriptor| descriptor.digest);
                    for digest in needed {
                        ensure(is_of_referrers || acknowledged.contains(&digest), || {
                            format!("#{}: a manifest is sent before {digest} was acknowledged", entry.request)
                        })?;
                    }
                }
                asked.insert(entry.request, (head.method.clone(), head.uri.clone(), manifest));
            }
            Said::Answered { answer, end } => {
                let Some((method, uri, sent)) = asked.get(&entry.request) else { continue };
                acknowledged.extend(acknowledgements(method, uri, sent.as_ref(), answer, *end));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What an answer says is in the repository.
fn acknowledgements(
    method: &Method,
    uri: &Uri,
    sent: Option<&Manifest>,
    answer: &http::Response<bytes::Bytes>,
    end: End,
) -> Vec<Digest> {
    let (path, status) = (uri.path(), answer.status());
    let last: Option<Digest> = path.rsplit('/').next().and_then(|segment| segment.parse().ok());
    let reported = answer.headers().get("docker-content-digest");
    let reported: Option<Digest> = reported.and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    match (method, status) {
        (&Method::HEAD, StatusCode::OK) => last.into_iter().chain(reported).collect(),
        (&Method::GET, StatusCode::OK) if path.contains("/manifests/") && end == End::Complete => {
            let Ok(manifest) = Manifest::parse(answer.body().clone()) else { return Vec::new() };
            manifest.blobs().map(|blob| blob.digest).chain([manifest.digest()]).collect()
        }
        (&Method::PUT, StatusCode::CREATED) if path.contains("/manifests/") => {
            sent.map(Manifest::digest).into_iter().chain(last).collect()
        }
        // Any web server says 200; one that names the digest has understood.
        (&Method::PUT, status) if path.contains("/manifests/") && status.is_success() => {
            reported.filter(|reported| sent.is_some_and(|sent| sent.digest() == *reported)).into_iter().collect()
        }
        (&Method::PUT | &Method::POST, StatusCode::CREATED) => {
            let query = uri.query().unwrap_or_default();
            let named = query.split('&').filter_map(|pair| pair.split_once('='));
            let named = named.filter(|(key, _)| *key == "digest" || *key == "mount");
            named.filter_map(|(_, value)| value.replace("%3A", ":").parse().ok()).collect()
        }
        _ => Vec::new(),
    }
}

/// I26: a wait that was asked for is kept, by everything that goes to this origin. What is answered to a request that was
/// given up reaches nobody.
pub(crate) fn retry_after_is_kept<K>(transcript: &Transcript<K>) -> Verdict {
    let mut given_up: BTreeSet<u64> = BTreeSet::new();
    let origin = |uri: &Uri| Target::parse(&uri.to_string()).ok().map(|target| target.origin().clone());
    let mut asked: BTreeMap<u64, Option<Origin>> = BTreeMap::new();
    let mut paused: BTreeMap<Option<Origin>, Instant> = BTreeMap::new();
    for entry in &transcript.entries {
        match &entry.what {
            Said::Asked { head, .. } => {
                let origin = origin(&head.uri);
                let until = paused.get(&origin).copied().unwrap_or(Instant::ZERO);
                ensure(until <= entry.at, || {
                    format!("#{} is sent at {:?}, and a wait until {until:?} was asked for", entry.request, entry.at)
                })?;
                asked.insert(entry.request, origin);
            }
            Said::Aborted => {
                given_up.insert(entry.request);
            }
            Said::Answered { answer, .. } if !given_up.contains(&entry.request) => {
                if let (RetryAfter::Delay(delay), Some(origin)) =
                    (RetryAfter::read(answer.headers()), asked.get(&entry.request))
                {
                    let until = paused.entry(origin.clone()).or_default();
                    *until = (*until).max(entry.at + delay);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// No more requests are in flight to one origin than the client may have, and each is answered once.
pub(crate) fn requests_in_flight_are_capped<K>(in_flight: usize, transcript: &Transcript<K>) -> Verdict {
    let mut flying: BTreeMap<u64, String> = BTreeMap::new();
    for entry in &transcript.entries {
        match &entry.what {
            Said::Asked { head, .. } => {
                let origin = head.uri.authority().map(ToString::to_string).unwrap_or_default();
                let there = flying.values().filter(|other| **other == origin).count();
                ensure(there < in_flight, || format!("too many in flight to {origin}: {flying:?}"))?;
                flying.insert(entry.request, origin);
            }
            Said::Answered { .. } | Said::Failed(_) | Said::Aborted => {
                flying.remove(&entry.request);
            }
            _ => {}
        }
    }
    Ok(())
}

fn nothing_is_in_flight(run: &Run) -> Verdict {
    ensure(run.client.in_flight() == 0, || "the push ended, and requests are still in flight".to_owned())
}

/// Neither number of a push's progress ever falls.
fn progress_never_falls(run: &Run) -> Verdict {
    let mut last = (0, 0);
    for event in &run.events {
        if let Event::Progress { done, total, .. } = event {
            ensure(last.0 <= *done && last.1 <= *total, || {
                format!("the progress falls from {last:?} to {:?}", (done, total))
            })?;
            ensure(done <= total, || format!("the progress is {done} of {total}"))?;
            last = (*done, *total);
        }
    }
    Ok(())
}

/// I35: a tag comes to name the root, once, and nothing else.
fn tags_change_once(case: &Case, run: &Run) -> Verdict {
    let mut seen = BTreeSet::new();
    for change in &run.simulation.handler.tag_changes {
        ensure(change.digest == run.image.root.digest(), || format!("{change:?} is not the root"))?;
        ensure(case.tags().any(|tag| tag == change.tag), || format!("{change:?} was not asked for"))?;
        ensure(seen.insert(change.tag.clone()), || format!("{change:?} is the second change of this tag"))?;
    }
    Ok(())
}

/// I35: an upload that was not finished is cancelled, unless a fault struck, the registry failed or said that it is
/// gone, or never said where it is.
fn uploads_are_not_left(run: &Run) -> Verdict {
    let mut excuses = run.simulation.schedule().len() + run.simulation.handler.registry.struck.len();
    let mut told = BTreeSet::new();
    for entry in &run.simulation.transcript().entries {
        if let Said::Answered { answer, .. } = &entry.what {
            excuses += usize::from(is_an_excuse(run, entry.request, answer.status()));
            let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
            // What begins otherwise leads nowhere (quirk `post-location-schemeless-host`).
            told.extend(location.filter(|url| url.starts_with('/') || url.starts_with("http")).map(str::to_owned));
        }
    }
    let is_known = |id: &&UploadId| told.iter().any(|location| location.contains(id.as_str()));
    let left = run.simulation.handler.registry.state.uploads.keys().filter(is_known).count();
    ensure(left <= excuses, || format!("{left} uploads are left open, and there are {excuses} excuses for that"))
}

/// Whether this answer, if it is about an upload, says that it is gone, or cannot be told or cancelled.
fn is_an_excuse(run: &Run, request: u64, status: StatusCode) -> bool {
    let excuses = |method: &Method| match *method {
        Method::DELETE => !status.is_success(),
        Method::PATCH | Method::PUT | Method::GET => status == StatusCode::NOT_FOUND || status.is_server_error(),
        _ => false,
    };
    run.simulation.transcript().entries.iter().any(|entry| match &entry.what {
        Said::Asked { head, .. } if entry.request == request => {
            excuses(&head.method) && !head.uri.path().contains("/manifests/")
        }
        _ => false,
    })
}

/// I17, I34: whatever stands under a digest has that digest, so no byte of it was lost, doubled or moved.
fn stored_bytes_are_the_bytes_given(run: &Run) -> Verdict {
    let registry = &run.simulation.handler;
    let stored = registry.registry.state.repositories.get(&Case::repository());
    let mut digests = stored.into_iter().flat_map(|contents| contents.blobs.keys().copied());
    digests.try_for_each(|digest| {
        let bytes = registry.blob(&Case::repository(), &digest);
        let is_right = bytes.is_some_and(|bytes| digest.matches(&bytes));
        ensure(is_right, || format!("what is stored under {digest} has another digest"))
    })
}

/// Success means that all of it stands: blobs, manifests, tags, and the lists of referrers.
fn everything_stands(case: &Case, run: &Run) -> Verdict {
    let repository = Case::repository();
    let root = run.image.root.clone();
    let manifests: Vec<Manifest> = run.image.all_manifests().cloned().collect();
    let needed: BTreeSet<Digest> = manifests.iter().flat_map(Manifest::blobs).map(|blob| blob.digest).collect();
    let registry = &run.simulation.handler;
    for digest in needed {
        ensure(registry.blob(&repository, &digest).is_some(), || format!("{digest} is not there after a success"))?;
    }
    for manifest in &manifests {
        let stored = registry.manifest(&repository, &manifest.digest());
        ensure(stored.as_ref() == Some(manifest.bytes()), || format!("{} is not there", manifest.digest()))?;
    }
    for tag in case.tags() {
        ensure(registry.tagged(&repository, &tag) == Some(root.digest()), || {
            format!("the tag {tag} does not name the root")
        })?;
    }
    Ok(())
}

/// Every manifest with a subject stands in the list of that subject's referrers: the registry's own, or the tag's.
///
/// Where the registry heeds no conditions, a list that is delivered after its client has given it up for lost overwrites
/// what was written since. No client can help that; the next push repairs it.
fn all_are_listed(case: &Case, run: &mut Run) -> Verdict {
    let manifests = &case.registry.behaviour.manifests;
    let is_guarded = manifests.conditions && manifests.etag != EtagForm::Absent;
    if !is_guarded && a_list_came_late(run) {
        return Ok(());
    }
    let manifests: Vec<Manifest> = run.image.all_manifests().cloned().collect();
    let has_api = case.registry.behaviour.referrers.api == ReferrersApi::On;
    manifests.iter().try_for_each(|manifest| is_listed(run, manifest, has_api))
}

fn a_list_came_late(run: &Run) -> bool {
    let entries = &run.simulation.transcript().entries;
    let lists = entries.iter().filter(|entry| {
        matches!(&entry.what, Said::Asked { head, .. }
            if head.method == Method::PUT && head.uri.path().contains("/manifests/sha256-"))
    });
    let lists: BTreeSet<u64> = lists.map(|entry| entry.request).collect();
    entries
        .iter()
        .any(|entry| matches!(entry.what, Said::Meets(Fault::RequestLate(_))) && lists.contains(&entry.request))
}

/// A manifest with a subject stands in the list of that subject's referrers, once, with its type and annotations.
fn is_listed(run: &mut Run, manifest: &Manifest, has_api: bool) -> Verdict {
    let Some(subject) = manifest.subject() else { return Ok(()) };
    let repository = Case::repository();
    let list = if has_api {
        let path = format!("/v2/{repository}/referrers/{}", subject.digest);
        run.simulation.handler.ask_plainly(Method::GET, &path, bytes::Bytes::new()).into_body()
    } else {
        let (registry, tag) = (&run.simulation.handler, Tag::of_referrers(&subject.digest));
        let listed = registry.tagged(&repository, &tag).and_then(|digest| registry.manifest(&repository, &digest));
        listed.unwrap_or_default()
    };
    let list = Manifest::parse_as(MediaType::oci_index(), list);
    let list = list.map_err(|error| Violation(format!("the list of referrers is none: {error}")))?;
    let entries = list.children().filter(|entry| entry.digest == manifest.digest());
    ensure(entries.count() == 1, || format!("{} is not listed once for {}", manifest.digest(), subject.digest))
}
