//! A registry that plays a profile, and what is in it.

use base64::Engine as _;
use bytes::Bytes;
use http::{Method, Request, Response};
use longshore_core::{Algorithm, Digest, Instant, Origin, Scheme};
use longshore_mock_registry::Registry;
use longshore_mock_registry::auth::{Password, Rights};
use longshore_mock_registry::profile::Profile;
use serde_json::json;

pub(crate) const NAME: &str = "org/team/app";
pub(crate) const SOURCE: &str = "org/team/base";
pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const BLOB: &str = "application/octet-stream";

pub(crate) struct Stage {
    pub(crate) registry: Registry,
    pub(crate) profile: Profile,
    pub(crate) origin: String,
    /// The two chunks of a blob.
    pub(crate) first: Bytes,
    pub(crate) last: Bytes,
    /// Sent with each request.
    pub(crate) authorization: Option<String>,
    /// Whether no tag comes after the page of two tags behind `v1`. How many tags a registry had when its second page was
    /// recorded is told only by the `Link` of that page.
    pub(crate) ends_at_v3: bool,
}

impl Stage {
    pub(crate) fn new(profile: Profile, over: &str) -> Self {
        let origin = format!("{over}://registry.example");
        let parsed = |host: &str| host.parse::<longshore_core::Registry>().unwrap().origin();
        let scheme = if over == "http" { Scheme::Http } else { Scheme::Https };
        let mut options = profile.options();
        options.origin = Some(Origin::new(scheme, parsed("registry.example").host().clone(), None));
        options.storage = Some(parsed("storage.example"));
        let first = options.behaviour.start.chunk_min.map_or(22, |min| min.bytes.max(22));
        Self {
            registry: Registry::new(options),
            profile,
            origin,
            first: vec![b'1'; usize::try_from(first).unwrap()].into(),
            last: vec![b'2'; 20].into(),
            authorization: None,
            ends_at_v3: false,
        }
    }

    /// The whole blob.
    pub(crate) fn whole(&self) -> Bytes {
        [&self.first[..], &self.last[..]].concat().into()
    }

    /// Its digest.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of(Algorithm::Sha256, &self.whole())
    }

    /// What a switch in the note of an entry sets, as the note says it.
    pub(crate) fn as_noted(&mut self, quirk: &str) {
        let notes: Vec<String> = self.profile.entries_of(quirk).map(|(_, entry)| entry.note.clone()).collect();
        let assignment =
            notes.iter().find_map(|note| {
                let rest = note.split_once("--set ")?.1;
                let quoted = rest.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
                Some(quoted.map_or_else(
                    || rest.split([',', ' ']).next().unwrap_or(rest).trim_end_matches('.'),
                    |(set, _)| set,
                ))
            });
        if let Some(assignment) = assignment {
            self.profile.set(assignment).unwrap();
            self.registry.options.behaviour = self.profile.behaviour().clone();
        }
    }

    /// Asks, and follows a redirect to the storage.
    pub(crate) fn ask(
        &mut self,
        method: &Method,
        target: &str,
        headers: &[(&str, &str)],
        body: &Bytes,
    ) -> Response<Bytes> {
        let response = self.ask_once(method, target, headers, body);
        let location = response.headers().get("location").and_then(|location| location.to_str().ok());
        match location.filter(|location| response.status() == 307 && location.contains("storage.example")) {
            Some(location) => self.ask_once(method, location, headers, body),
            None => response,
        }
    }

    fn ask_once(&mut self, method: &Method, target: &str, headers: &[(&str, &str)], body: &Bytes) -> Response<Bytes> {
        let path = target.strip_prefix(&self.origin).unwrap_or(target);
        let (host, path) = match path.split_once("storage.example") {
            Some((_, path)) => ("storage.example", path),
            None => ("registry.example", path),
        };
        let mut request = Request::builder().method(method).uri(path).header("host", host);
        if !headers.iter().any(|(name, _)| *name == "transfer-encoding")
            && !matches!(*method, Method::GET | Method::HEAD)
        {
            request = request.header("content-length", body.len());
        }
        if let Some(authorization) = self.authorization.as_ref().filter(|_| host == "registry.example") {
            request = request.header("authorization", authorization);
        }
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.registry.answer(Instant::ZERO, request.body(body.clone()).unwrap()).unwrap()
    }

    pub(crate) fn get(&mut self, path: &str) -> Response<Bytes> {
        self.ask(&Method::GET, path, &[("accept", &format!("{IMAGE}, {INDEX}"))], &Bytes::new())
    }

    pub(crate) fn head(&mut self, path: &str) -> Response<Bytes> {
        self.ask(&Method::HEAD, path, &[("accept", &format!("{IMAGE}, {INDEX}"))], &Bytes::new())
    }

    pub(crate) fn post(&mut self, path: &str) -> Response<Bytes> {
        self.ask(&Method::POST, path, &[], &Bytes::new())
    }

    pub(crate) fn delete(&mut self, path: &str) -> Response<Bytes> {
        self.ask(&Method::DELETE, path, &[], &Bytes::new())
    }

    pub(crate) fn put_manifest(&mut self, reference: &str, media_type: &str, body: &Bytes) -> Response<Bytes> {
        let path = format!("/v2/{NAME}/manifests/{reference}");
        self.ask(&Method::PUT, &path, &[("content-type", media_type)], body)
    }

    /// What a registry does that does what the spec says, with the same contents.
    pub(crate) fn plainly<T>(&mut self, ask: impl FnOnce(&mut Self) -> T) -> T {
        let behaviour = std::mem::take(&mut self.registry.options.behaviour);
        let auth = self.registry.options.auth.take();
        let answer = ask(self);
        self.registry.options.behaviour = behaviour;
        self.registry.options.auth = auth;
        answer
    }

    /// Stores the blob in a repository.
    pub(crate) fn store_blob(&mut self, repository: &str) {
        let (path, whole) = (format!("/v2/{repository}/blobs/uploads/?digest={}", self.digest()), self.whole());
        let stored = self.plainly(|stage| stage.ask(&Method::POST, &path, &[("content-type", BLOB)], &whole));
        assert_eq!(stored.status(), 201);
    }

    /// An image of the blob; its layer has it too, unless it has none.
    pub(crate) fn image(&self, layers: bool, subject: Option<&Digest>) -> Bytes {
        let blob = |media_type: &str| json!({ "mediaType": media_type, "digest": self.digest().to_string(), "size": self.whole().len() });
        let mut image = json!({
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": blob("application/vnd.oci.image.config.v1+json"),
            "layers": if layers { vec![blob("application/vnd.oci.image.layer.v1.tar+gzip")] } else { Vec::new() },
        });
        if let Some(subject) = subject {
            image["subject"] = json!({ "mediaType": IMAGE, "digest": subject.to_string(), "size": 2 });
            image["config"]["mediaType"] = json!("application/vnd.example.sbom");
        }
        image.to_string().into()
    }

    /// Stores blob and image under these tags.
    pub(crate) fn store_image(&mut self, repository: &str, tags: &[&str]) -> Digest {
        self.store_blob(repository);
        let image = self.image(true, None);
        for tag in tags {
            let path = format!("/v2/{repository}/manifests/{tag}");
            let stored = self.plainly(|stage| stage.ask(&Method::PUT, &path, &[("content-type", IMAGE)], &image));
            assert_eq!(stored.status(), 201);
        }
        Digest::of(Algorithm::Sha256, &image)
    }

    /// Lets only users in, as the profile has them.
    pub(crate) fn with_users(&mut self, rights: &str) {
        let rights: Rights = rights.parse().unwrap();
        self.registry.options.auth = Some(self.profile.auth().user("alice", Password::plain("wonderland"), rights));
    }

    /// Who alice is.
    pub(crate) fn basic() -> String {
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("alice:wonderland"))
    }

    /// A token for this scope.
    pub(crate) fn token(&mut self, scope: &str) -> Response<Bytes> {
        self.authorization = Some(Self::basic());
        let answer = self.get(&format!("/token?service=x&scope={scope}"));
        self.authorization = None;
        answer
    }

    /// Goes on with a token for this scope.
    pub(crate) fn signed_with(&mut self, scope: &str) {
        let answer = self.token(scope);
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        let token = body.get("token").or_else(|| body.get("access_token")).and_then(|token| token.as_str());
        self.authorization = Some(format!("Bearer {}", token.unwrap()));
    }
}
