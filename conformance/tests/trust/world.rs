//! A registry, its token service and a storage host, all in one closure's reach.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use longshore_core::auth::Credentials;
use longshore_core::driver::AskFailed;
use longshore_core::{Instant, Options, Registry};
use longshore_memory::{BodyEnd, ExchangeId, Fault, Handler, Reply, Whole};

use crate::drive::{Outcome, PASSWORD, Seen, Setup, basic, drive, image};

/// How the world behaves.
#[derive(Clone)]
pub(crate) struct World {
    /// What the registry's 401 says; empty where it lets everybody in.
    pub(crate) challenge: &'static str,
    /// How long a token is good for, in seconds.
    pub(crate) token_life: u64,
    /// More fields of what the token service answers.
    pub(crate) token_more: &'static str,
    /// What the token service answers instead of a token.
    pub(crate) token_refusal: Option<(u16, &'static str)>,
    /// Where the location of an upload points to; `{}` stands for its path.
    pub(crate) location: &'static str,
    /// Where requests for this path are sent, and with which status.
    pub(crate) redirect: Option<(&'static str, u16, &'static str)>,
    /// What the storage host answers to everything.
    pub(crate) storage: Option<(u16, &'static str)>,
    /// The passwords that it takes.
    pub(crate) passwords: &'static [&'static str],
    /// Whether a token that was given stays good when its life has passed.
    pub(crate) ignores_expiry: bool,
    /// The first request for this path is answered with 429 and this `Retry-After`.
    pub(crate) throttle: Option<(&'static str, &'static str)>,
    /// How long the way of a byte of a body takes.
    pub(crate) byte_takes: Duration,
    /// Whether nobody may push.
    pub(crate) denies_pushes: bool,
    /// What is answered otherwise: to this request, after those.
    pub(crate) rule: Rule,
}

/// What is answered to a request, after those before it, where it is not the usual.
pub(crate) type Rule = fn(&Seen, &[Seen]) -> Option<Response<Bytes>>;

impl Default for World {
    fn default() -> Self {
        Self {
            challenge: "",
            token_life: 300,
            token_more: "",
            token_refusal: None,
            location: "{}",
            redirect: None,
            storage: None,
            passwords: &[PASSWORD],
            ignores_expiry: false,
            throttle: None,
            byte_takes: Duration::ZERO,
            denies_pushes: false,
            rule: |_, _| None,
        }
    }
}

pub(crate) const BEARER: &str = r#"Bearer realm="https://registry.example/token",service="registry""#;

struct State {
    world: World,
    tokens: Vec<(String, Instant)>,
    seen: Rc<RefCell<Vec<Seen>>>,
}

impl State {
    fn answer(&mut self, now: Instant, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let mut seen = Seen { body, ..Seen::new(now, &head) };
        let answer = self.decide(now, &seen);
        seen.status = answer.status().as_u16();
        self.seen.borrow_mut().push(seen);
        answer
    }

    fn decide(&mut self, now: Instant, seen: &Seen) -> Response<Bytes> {
        if let Some(answer) = (self.world.rule)(seen, &self.seen.borrow()) {
            return answer;
        }
        if let Some((_, asked)) = self.world.throttle.take_if(|(path, _)| seen.path_and_query.contains(*path)) {
            return respond(429, &[("retry-after", asked), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "");
        }
        if let Some((path, status, to)) = self.world.redirect
            && seen.path_and_query.contains(path)
        {
            return respond(status, &[("location", to)], "");
        }
        match (seen.origin.as_str(), self.world.storage) {
            ("https://registry.example", _) if seen.is_for_token() => self.token(now, seen),
            ("https://registry.example", _) => self.registry(now, seen),
            (_, Some((401, challenge))) => respond(401, &[("www-authenticate", challenge)], ""),
            (_, Some((status, body))) => respond(status, &[], body),
            // The storage takes uploads like the registry, and asks nobody who they are.
            (_, None) => self.content(seen),
        }
    }

    fn token(&mut self, now: Instant, seen: &Seen) -> Response<Bytes> {
        if let Some((status, body)) = self.world.token_refusal {
            return respond(status, &[("content-type", "application/json")], body);
        }
        if !seen.authorization.is_empty() && !self.takes(seen) {
            return respond(
                401,
                &[],
                r#"{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}"#,
            );
        }
        let token = format!("canary-token-{}", self.tokens.len());
        self.tokens.push((token.clone(), now));
        let World { token_life, token_more, .. } = self.world;
        respond(200, &[], &format!(r#"{{"token":"{token}","expires_in":{token_life}{token_more}}}"#))
    }

    fn takes(&self, seen: &Seen) -> bool {
        self.world.passwords.iter().any(|password| seen.authorization == basic(password))
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
        } else if challenge.starts_with("Basic") && !self.takes(seen) {
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

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let answer = Response::builder().status(StatusCode::from_u16(status).unwrap());
    let answer = headers.iter().fold(answer, |answer, (name, value)| answer.header(*name, *value));
    answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// Pushes a small image into this world, with the right password at hand.
pub(crate) fn push(world: World) -> Outcome {
    run(world, Setup::default())
}

/// Pushes a small image into this world, in which every message takes so many seconds.
pub(crate) fn push_slowly(world: World, seconds: u64) -> Outcome {
    run(world, Setup { latency: Duration::from_secs(seconds), ..Setup::default() })
}

/// Pushes the same small image twice at once.
pub(crate) fn push_twice_at_once(world: World) -> Outcome {
    run(world, Setup { operations: vec![image().into(), image().into()], ..Setup::default() })
}

/// Pushes a small image into this world.
pub(crate) fn push_with(
    world: World,
    options: Options,
    lookup: impl Fn(&Registry, bool) -> Result<Option<Credentials>, AskFailed> + 'static,
) -> Outcome {
    run(world, Setup { options, lookup: Box::new(lookup), ..Setup::default() })
}

/// Does something in this world.
pub(crate) fn run(world: World, setup: Setup) -> Outcome {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let byte_takes = world.byte_takes;
    let mut state = State { world, tokens: Vec::new(), seen: seen.clone() };
    let inner = Whole::new(move |now: Instant, request: Request<Bytes>| state.answer(now, request));
    drive(Slowed { inner, byte_takes, lens: BTreeMap::new() }, &seen, setup)
}

/// Answers later the more there was to read.
struct Slowed<H> {
    inner: H,
    byte_takes: Duration,
    lens: BTreeMap<ExchangeId, usize>,
}

impl<H: Handler> Handler for Slowed<H> {
    fn open(&mut self, now: Instant, id: ExchangeId, head: Parts) -> Option<Reply> {
        self.inner.open(now, id, head)
    }

    fn piece(&mut self, now: Instant, id: ExchangeId, bytes: Bytes) -> Option<Reply> {
        *self.lens.entry(id).or_default() += bytes.len();
        self.inner.piece(now, id, bytes)
    }

    fn close(&mut self, now: Instant, id: ExchangeId, how: BodyEnd) -> Reply {
        let len = self.lens.remove(&id).unwrap_or(0);
        let fault = Some(Fault::Slow(self.byte_takes * u32::try_from(len).unwrap()));
        Reply { fault, ..self.inner.close(now, id, how) }
    }
}
