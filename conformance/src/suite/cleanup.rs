//! Removes the content that the checks stored in the registry.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use longshore_core::auth::{Scope, Scopes};

use super::stop::Stop;
use super::tested::{Left, Surroundings, TestedRegistry};

/// The time limit for removing everything.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Removes uploads, then manifests, then blobs. Returns one line with the reason for each kind of content that stays.
pub(super) fn remove(around: &Surroundings<'_>, left: BTreeSet<Left>) -> Vec<String> {
    let tested = TestedRegistry::new(around, "cleanup", around.client.now().after(TIME_LIMIT));
    let mut said = Vec::new();
    // In the order uploads, manifests, blobs. Indexes may have to be deleted before the manifests that they list.
    let (uploads, stored): (Vec<Left>, Vec<Left>) = left.into_iter().partition(|left| matches!(left, Left::Upload(..)));
    for upload in &uploads {
        // Some registries cannot cancel uploads. There they expire.
        drop(remove_one(&tested, upload));
    }
    let (manifests, blobs): (Vec<Left>, Vec<Left>) =
        stored.into_iter().partition(|left| matches!(left, Left::Manifest(..)));
    said.extend(remove_all(&tested, &manifests, "manifests"));
    said.extend(remove_all(&tested, &blobs, "blobs"));
    said
}

/// Removes the content of one kind, and stops when the registry does not support it.
fn remove_all(tested: &TestedRegistry<'_>, all: &[Left], what: &str) -> Option<String> {
    let mut stay = 0;
    let mut reason = String::new();
    for (at, one) in all.iter().enumerate() {
        match remove_one(tested, one) {
            Ok(()) => {}
            Err(Removal::Off(why)) => {
                (stay, reason) = (stay + all.len() - at, why);
                break;
            }
            Err(Removal::Failed(why)) => (stay, reason) = (stay + 1, why),
        }
        tested.exchanges.borrow_mut().clear();
    }
    (stay > 0).then(|| format!("{stay} of {} {what} stay: {reason}", all.len()))
}

/// Why content was not removed.
enum Removal {
    /// The registry does not support deletion of this kind.
    Off(String),
    /// The deletion failed.
    Failed(String),
}

fn remove_one(tested: &TestedRegistry<'_>, left: &Left) -> Result<(), Removal> {
    let request = match left {
        Left::Upload(location, repository) => tested
            .request_to(Method::DELETE, repository, Ok(location.clone()))
            .with_scopes(Scopes::one(Scope::push(repository.clone()))),
        Left::Manifest(repository, digest) => {
            tested.request(Method::DELETE, repository, &format!("manifests/{digest}"))
        }
        Left::Blob(repository, digest) => tested.request(Method::DELETE, repository, &format!("blobs/{digest}")),
    };
    match request.send() {
        Ok(answer) if answer.is_success() || answer.code() == 404 => Ok(()),
        Ok(answer) if matches!(answer.code(), 400 | 401 | 403 | 405) => Err(Removal::Off(answer.summary())),
        Ok(answer) => Err(Removal::Failed(answer.summary())),
        Err(Stop::Failed(finding)) => Err(Removal::Failed(finding.found)),
        Err(Stop::NotPrepared(why) | Stop::Unsupported(why)) => Err(Removal::Off(why)),
    }
}
