//! An upload in a check.

use std::fmt;

use bytes::Bytes;
use http::Method;
use longshore_core::auth::{Scope, Scopes};
use longshore_core::{Repository, Target};

use super::content::Blob;
use super::received::Received;
use super::request::RequestBuilder;
use super::stop::{Stop, prepared};
use super::tested::{Left, TestedRegistry};

/// An open upload with its newest location.
pub(super) struct Upload<'c, 'a> {
    tested: &'c TestedRegistry<'a>,
    pub(super) repository: Repository,
    pub(super) location: Target,
}

impl<'a> TestedRegistry<'a> {
    /// Opens an upload in a repository.
    pub(super) fn open(&self, repository: &Repository) -> Result<Upload<'_, 'a>, Stop> {
        let post = self.request(Method::POST, repository, "blobs/uploads/").send();
        prepared("no upload could be opened", post.and_then(|answer| self.opened(repository, &answer)))
    }

    /// Opens an upload in the first repository.
    pub(super) fn upload(&self) -> Result<Upload<'_, 'a>, Stop> {
        self.open(self.repository())
    }

    /// The upload that an answer opened.
    pub(super) fn opened(&self, repository: &Repository, answer: &Received<'_, '_>) -> Result<Upload<'_, 'a>, Stop> {
        if !answer.is_success() {
            return Err(answer.fail("an open upload", answer.summary()));
        }
        let location = answer.location()?;
        self.leaves(Left::Upload(location.clone(), repository.clone()));
        Ok(Upload { tested: self, repository: repository.clone(), location })
    }
}

impl<'c, 'a> Upload<'c, 'a> {
    fn request(&self, method: Method) -> RequestBuilder<'c, 'a> {
        let scopes = Scopes::one(Scope::push(self.repository.clone()));
        self.tested.request_to(method, &self.repository, Ok(self.location.clone())).with_scopes(scopes)
    }

    /// PATCH without `Content-Range`.
    pub(super) fn patch(&self, bytes: impl Into<Bytes>) -> RequestBuilder<'c, 'a> {
        self.request(Method::PATCH).bytes(bytes)
    }

    /// PATCH with `Content-Range`.
    pub(super) fn chunk(&self, from: usize, bytes: impl Into<Bytes>) -> RequestBuilder<'c, 'a> {
        let bytes = bytes.into();
        let range = range(from, bytes.len());
        self.patch(bytes).header("content-range", range)
    }

    /// PUT that closes it, without a body.
    pub(super) fn close(&self, digest: impl fmt::Display) -> RequestBuilder<'c, 'a> {
        self.request(Method::PUT).query("digest", digest.to_string())
    }

    /// PUT that closes it with the whole blob.
    pub(super) fn close_whole(&self, blob: &Blob) -> RequestBuilder<'c, 'a> {
        self.close(blob.digest).bytes(blob.bytes.clone())
    }

    /// PUT that closes it without a digest.
    pub(super) fn close_unnamed(&self) -> RequestBuilder<'c, 'a> {
        self.request(Method::PUT)
    }

    /// PUT that closes it with the last chunk.
    pub(super) fn close_with(
        &self,
        digest: impl fmt::Display,
        from: usize,
        bytes: impl Into<Bytes>,
    ) -> RequestBuilder<'c, 'a> {
        let bytes = bytes.into();
        let range = range(from, bytes.len());
        self.close(digest).bytes(bytes).header("content-range", range)
    }

    /// GET of its state (`end-13`).
    pub(super) fn state(&self) -> RequestBuilder<'c, 'a> {
        self.request(Method::GET)
    }

    /// HEAD of it, which the spec does not have.
    pub(super) fn head(&self) -> RequestBuilder<'c, 'a> {
        self.request(Method::HEAD)
    }

    /// DELETE (`end-14`).
    pub(super) fn cancel(&self) -> RequestBuilder<'c, 'a> {
        self.request(Method::DELETE)
    }

    /// Cancels it, as preparation of a check.
    pub(super) fn cancelled(&self) -> Result<(), Stop> {
        let answer = self.cancel().send()?;
        if answer.is_success() {
            return Ok(());
        }
        Err(Stop::unsupported(format!("uploads cannot be cancelled: {}", answer.summary())))
    }

    /// Sends one of its requests, which must succeed, and follows the `Location` of the answer.
    pub(super) fn takes(&mut self, request: RequestBuilder<'c, 'a>) -> Result<(), Stop> {
        let answer = request.send()?.done()?;
        self.follow(&answer);
        Ok(())
    }

    /// Closes it with a PUT without a body, which must succeed and store the blob.
    pub(super) fn end(self, blob: &Blob) -> Result<(), Stop> {
        self.close(blob.digest).send()?.done()?;
        self.became(blob.digest);
        Ok(())
    }

    /// Follows the `Location` of an answer, if there is one.
    pub(super) fn follow(&mut self, answer: &Received<'_, '_>) {
        if let Ok(location) = answer.location() {
            self.moved(location);
        }
    }

    fn moved(&mut self, location: Target) {
        self.tested.is_gone(&Left::Upload(self.location.clone(), self.repository.clone()));
        self.location = location;
        self.tested.leaves(Left::Upload(self.location.clone(), self.repository.clone()));
    }

    /// Sends a chunk, which must succeed, as preparation of a check.
    pub(super) fn send_chunk(&mut self, from: usize, bytes: impl Into<Bytes>) -> Result<(), Stop> {
        let answer = prepared("a chunk was not taken", self.chunk(from, bytes).send())?;
        if !answer.is_success() {
            return Err(Stop::NotPrepared(format!("a chunk was not taken: {}", answer.summary())));
        }
        self.follow(&answer);
        Ok(())
    }

    /// Records that the upload is closed and the blob is stored.
    pub(super) fn became(self, digest: impl fmt::Display) {
        self.tested.is_gone(&Left::Upload(self.location.clone(), self.repository.clone()));
        self.tested.leaves(Left::Blob(self.repository, digest.to_string()));
    }
}

/// `Content-Range` in the specification's form, with both ends inclusive.
pub(super) fn range(from: usize, len: usize) -> String {
    format!("{from}-{}", (from + len).saturating_sub(1))
}
