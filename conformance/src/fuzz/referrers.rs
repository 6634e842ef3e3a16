//! Whatever stands under the tag of a subject's referrers, one more entry takes nothing away from it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response, StatusCode};
use longshore_core::{Blob, Client, Instant, MediaType, Options, Push};
use longshore_memory::{Simulation, Source, Whole};
use serde_json::value::RawValue;

use super::assert_harmless;
use super::script::image;
use crate::Case;

/// The list that stands under the fallback tag when an artifact is attached: its other entries keep their bytes and their
/// order, and ours is there once.
///
/// # Panics
/// Where that does not hold (security invariant I37).
pub fn referrers_merge(bytes: &[u8]) {
    let list = Rc::new(RefCell::new(Bytes::copy_from_slice(bytes)));
    let image = image();
    let mut push = Push::new(Case::registry(), Case::repository());
    let mut simulation = Simulation::new(0, Whole::new(registry(list.clone()))).step_limit(10_000);
    for (number, blob) in image.blobs.iter().enumerate() {
        push = push.blob(Blob::known(number, blob.digest, blob.bytes.len() as u64));
        simulation = simulation.source(number, Source::bytes(blob.bytes.clone()));
    }
    let ours = image.manifests[0].digest().to_string();
    let push = image.manifests.iter().cloned().fold(push, Push::manifest).root(image.root.clone());
    let mut client = Client::new(Options::default());
    let operation = client.start(push);
    let result = simulation.run(&mut client, operation);
    let after = list.borrow().clone();
    match result {
        Ok(_) => {
            let is_ours = |entry: &String| digest_of(entry).as_deref() == Some(&ours);
            let (before, after) = (entries(bytes), entries(&after));
            assert_eq!(after.iter().filter(|entry| is_ours(entry)).count(), 1, "our entry: {after:?}");
            let others = |list: &[String]| list.iter().filter(|entry| !is_ours(entry)).cloned().collect::<Vec<_>>();
            assert_eq!(others(&before), others(&after));
        }
        Err(failure) => {
            assert_harmless(&failure.to_string());
            assert_eq!(after, bytes, "a list that cannot be used was written over");
        }
    }
}

/// A registry without the referrers API, which takes everything, and has nothing but this list.
fn registry(list: Rc<RefCell<Bytes>>) -> impl FnMut(Instant, Request<Bytes>) -> Response<Bytes> {
    move |_, request| {
        let is_list = request.uri().path().contains("/manifests/sha256-");
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = match *request.method() {
            Method::GET if is_list => {
                let media_type = MediaType::OCI_INDEX.parse().expect("a media type is a header's value");
                answer.headers_mut().insert(CONTENT_TYPE, media_type);
                *answer.body_mut() = list.borrow().clone();
                StatusCode::OK
            }
            Method::PUT if is_list => {
                *list.borrow_mut() = request.into_body();
                StatusCode::CREATED
            }
            Method::POST => {
                answer.headers_mut().insert(LOCATION, "/open".parse().expect("a path is a header's value"));
                StatusCode::ACCEPTED
            }
            Method::PUT => StatusCode::CREATED,
            _ => StatusCode::NOT_FOUND,
        };
        answer
    }
}

/// The entries of an index, as they stand there.
fn entries(index: &[u8]) -> Vec<String> {
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(index).unwrap_or_default();
    let entries = fields.get("manifests").and_then(|entries| serde_json::from_str(entries.get()).ok());
    let entries: Vec<Box<RawValue>> = entries.unwrap_or_default();
    entries.into_iter().map(|entry| entry.get().to_owned()).collect()
}

fn digest_of(entry: &str) -> Option<String> {
    serde_json::from_str::<serde_json::Value>(entry).ok()?.get("digest")?.as_str().map(str::to_owned)
}
