//! Builds the exchange of each state.

use std::ops::Range;

use super::{State, Upload, Uploaded};
use crate::auth::{Scope, Scopes};
use crate::config::Options;
use crate::driver::{Body, Keep, Key};
use crate::endpoint::{
    CancelUpload, CheckBlob, CheckUpload, Chunk, CloseUpload, ClosingBody, Endpoint, MountBlob, OpenUpload, PostBlob,
    SendChunk, StartUpload,
};
use crate::flow::{Context, Exchange, Flow, Next, Outcome, ended};
use crate::header::ChunkRange;
use crate::outcome::{Failure, FailureKind};
use crate::{Algorithm, Repository};

impl<K: Key> Flow<K> for Upload<K> {
    type Output = Uploaded;

    fn next(&self, options: &Options) -> Next<K> {
        if self.leaving.is_some() && matches!(self.state, State::Opening | State::Mounting(_)) {
            return Next::Done;
        }
        let exchange = match &self.state {
            State::Checking | State::Confirming(_) => self.check().map(|check| self.bodyless(&check, options)),
            State::Mounting(from) => self.mount(from).map(|mount| {
                let scopes = if *from == self.place.repository {
                    self.scopes()
                } else {
                    self.scopes().and(Scope::pull(from.clone()))
                };
                Exchange::new(&mount, Body::Empty, scopes, Keep::UpTo(options.error_body))
            }),
            State::Opening => Some(self.bodyless(&self.start(), options)),
            State::PostingWhole => self.post().map(|post| self.with_body(&post, self.whole(), options)),
            State::PuttingWhole(open) => {
                self.close_whole(open).map(|close| self.with_body(&close, self.whole(), options))
            }
            State::Streaming(open) => Some(self.with_body(&self.stream(open, false), self.whole(), options)),
            // Its bytes were sent and cannot be read again.
            State::Pouring(_) if self.content.has_ended() => Some(Err(Failure::new(FailureKind::NotReplayable))),
            State::Pouring(open) => {
                let body = Body::Rest { key: self.key.clone(), from: 0 };
                Some(self.with_body(&self.stream(open, true), body, options))
            }
            State::SendingChunk(open, range) => {
                self.patch(open, range).map(|patch| self.with_body(&patch, self.part(range), options))
            }
            State::Closing(open, last) => {
                let body = last.as_ref().map_or(Body::Empty, |range| self.part(range));
                self.close(open, last.as_ref()).map(|close| self.with_body(&close, body, options))
            }
            State::Resuming(open, _) | State::Resyncing(open, _) => Some(self.bodyless(&self.status(open), options)),
            State::Cancelling(open, _) => {
                Some(self.bodyless(&CancelUpload { upload: open }, options).map(Exchange::forget_if_lost))
            }
            // The offset of the upload may be a guess, so the source may drop only bytes that the registry has
            // acknowledged.
            State::Held => return Next::Hold,
            State::Reading(_, from, up_to) => {
                return Next::Read { from: self.content.first_in_hand(*from), up_to: *up_to };
            }
            State::Planned | State::Ended(_) => return Next::Done,
        };
        // This cannot fail: a state that needs a digest is not entered without one.
        let exchange = exchange.unwrap_or_else(|| Err(Failure::new(FailureKind::NotReplayable)));
        Next::send(match self.state.upload_in_use() {
            Some(upload) => exchange.map(|exchange| exchange.in_upload(upload)),
            None => exchange,
        })
    }

    fn outcome(&mut self, outcome: Outcome, context: &mut Context<'_, K>) {
        self.moved(outcome, context);
    }

    fn cancel(&mut self) {
        self.give_up_for_caller();
    }

    fn finish(self) -> Result<Uploaded, Failure> {
        ended(if let State::Ended(result) = self.state { Some(result) } else { None })
    }
}

impl<K: Key> Upload<K> {
    pub(super) fn check(&self) -> Option<CheckBlob<'_>> {
        let digest = self.content.digest.as_ref()?;
        Some(CheckBlob { origin: &self.place.origin, repository: &self.place.repository, digest })
    }

    pub(super) fn mount<'a>(&'a self, from: &'a Repository) -> Option<MountBlob<'a>> {
        let digest = self.content.digest.as_ref()?;
        Some(MountBlob { origin: &self.place.origin, repository: &self.place.repository, digest, from: Some(from) })
    }

    pub(super) fn start(&self) -> StartUpload<'_> {
        StartUpload {
            origin: &self.place.origin,
            repository: &self.place.repository,
            algorithm: Some(self.content.algorithm).filter(|algorithm| *algorithm != Algorithm::Sha256),
        }
    }

    pub(super) fn post(&self) -> Option<PostBlob<'_>> {
        let (digest, size) = (self.content.digest.as_ref()?, self.content.size?);
        Some(PostBlob { origin: &self.place.origin, repository: &self.place.repository, digest, size })
    }

    pub(super) fn stream<'a>(&self, open: &'a OpenUpload, poured: bool) -> SendChunk<'a> {
        // The size that the caller stated is not verified yet, so it is not sent as `Content-Length`.
        let size = self.content.size.filter(|_| !poured);
        SendChunk { upload: open, chunk: Chunk::Stream { size } }
    }

    pub(super) fn patch<'a>(&self, open: &'a OpenUpload, range: &Range<u64>) -> Option<SendChunk<'a>> {
        Some(SendChunk { upload: open, chunk: Chunk::Range(chunk_range(range)?) })
    }

    /// The PUT with all bytes.
    pub(super) fn close_whole<'a>(&'a self, open: &'a OpenUpload) -> Option<CloseUpload<'a>> {
        let (digest, size) = (self.content.digest.as_ref()?, self.content.size?);
        Some(CloseUpload { upload: open, digest, body: ClosingBody::Whole { size } })
    }

    /// The PUT that closes an upload whose other bytes were sent, with the last chunk or without a body.
    pub(super) fn close<'a>(&'a self, open: &'a OpenUpload, last: Option<&Range<u64>>) -> Option<CloseUpload<'a>> {
        let digest = self.content.digest.as_ref()?;
        let body = match last {
            Some(range) => ClosingBody::LastChunk(chunk_range(range)?),
            None => ClosingBody::Empty,
        };
        Some(CloseUpload { upload: open, digest, body })
    }

    pub(super) fn status<'a>(&self, open: &'a OpenUpload) -> CheckUpload<'a> {
        CheckUpload { upload: open }
    }

    fn scopes(&self) -> Scopes {
        Scopes::one(Scope::push(self.place.repository.clone()))
    }

    fn whole(&self) -> Body<K> {
        self.part(&(0..self.content.size.unwrap_or(0)))
    }

    fn part(&self, range: &Range<u64>) -> Body<K> {
        if range.is_empty() { Body::Empty } else { Body::Blob { key: self.key.clone(), range: range.clone() } }
    }

    fn bodyless(&self, endpoint: &impl Endpoint, options: &Options) -> Result<Exchange<K>, Failure> {
        Exchange::new(endpoint, Body::Empty, self.scopes(), Keep::UpTo(options.error_body))
    }

    /// An exchange with content. If its answer is lost, the flow is told and asks before it sends the content again.
    fn with_body(&self, endpoint: &impl Endpoint, body: Body<K>, options: &Options) -> Result<Exchange<K>, Failure> {
        Exchange::new(endpoint, body, self.scopes(), Keep::UpTo(options.error_body)).map(Exchange::ask_if_lost)
    }
}

fn chunk_range(range: &Range<u64>) -> Option<ChunkRange> {
    ChunkRange::new(range.start, range.end.checked_sub(range.start)?)
}
