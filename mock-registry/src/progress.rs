//! The progress of a request in the registry.

use bytes::BytesMut;
use longshore_core::{Instant, Origin};

use crate::answer::Answer;
use crate::auth::TokenRequest;
use crate::fault::FaultEffect;
use crate::judge::JudgedRequest;
use crate::manifests::receiving::Receiving;
use crate::request::ParsedRequest;
use crate::uploads::writing::Writing;

/// A request whose body is being received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// What follows after a request's head was read.
#[must_use]
#[derive(Debug)]
pub enum Opened {
    /// The body is needed: give it to [`Registry::piece`](crate::Registry::piece), then call
    /// [`Registry::close`](crate::Registry::close).
    Body(RequestId),
    /// It is answered. Its body, if there is one, is ignored.
    Answer(Answer),
}

/// What follows after a piece of a request's body.
#[must_use]
#[derive(Debug)]
pub enum Progress {
    /// More of the body is needed.
    More,
    /// It is answered, and the request is over. The rest of its body is ignored.
    Answer(Answer),
}

/// How the body of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// It is complete.
    Complete,
    /// The connection broke before its end.
    Cut,
}

/// A request in progress.
pub(crate) struct PendingRequest {
    pub(crate) judged: JudgedRequest,
    /// Its fault.
    pub(crate) effect: FaultEffect,
    /// How many bytes of its body were received.
    pub(crate) received: u64,
    pub(crate) receiver: Receiver,
    /// Until when the client may.
    pub(crate) good_until: Option<Instant>,
    /// The one of the registry's own names that it came to.
    pub(crate) asked_at: Option<Origin>,
    /// What is needed to receive it a second time.
    pub(crate) repetition: Option<Box<Repetition>>,
}

/// A request that is received twice.
pub(crate) struct Repetition {
    pub(crate) request: ParsedRequest,
    pub(crate) body: BytesMut,
    /// Whether the whole body is stored: it is not if it is too long.
    pub(crate) is_whole: bool,
}

/// What receives a body.
#[derive(Debug)]
pub(crate) enum Receiver {
    Upload(Writing),
    Manifest(Receiving),
    Token(TokenRequest),
}

/// What a handler decides about a head.
pub(crate) enum Step {
    Answer(Answer),
    Receive(Receiver),
}
