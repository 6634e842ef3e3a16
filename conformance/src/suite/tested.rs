//! The registry, as the check of one requirement sees it.

use std::cell::{Cell, RefCell};
use std::fmt;

use http::{HeaderMap, Method};
use longshore_core::auth::{Scope, Scopes};
use longshore_core::{Instant, Repository, Target};
use longshore_mock_registry::report::RecordedExchange;

use super::fixtures::Fixtures;
use super::options::SuiteOptions;
use super::request::RequestBuilder;
use super::signer::Signer;
use super::{RawBody, RawClient};

/// What all checks of a run share.
pub(super) struct Surroundings<'a> {
    pub(super) client: &'a dyn RawClient,
    pub(super) options: &'a SuiteOptions,
    pub(super) signer: &'a Signer,
    pub(super) fixtures: &'a Fixtures,
}

/// One requirement under tested.
///
/// It knows the registry, makes content that nobody else has, records each exchange, and keeps a list of what it leaves
/// behind.
pub(super) struct TestedRegistry<'a> {
    pub(super) around: &'a Surroundings<'a>,
    pub(super) id: &'static str,
    pub(super) deadline: Instant,
    pub(super) exchanges: RefCell<Vec<RecordedExchange>>,
    pub(super) left: RefCell<Vec<Left>>,
    contents: Cell<u64>,
}

/// Something that a check left at the registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    /// An open upload.
    Upload(Target, Repository),
    /// A manifest, by its digest.
    Manifest(Repository, String),
    /// A blob, by its digest.
    Blob(Repository, String),
}

/// Why a check ends before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The registry does otherwise.
    Failed(Finding),
    /// The registry does not have what the check is about, as the specification allows.
    Unsupported(String),
    /// What the check needs could not be brought about: nothing is said about the requirement itself.
    NotPrepared(String),
}

/// How a registry does otherwise than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// What should have come.
    pub(super) expected: String,
    /// What came.
    pub(super) found: String,
    /// In which of the check's exchanges; none where it is about several.
    pub(super) exchange: Option<usize>,
}

impl Stop {
    /// The registry does otherwise, as several exchanges together show.
    pub(super) fn failed(expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::Failed(Finding { expected: expected.to_string(), found: found.to_string(), exchange: None })
    }

    pub(super) fn unsupported(why: impl fmt::Display) -> Self {
        Self::Unsupported(why.to_string())
    }
}

impl<'a> TestedRegistry<'a> {
    pub(super) const fn new(around: &'a Surroundings<'a>, id: &'static str, deadline: Instant) -> Self {
        Self {
            around,
            id,
            deadline,
            exchanges: RefCell::new(Vec::new()),
            left: RefCell::new(Vec::new()),
            contents: Cell::new(0),
        }
    }

    /// The repository that most checks work in.
    pub(super) const fn repository(&self) -> &'a Repository {
        &self.around.options.repository
    }

    /// The other repository, for mounts.
    pub(super) const fn second(&self) -> &'a Repository {
        &self.around.options.second
    }

    /// The name of a repository that is not there.
    pub(super) fn absent(&self) -> Repository {
        let name = format!("{}/absent-{}", self.repository(), self.unique());
        name.parse().unwrap_or_else(|_| self.repository().clone())
    }

    /// A word that no other check and no other run has: lower-case letters, digits and hyphens.
    pub(super) fn unique(&self) -> String {
        let number = self.contents.get();
        self.contents.set(number + 1);
        let text = format!("{}/{}/{number}", self.around.options.seed, self.id);
        let digest = longshore_core::Digest::of(longshore_core::Algorithm::Sha256, text.as_bytes());
        digest.hex()[..16].to_owned()
    }

    /// A tag that no other check and no other run has.
    pub(super) fn tag(&self) -> String {
        format!("t-{}", self.unique())
    }

    /// A request to what stands below `/v2/<name>/`.
    pub(super) fn request(&self, method: Method, repository: &Repository, path: &str) -> RequestBuilder<'_, 'a> {
        self.request_path(method, repository, &format!("/v2/{repository}/{path}"))
    }

    /// A request to any path, which needs rights in a repository.
    pub(super) fn request_path(&self, method: Method, repository: &Repository, path: &str) -> RequestBuilder<'_, 'a> {
        let target = Target::new(self.around.signer.registry().clone(), path);
        let target = target.map_err(|error| Stop::NotPrepared(format!("{path} is no path: {error}")));
        self.request_to(method, repository, target)
    }

    /// A request to wherever the registry pointed.
    pub(super) fn request_to(
        &self,
        method: Method,
        repository: &Repository,
        target: Result<Target, Stop>,
    ) -> RequestBuilder<'_, 'a> {
        let scope = match method {
            Method::GET | Method::HEAD => Scope::pull(repository.clone()),
            Method::DELETE => Scope::delete(repository.clone()),
            _ => Scope::push(repository.clone()),
        };
        let scopes = Scopes::one(scope);
        RequestBuilder {
            tested: self,
            method,
            target,
            headers: HeaderMap::new(),
            body: RawBody::Sized(bytes::Bytes::new()),
            announced: None,
            scopes,
            is_signed: true,
            is_followed: true,
        }
    }

    /// GET of what stands below `/v2/<name>/` of the first repository.
    pub(super) fn get(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::GET, self.repository(), path)
    }

    /// HEAD of what stands there.
    pub(super) fn head(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::HEAD, self.repository(), path)
    }

    /// POST to what stands there.
    pub(super) fn post(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::POST, self.repository(), path)
    }

    /// PUT to what stands there.
    pub(super) fn put(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::PUT, self.repository(), path)
    }

    /// DELETE of what stands there.
    pub(super) fn delete(&self, path: &str) -> RequestBuilder<'_, 'a> {
        self.request(Method::DELETE, self.repository(), path)
    }

    /// Notes that something is left behind.
    pub(super) fn leaves(&self, left: Left) {
        self.left.borrow_mut().push(left);
    }

    /// Notes that something is no longer there.
    pub(super) fn is_gone(&self, gone: &Left) {
        self.left.borrow_mut().retain(|left| left != gone);
    }
}

/// What failed while a check was being prepared says nothing about what it checks.
pub(super) fn prepared<T>(what: &str, done: Result<T, Stop>) -> Result<T, Stop> {
    done.map_err(|stop| match stop {
        Stop::Failed(finding) => Stop::NotPrepared(format!("{what}: {}", finding.found)),
        Stop::NotPrepared(why) | Stop::Unsupported(why) => Stop::NotPrepared(format!("{what}: {why}")),
    })
}
