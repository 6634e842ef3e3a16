//! Pulls a manifest or a blob, and verifies it.

use super::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::auth::{Scope, Scopes};
use crate::config::{ManifestReference, Options, RepositoryRef};
use crate::driver::{Body, End, Keep, Key};
use crate::endpoint::{Endpoint, PullBlob as PullBlobCall, PullManifest as PullManifestCall};
use crate::outcome::{Failure, FailureKind};
use crate::{Digest, Manifest, Tag};

/// Pulls a manifest by tag or digest.
pub(crate) struct PullManifest {
    place: RepositoryRef,
    reference: ManifestReference,
    ended: Option<Result<Manifest, Failure>>,
}

impl PullManifest {
    pub(crate) const fn by_tag(place: RepositoryRef, tag: Tag) -> Self {
        Self { place, reference: ManifestReference::Tag(tag), ended: None }
    }

    pub(crate) const fn by_digest(place: RepositoryRef, digest: Digest) -> Self {
        Self { place, reference: ManifestReference::Digest(digest), ended: None }
    }

    fn call(&self) -> PullManifestCall<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        PullManifestCall { origin, repository, reference: (&self.reference).into() }
    }
}

impl<K: Key> Flow<K> for PullManifest {
    type Output = Manifest;

    fn next(&self, options: &Options) -> Next<K> {
        if self.ended.is_some() {
            return Next::Done;
        }
        let scopes = Scopes::one(Scope::pull(self.place.repository.clone()));
        Next::send(Exchange::new(&self.call(), Body::Empty, scopes, Keep::UpTo(options.manifest_body)))
    }

    fn outcome(&mut self, outcome: Outcome, _: &mut Context<'_, K>) {
        self.ended = Some(match outcome {
            Outcome::Answer { from, response, .. } => match self.call().parse(&from, &response) {
                Ok(pulled) => Ok(pulled.manifest),
                Err(error) => Err(Failure::new(error)),
            },
            other => Err(other.into_failure().unwrap_or_else(Failure::lost)),
        });
    }

    fn cancel(&mut self) {
        self.ended = Some(Err(Failure::cancelled()));
    }

    fn finish(self) -> Result<Self::Output, Failure> {
        ended(self.ended)
    }
}

/// Pulls a blob into a sink, and verifies the bytes that were written.
pub(crate) struct PullBlob<K> {
    place: RepositoryRef,
    digest: Digest,
    size: Option<u64>,
    sink: K,
    ended: Option<Result<u64, Failure>>,
}

impl<K: Key> PullBlob<K> {
    pub(crate) const fn new(place: RepositoryRef, digest: Digest, size: Option<u64>, sink: K) -> Self {
        Self { place, digest, size, sink, ended: None }
    }

    fn call(&self) -> PullBlobCall<'_> {
        let RepositoryRef { origin, repository } = &self.place;
        PullBlobCall { origin, repository, digest: &self.digest, offset: 0 }
    }

    fn poured(&self, len: u64, digest: Digest) -> Result<u64, FailureKind> {
        match self.size {
            Some(expected) if expected != len => Err(FailureKind::SizeMismatch { expected, actual: len }),
            _ if digest != self.digest => Err(FailureKind::DigestMismatch { expected: self.digest, actual: digest }),
            _ => Ok(len),
        }
    }
}

impl<K: Key> Flow<K> for PullBlob<K> {
    type Output = u64;

    fn next(&self, options: &Options) -> Next<K> {
        if self.ended.is_some() {
            return Next::Done;
        }
        let keep = Keep::Into {
            key: self.sink.clone(),
            algorithm: self.digest.algorithm(),
            size: self.size,
            if_error: options.error_body,
        };
        Next::send(Exchange::new(
            &self.call(),
            Body::Empty,
            Scopes::one(Scope::pull(self.place.repository.clone())),
            keep,
        ))
    }

    fn outcome(&mut self, outcome: Outcome, _: &mut Context<'_, K>) {
        let result = match outcome {
            Outcome::Answer { from, response, end } => match (self.call().parse(&from, &response), end) {
                (Ok(_), End::Poured { len, digest }) => self.poured(len, digest).map_err(Failure::new),
                (Ok(_), _) => {
                    Err(Failure::new(FailureKind::Misuse("the driver wrote no body into the sink".to_owned())))
                }
                (Err(error), _) => Err(Failure::new(error)),
            },
            other => Err(other.into_failure().unwrap_or_else(Failure::lost)),
        };
        self.ended = Some(result.map_err(|failure| failure.about(&self.sink)));
    }

    fn cancel(&mut self) {
        self.ended = Some(Err(Failure::cancelled()));
    }

    fn finish(self) -> Result<Self::Output, Failure> {
        ended(self.ended)
    }
}
