//! The mock registry with users, and one of the quirks of real ones.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use longshore_conformance::Mock;
use longshore_conformance::quirk::spec_true;
use longshore_core::{Instant, Repository, Tag};
use longshore_memory::{BodyEnd, ExchangeId, Handler, Reply};
use longshore_mock_registry as mock;
use mock::auth::{Auth, Password, Rights};
use mock::behaviour::Authentication;

use crate::drive::{Outcome, PASSWORD, Seen, Setup, blob, drive, manifest};

/// A registry of these quirks, where a user may push and pull.
pub(crate) fn with(change: impl FnOnce(&mut Authentication)) -> mock::RegistryOptions {
    let mut options = spec_true();
    change(&mut options.behaviour.auth);
    options.auth = Some(Auth::bearer().user("user", Password::plain(PASSWORD), rights("library/*=pull,push")));
    options
}

/// The same, without tokens.
pub(crate) fn with_passwords(change: impl FnOnce(&mut Authentication)) -> mock::RegistryOptions {
    let mut options = with(change);
    options.auth = options.auth.map(|auth| auth.with_scheme(Auth::basic().scheme));
    options
}

pub(crate) fn rights(text: &str) -> Rights {
    text.parse().unwrap()
}

/// Pushes a small image there, with the right password at hand.
pub(crate) fn push(options: mock::RegistryOptions) -> Outcome {
    run(options, Setup::default())
}

/// Such a registry, with one layer of the image in another repository.
pub(crate) fn with_base(options: mock::RegistryOptions) -> Mock {
    let mut mock = Mock::new(options);
    let (digest, bytes) = blob("base");
    mock.put_blob(&"library/base".parse().unwrap(), &digest, &bytes);
    mock
}

/// Pushes a small image there as nobody.
pub(crate) fn push_as_nobody(options: mock::RegistryOptions) -> Outcome {
    run(options, Setup { lookup: Box::new(|_, _| Ok(None)), ..Setup::default() })
}

/// Does something there. What is said to have been pushed must really be there.
pub(crate) fn run(options: mock::RegistryOptions, setup: Setup) -> Outcome {
    run_prepared(Mock::new(options), setup)
}

/// The same, where something is there before.
pub(crate) fn run_prepared(mock: Mock, setup: Setup) -> Outcome {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let mock = Rc::new(RefCell::new(mock));
    let outcome = drive(Recorder { mock: mock.clone(), seen: seen.clone(), open: Vec::new() }, &seen, setup);
    if let Ok(longshore_core::Receipt::Pushed(_)) = &outcome.result {
        let (repository, tag): (Repository, Tag) = ("library/app".parse().unwrap(), "v1".parse().unwrap());
        assert_eq!(mock.borrow().tagged(&repository, &tag), Some(manifest("").digest()), "{}", outcome.transcript);
    }
    outcome
}

/// Writes down what the mock sees.
struct Recorder {
    mock: Rc<RefCell<Mock>>,
    seen: Rc<RefCell<Vec<Seen>>>,
    open: Vec<(ExchangeId, usize)>,
}

impl Recorder {
    fn note(&self, id: ExchangeId, reply: &Reply) {
        if let Some((_, at)) = self.open.iter().find(|(open, _)| *open == id) {
            self.seen.borrow_mut()[*at].status = reply.answer.status().as_u16();
        }
    }
}

impl Handler for Recorder {
    fn open(&mut self, now: Instant, id: ExchangeId, head: Parts) -> Option<Reply> {
        self.open.push((id, self.seen.borrow().len()));
        self.seen.borrow_mut().push(Seen::new(now, &head));
        let reply = self.mock.borrow_mut().open(now, id, head)?;
        self.note(id, &reply);
        Some(reply)
    }

    fn piece(&mut self, now: Instant, id: ExchangeId, bytes: Bytes) -> Option<Reply> {
        let reply = self.mock.borrow_mut().piece(now, id, bytes)?;
        self.note(id, &reply);
        Some(reply)
    }

    fn close(&mut self, now: Instant, id: ExchangeId, how: BodyEnd) -> Reply {
        let reply = self.mock.borrow_mut().close(now, id, how);
        self.note(id, &reply);
        reply
    }
}

/// Tokens that are good for so long.
pub(crate) fn living(mut options: mock::RegistryOptions, lifetime: Duration) -> mock::RegistryOptions {
    options.auth = options.auth.map(|auth| auth.with_lifetime(lifetime));
    options
}
