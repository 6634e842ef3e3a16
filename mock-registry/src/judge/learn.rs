//! Records what clients know from answers.

use http::StatusCode;
use http::header::LOCATION;
use longshore_core::{Algorithm, Digest, Repository};

use super::{Judge, JudgedRequest, REMEMBERED};
use crate::answer::{Answer, Body, Delivery};
use crate::registry::Registry;
use crate::state::UploadId;
use longshore_core::Row;

/// The number of acknowledgements that are remembered.
const MANY: usize = 10 * REMEMBERED;
/// The number of URLs of one upload that are remembered.
const URLS: usize = 64;

impl Registry {
    /// Records what a client knows from an answer, if the answer arrives, and what the request changed.
    pub(crate) fn learn(&mut self, judged: &JudgedRequest, answer: &Answer) {
        let Some(repository) = &judged.repository else { return };
        self.judge.learn_delivery(judged, answer.delivery);
        if answer.delivery == Delivery::Whole {
            self.learn_answer(judged, repository, answer);
        }
        // What was stored or deleted is, also if the client does not learn it.
        match judged.row {
            Some(Row::DeleteManifest) if answer.status.is_success() => {
                judged.digest.inspect(|digest| self.judge.forgive(repository, digest));
                self.settle(repository);
            }
            Some(Row::PutManifest | Row::PutTaggedManifest) => self.settle(repository),
            _ => {}
        }
    }

    fn learn_answer(&mut self, judged: &JudgedRequest, repository: &Repository, answer: &Answer) {
        let status = answer.status;
        let stored = match judged.row {
            Some(Row::PullBlob | Row::CheckBlob) => status == StatusCode::OK,
            Some(Row::PostBlob | Row::MountBlob) => status == StatusCode::CREATED,
            Some(Row::CloseUpload | Row::PutManifest | Row::PutTaggedManifest) => status.is_success(),
            _ => false,
        };
        if let Some(digest) = judged.digest.filter(|_| stored) {
            self.judge.acknowledge(repository, digest);
        }
        match judged.row {
            Some(Row::PullManifest | Row::CheckManifest) if status == StatusCode::OK => {
                self.learn_manifest(repository, answer);
            }
            Some(Row::PutManifest | Row::PutTaggedManifest) if stored => self.judge.owe(repository, judged, answer),
            Some(Row::ListReferrers | Row::ListSomeReferrers) if status == StatusCode::OK => {
                self.judge.learn_referrers(repository, answer);
            }
            _ => self.judge.learn_upload(judged, answer),
        }
    }

    /// Records that the repository has the manifest of an answer and the blobs of that image.
    fn learn_manifest(&mut self, repository: &Repository, answer: &Answer) {
        let Body::Bytes(bytes) = &answer.body else { return };
        let named = answer.headers.get("docker-content-digest").and_then(|digest| digest.to_str().ok()?.parse().ok());
        // If the header is missing, a client computes the digest (quirk `manifest-digest-header-unreliable`).
        let digest = named.or_else(|| Some(Digest::of(Algorithm::Sha256, bytes)));
        let contents = self.state.repositories.get(repository);
        let Some(stored) = digest.and_then(|digest: Digest| contents?.manifests.get(&digest)) else { return };
        let served = !bytes.is_empty() && stored.media_type.is_image();
        let blobs = stored.blobs.iter().copied().filter(|_| served);
        for digest in digest.into_iter().chain(blobs) {
            self.judge.acknowledge(repository, digest);
        }
    }
}

impl Judge {
    fn acknowledge(&mut self, repository: &Repository, digest: Digest) {
        if self.acknowledged.len() < MANY {
            self.acknowledged.insert((repository.clone(), digest));
        }
    }

    /// Whether an answer told a client that content exists. If more was acknowledged than is remembered, the result is
    /// always true.
    pub(super) fn is_acknowledged(&self, repository: &Repository, digest: &Digest) -> bool {
        self.acknowledged.len() >= MANY || self.acknowledged.contains(&(repository.clone(), *digest))
    }

    /// Records of which chunk a client does not know whether it arrived.
    fn learn_delivery(&mut self, judged: &JudgedRequest, delivery: Delivery) {
        let Some(id) = &judged.upload else { return };
        if delivery == Delivery::Whole {
            self.unanswered.remove(id);
        } else if let Some(first) = judged.first
            && self.unanswered.len() < REMEMBERED
        {
            self.unanswered.insert(id.clone(), first);
        }
    }

    fn learn_upload(&mut self, judged: &JudgedRequest, answer: &Answer) {
        let named = ["docker-upload-uuid", "blob-upload-uuid"].iter().find_map(|name| answer.headers.get(*name));
        let id = named.and_then(|id| id.to_str().ok()).map(UploadId::from).or_else(|| judged.upload.clone());
        let Some(id) = id else { return };
        let is_over = matches!(judged.row, Some(Row::CloseUpload | Row::CancelUpload)) && answer.status.is_success();
        let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
        if is_over {
            self.told.remove(&id);
        } else if let Some(location) = location
            && (self.told.len() < REMEMBERED || self.told.contains_key(&id))
        {
            let told = self.told.entry(id).or_default();
            told.newest = path_of(location).to_owned();
            if told.all.len() < URLS {
                told.all.insert(told.newest.clone());
            }
        }
    }
}

/// Path and query of a `Location` that this registry wrote.
fn path_of(location: &str) -> &str {
    let after_scheme = location.split_once("://").map_or(location, |(_, rest)| rest);
    after_scheme.find('/').map_or("/", |at| &after_scheme[at..])
}
