//! A registry, its token service and a storage host, all in one closure's reach.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use longshore_core::auth::Credentials;
use longshore_core::driver::AskFailed;
use longshore_core::{
    Algorithm, Blob, Client, Digest, Failure, Instant, Manifest, Options, Push, Receipt, Registry, Secret, Tag,
};
use longshore_memory::{Simulation, Source, Whole};

/// The password that may be seen at the registry and its token service only.
pub(crate) const PASSWORD: &str = "canary-password";

/// How the world behaves.
#[derive(Clone)]
pub(crate) struct World {
    /// What the registry's 401 says; empty where it lets everybody in.
    pub(crate) challenge: &'static str,
    /// How long a token is good for, in seconds.
    pub(crate) token_life: u64,
    /// What the token service answers instead of a token.
    pub(crate) token_refusal: Option<(u16, &'static str)>,
    /// Where the location of an upload points to; `{}` stands for its path.
    pub(crate) location: &'static str,
    /// Where requests for this path are sent, and with which status.
    pub(crate) redirect: Option<(&'static str, u16, &'static str)>,
    /// What the storage host answers to everything.
    pub(crate) storage: Option<(u16, &'static str)>,
    /// Whose password it takes.
    pub(crate) password: &'static str,
    /// Whether a token that was given stays good when its life has passed.
    pub(crate) ignores_expiry: bool,
    /// The first request for this path is answered with 429 and this `Retry-After`.
    pub(crate) throttle: Option<(&'static str, &'static str)>,
    /// Whether nobody may push.
    pub(crate) denies_pushes: bool,
}

impl Default for World {
    fn default() -> Self {
        Self {
            challenge: "",
            token_life: 300,
            token_refusal: None,
            location: "{}",
            redirect: None,
            storage: None,
            password: PASSWORD,
            ignores_expiry: false,
            throttle: None,
            denies_pushes: false,
        }
    }
}

pub(crate) const BEARER: &str = r#"Bearer realm="https://registry.example/token",service="registry""#;

/// A request as the world saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) method: Method,
    /// Scheme, host and port.
    pub(crate) origin: String,
    pub(crate) path_and_query: String,
    pub(crate) authorization: String,
    pub(crate) body: Bytes,
    /// Whether it was answered with 429.
    pub(crate) throttled: bool,
}

/// What came of a push into this world.
pub(crate) struct Outcome {
    pub(crate) result: Result<Receipt<&'static str>, Box<Failure>>,
    pub(crate) seen: Vec<Seen>,
    /// How often credentials were looked up.
    pub(crate) asked: usize,
    pub(crate) transcript: String,
}

impl Outcome {
    pub(crate) fn failure(&self) -> String {
        self.result.as_ref().expect_err("it should have failed").to_string()
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|seen| seen.path_and_query.starts_with("/token"))
    }

    pub(crate) fn at(&self, origin: &str) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.origin == origin)
    }
}

struct State {
    world: World,
    tokens: Vec<(String, Instant)>,
    seen: Vec<Seen>,
}

impl State {
    fn answer(&mut self, now: Instant, request: &Request<Bytes>) -> Response<Bytes> {
        let uri = request.uri();
        let origin = format!("{}://{}", uri.scheme_str().unwrap(), uri.authority().unwrap());
        let path_and_query = uri.path_and_query().unwrap().to_string();
        let authorization =
            request.headers().get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
        let (method, body) = (request.method().clone(), request.body().clone());
        self.seen.push(Seen {
            at: now,
            method,
            origin: origin.clone(),
            path_and_query,
            authorization,
            body,
            throttled: false,
        });
        let seen = self.seen.last().unwrap().clone();
        if let Some((_, asked)) = self.world.throttle.take_if(|(path, _)| seen.path_and_query.contains(*path)) {
            self.seen.last_mut().unwrap().throttled = true;
            return respond(429, &[("retry-after", asked), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "");
        }
        if let Some((path, status, to)) = self.world.redirect
            && seen.path_and_query.contains(path)
        {
            return respond(status, &[("location", to)], "");
        }
        match (origin.as_str(), self.world.storage) {
            ("https://registry.example", _) if seen.path_and_query.starts_with("/token") => self.token(now, &seen),
            ("https://registry.example", _) => self.registry(now, &seen),
            (_, Some((401, challenge))) => respond(401, &[("www-authenticate", challenge)], ""),
            (_, Some((status, body))) => respond(status, &[], body),
            // The storage takes uploads like the registry, and asks nobody who they are.
            (_, None) => self.content(&seen),
        }
    }

    fn token(&mut self, now: Instant, seen: &Seen) -> Response<Bytes> {
        if let Some((status, body)) = self.world.token_refusal {
            return respond(status, &[("content-type", "application/json")], body);
        }
        let right = basic(self.world.password);
        if !seen.authorization.is_empty() && seen.authorization != right {
            return respond(
                401,
                &[],
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}"#,
            );
        }
        let token = format!("canary-token-{}", self.tokens.len());
        self.tokens.push((token.clone(), now));
        respond(200, &[], &format!(r#"{{"token":"{token}","expires_in":{}}}"#, self.world.token_life))
    }

    fn registry(&self, now: Instant, seen: &Seen) -> Response<Bytes> {
        let challenge = self.world.challenge;
        let denied = |more: &str| respond(401, &[("www-authenticate", &format!("{challenge}{more}"))], "");
        if challenge.starts_with("Bearer") {
            let life = Duration::from_secs(self.world.token_life);
            let good = |(token, since): &(String, Instant)| {
                seen.authorization == format!("Bearer {token}")
                    && (self.world.ignores_expiry || now.since(*since) < life)
            };
            if !self.tokens.iter().any(good) {
                return denied("");
            }
            if self.world.denies_pushes && seen.method != Method::GET {
                return denied(r#",error="insufficient_scope""#);
            }
        } else if challenge.starts_with("Basic") && seen.authorization != basic(self.world.password) {
            return denied("");
        }
        self.content(seen)
    }

    fn content(&self, seen: &Seen) -> Response<Bytes> {
        match seen.method {
            Method::POST => {
                let path = "/v2/library/app/blobs/uploads/1?_state=canary-state";
                respond(202, &[("location", &self.world.location.replace("{}", path))], "")
            }
            Method::PATCH => respond(202, &[("location", &seen.path_and_query)], ""),
            Method::PUT => respond(201, &[], ""),
            Method::DELETE => respond(204, &[], ""),
            _ => respond(404, &[], ""),
        }
    }
}

fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let answer = Response::builder().status(StatusCode::from_u16(status).unwrap());
    let answer = headers.iter().fold(answer, |answer, (name, value)| answer.header(*name, *value));
    answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// `user` and this password, as Basic authentication writes them (RFC 7617); the tests' own, so that none is trusted.
pub(crate) fn basic(password: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let pair = format!("user:{password}");
    let mut out = String::from("Basic ");
    for chunk in pair.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let sextet = (bits >> (18 - 6 * i)) as usize & 63;
            out.push(if i <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    out
}

pub(crate) fn password(text: &str) -> Credentials {
    Credentials::Basic { user: "user".to_owned(), password: Secret::new(text.to_owned()) }
}

/// Pushes a small image into this world, with the right password at hand.
pub(crate) fn push(world: World) -> Outcome {
    push_with(world, Options::default(), |_, _| Ok(Some(password(PASSWORD))))
}

/// Pushes a small image into this world, in which every message takes so many seconds.
pub(crate) fn push_slowly(world: World, seconds: u64) -> Outcome {
    run(world, Options::default(), |_, _| Ok(Some(password(PASSWORD))), Duration::from_secs(seconds), 1)
}

/// Pushes the same small image twice at once.
pub(crate) fn push_twice_at_once(world: World) -> Outcome {
    run(world, Options::default(), |_, _| Ok(Some(password(PASSWORD))), Duration::from_millis(10), 2)
}

/// Pushes a small image into this world.
pub(crate) fn push_with(
    world: World,
    options: Options,
    lookup: impl Fn(&Registry, bool) -> Result<Option<Credentials>, AskFailed> + 'static,
) -> Outcome {
    run(world, options, lookup, Duration::from_millis(10), 1)
}

fn run(
    world: World,
    options: Options,
    lookup: impl Fn(&Registry, bool) -> Result<Option<Credentials>, AskFailed> + 'static,
    latency: Duration,
    pushes: usize,
) -> Outcome {
    let blobs: [(&str, &[u8]); 3] = [("config", b"{}"), ("base", &[7; 100_000]), ("app", &[9; 200_000])];
    let described: Vec<(&str, Digest, u64)> =
        blobs.iter().map(|(key, bytes)| (*key, Digest::of(Algorithm::Sha256, bytes), bytes.len() as u64)).collect();
    let descriptor = |(_, digest, size): &(&str, Digest, u64)| {
        format!(r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{digest}","size":{size}}}"#)
    };
    let layers: Vec<String> = described[1..].iter().map(descriptor).collect();
    let manifest =
        format!(r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#, descriptor(&described[0]), layers.join(","));
    let state = State { world, tokens: Vec::new(), seen: Vec::new() };
    let state = Rc::new(RefCell::new(state));
    let shared = state.clone();
    let handler = Whole::new(move |now: Instant, request: Request<Bytes>| shared.borrow_mut().answer(now, &request));
    let asked = Rc::new(RefCell::new(0));
    let count = asked.clone();
    let simulation = Simulation::new(1, handler).latency(latency..latency + Duration::from_millis(1));
    let mut simulation = simulation.credentials(move |registry, stale| {
        *count.borrow_mut() += 1;
        assert_eq!(registry.to_string(), "registry.example", "credentials are for the registry alone");
        lookup(registry, stale)
    });
    for (key, bytes) in blobs {
        simulation = simulation.source(key, Source::bytes(bytes.to_vec()));
    }
    let mut push = Push::new("registry.example".parse().unwrap(), "library/app".parse().unwrap());
    for (key, digest, size) in described {
        push = push.blob(Blob::known(key, digest, size));
    }
    let push = push.root(Manifest::parse(manifest).unwrap()).tag("v1".parse::<Tag>().unwrap());
    let mut client = Client::new(options);
    let operations: Vec<_> = (0..pushes).map(|_| client.start(push.clone())).collect();
    let results = simulation.run_all(&mut client, operations);
    let result = results.into_values().reduce(Result::and).unwrap();
    let transcript = simulation.transcript().to_string();
    let seen = state.borrow().seen.clone();
    let outcome = Outcome { result, seen, asked: *asked.borrow(), transcript };
    check_canaries(&outcome);
    outcome
}

/// I1 and I29, after every run: no secret reached another host, and none is in what can be shown.
fn check_canaries(outcome: &Outcome) {
    let secret = basic(PASSWORD);
    for seen in &outcome.seen {
        let all = format!("{seen:?} {}", String::from_utf8_lossy(&seen.body));
        if seen.origin != "https://registry.example" {
            for canary in [PASSWORD, "canary-token", &secret["Basic ".len()..]] {
                assert!(!all.contains(canary), "{canary} reached {}\n{}", seen.origin, outcome.transcript);
            }
        }
        assert!(!seen.path_and_query.contains("canary-token") && !seen.path_and_query.contains(PASSWORD), "{all}");
    }
    let shown = format!("{:?} {}", outcome.result, outcome.transcript);
    for canary in [PASSWORD, "canary-token", "canary-state", &secret["Basic ".len()..]] {
        assert!(!shown.contains(canary), "{canary} is shown:\n{shown}");
    }
}
