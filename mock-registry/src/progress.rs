//! A request on its way through the registry.

use bytes::BytesMut;
use longshore_core::{Instant, Origin};

use crate::answer::Answer;
use crate::auth::TokenRequest;
use crate::fault::FaultEffect;
use crate::judge::JudgedRequest;
use crate::manifests::receiving::Receiving;
use crate::request::ParsedRequest;
use crate::uploads::writing::Writing;

/// A request whose body is on its way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// What becomes of a request once its head is read.
#[must_use]
#[derive(Debug)]
pub enum Opened {
    /// Its body is wanted: hand it to [`Registry::piece`](crate::Registry::piece), then call [`Registry::close`](crate::Registry::close).
    Body(RequestId),
    /// It is answered. Its body, if there is one, does not matter.
    Answer(Answer),
}

/// What becomes of a request after a piece of its body.
#[must_use]
#[derive(Debug)]
pub enum Progress {
    /// More is wanted.
    More,
    /// It is answered; the rest of its body does not matter, and the request is over.
    Answer(Answer),
}

/// How the body of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// It is whole.
    Complete,
    /// The connection broke before its end.
    Cut,
}

/// A request that is under way.
pub(crate) struct PendingRequest {
    pub(crate) judged: JudgedRequest,
    /// What a fault does to it.
    pub(crate) effect: FaultEffect,
    /// How many bytes of its body came.
    pub(crate) received: u64,
    pub(crate) receiver: Receiver,
    /// Until when the client may.
    pub(crate) good_until: Option<Instant>,
    /// The one of the registry's own names that it came to.
    pub(crate) asked_at: Option<Origin>,
    /// What is needed to let it come a second time.
    pub(crate) repetition: Option<Box<Repetition>>,
}

/// A request that comes twice.
pub(crate) struct Repetition {
    pub(crate) request: ParsedRequest,
    pub(crate) body: BytesMut,
    /// Whether the body is all of it, and not too long to be kept.
    pub(crate) is_whole: bool,
}

/// What takes a body in.
#[derive(Debug)]
pub(crate) enum Receiver {
    Upload(Writing),
    Manifest(Receiving),
    Token(TokenRequest),
}

/// What a handler makes of a head.
pub(crate) enum Step {
    Answer(Answer),
    Receive(Receiver),
}
