//! Removing what the checks left at the registry.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use longshore_core::auth::{Scope, Scopes};

use super::stop::Stop;
use super::tested::{Left, Surroundings, TestedRegistry};

/// How long removing everything may take, at most.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// Removes uploads, then manifests, then blobs. Gives a line for each kind of thing that stays, with the reason.
pub(super) fn remove(around: &Surroundings<'_>, left: BTreeSet<Left>) -> Vec<String> {
    let tested = TestedRegistry::new(around, "cleanup", around.client.now().after(TIME_LIMIT));
    let mut said = Vec::new();
    // In the order of their kinds: uploads, manifests, blobs. Indexes may have to go before what they list.
    let (uploads, stored): (Vec<Left>, Vec<Left>) = left.into_iter().partition(|left| matches!(left, Left::Upload(..)));
    for upload in &uploads {
        // Not every registry cancels uploads; one that does not lets them expire.
        drop(remove_one(&tested, upload));
    }
    let (manifests, blobs): (Vec<Left>, Vec<Left>) =
        stored.into_iter().partition(|left| matches!(left, Left::Manifest(..)));
    said.extend(remove_all(&tested, &manifests, "manifests"));
    said.extend(remove_all(&tested, &blobs, "blobs"));
    said
}

/// Removes things of one kind until the registry shows that it does not.
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

/// Why something was not removed.
enum Removal {
    /// Such things are not removed here.
    Off(String),
    /// This one was not.
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
