//! One check of one driver: a server with a script, the driver, and what both report.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use longshore_core::{Algorithm, Digest, Operation, Options, Registry, Repository, Scheme};

use crate::driver::{Driver, Ended, Handler, Site};
use crate::server::plan::{Answer, AnswerBody, Plan, Reply, Script, SeenBody, SeenRequest};
use crate::server::tls::Ca;
use crate::server::{Listening, Server};
use crate::work::{Work, lock};

/// The protocol between a driver and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    /// Nothing: a function answers.
    Memory,
    /// HTTP/1.1.
    Plain,
    /// HTTP/1.1 over TLS.
    Tls,
    /// HTTP/2 over TLS, by a server that offers HTTP/1.1 too.
    Http2,
}

/// Makes drivers.
pub(crate) enum Maker<'a> {
    Sockets(&'a mut dyn FnMut(&Site) -> Box<dyn Driver>),
    Memory(&'a mut dyn FnMut(Handler) -> Box<dyn Driver>),
}

/// The driver and the protocol of one check.
pub(crate) struct Trial<'m, 'a> {
    pub(crate) protocol: Protocol,
    pub(crate) ca: &'a Ca,
    pub(crate) maker: &'a mut Maker<'m>,
}

/// A server, and a driver that was made for it.
pub(crate) struct Bench {
    pub(crate) registry: Registry,
    pub(crate) script: Script,
    pub(crate) server: Option<Server>,
    in_memory: Arc<Mutex<Vec<SeenRequest>>>,
    driver: Box<dyn Driver>,
}

impl Trial<'_, '_> {
    /// Starts a server with a script that answers each request.
    pub(crate) fn serve<P: Into<Plan>>(&mut self, script: impl Fn(&SeenRequest) -> P + Send + Sync + 'static) -> Bench {
        let listening = self.listening();
        self.serve_over(listening, script)
    }

    /// The settings of a server of this protocol.
    pub(crate) fn listening(&self) -> Listening {
        let tls = match self.protocol {
            Protocol::Memory | Protocol::Plain => None,
            Protocol::Tls => Some(self.ca.server("127.0.0.1", &["http/1.1"])),
            Protocol::Http2 => Some(self.ca.server("127.0.0.1", &["h2", "http/1.1"])),
        };
        Listening { tls, cut_request: None }
    }

    pub(crate) fn serve_over<P: Into<Plan>>(
        &mut self,
        listening: Listening,
        script: impl Fn(&SeenRequest) -> P + Send + Sync + 'static,
    ) -> Bench {
        let script: Script = Arc::new(move |seen| script(seen).into());
        let in_memory: Arc<Mutex<Vec<SeenRequest>>> = Arc::default();
        match self.maker {
            Maker::Memory(make) => {
                let registry = "registry.example".parse().expect("it is a registry");
                let (log, answers) = (Arc::clone(&in_memory), Arc::clone(&script));
                let answer = move |request| answer_in_memory(&log, &answers, request);
                let driver = make(Handler { answer: Arc::new(answer) });
                Bench { registry, script, server: None, in_memory, driver }
            }
            Maker::Sockets(make) => {
                let is_tls = listening.tls.is_some();
                let server = Server::start(listening, Arc::clone(&script));
                let site = site(&server, is_tls, self.ca);
                let driver = make(&site);
                Bench { registry: site.registry, script, server: Some(server), in_memory, driver }
            }
        }
    }
}

fn site(server: &Server, is_tls: bool, ca: &Ca) -> Site {
    let scheme = if is_tls { Scheme::Https } else { Scheme::Http };
    let registry: Registry = server.address.to_string().parse().expect("an address is a registry");
    Site {
        base_url: format!("{}://{}", scheme.as_str(), server.address),
        registry: registry.with_scheme(scheme),
        ca_pem: ca.pem(),
    }
}

fn answer_in_memory(log: &Mutex<Vec<SeenRequest>>, script: &Script, request: Request<Bytes>) -> Response<Bytes> {
    let (head, body) = request.into_parts();
    let mut seen = seen(&Request::from_parts(head, ()), Some(body.len() as u64));
    seen.body = SeenBody { len: body.len() as u64, digest: Some(Digest::of(Algorithm::Sha256, &body)), is_whole: true };
    let mut all = lock(log);
    seen.number = all.len();
    all.push(seen.clone());
    drop(all);
    match script(&seen).reply {
        Reply::Answer(answer) => response(&answer, seen.body.len),
        Reply::Close | Reply::Silence => unreachable!("a check that is made in memory answers"),
    }
}

/// A request of the core in the form in which a server records it.
pub(crate) fn seen(request: &Request<()>, len: Option<u64>) -> SeenRequest {
    let mut fields: Vec<_> =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    if let Some(authority) = request.uri().authority() {
        fields.push(("host".to_owned(), authority.as_str().as_bytes().to_vec()));
    }
    SeenRequest {
        number: 0,
        is_http2: false,
        method: request.method().to_string(),
        target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        fields,
        body: SeenBody { len: len.unwrap_or_default(), digest: None, is_whole: true },
        is_answered: true,
        is_over: true,
    }
}

/// An answer that is delivered without any fault.
pub(crate) fn response(answer: &Answer, received: u64) -> Response<Bytes> {
    let mut head = Response::builder().status(answer.status);
    for (name, value) in answer.all_fields(received) {
        head = head.header(name, value);
    }
    let body = match &answer.body {
        AnswerBody::Bytes(bytes) => bytes.clone(),
        AnswerBody::Made(_) | AnswerBody::Endless => unreachable!("a check that is made in memory has small answers"),
    };
    head.body(body).expect("a script's answer is one of HTTP")
}

impl Bench {
    /// Runs the work in the driver.
    pub(crate) fn run(&mut self, work: Work) -> Result<Vec<Ended>, String> {
        let operations = work.operations.len();
        let ended = catch_unwind(AssertUnwindSafe(|| self.driver.run(work))).map_err(|panic| {
            let why = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            format!("the driver panicked: {}", why.unwrap_or("it does not say why"))
        })?;
        if ended.len() == operations {
            Ok(ended)
        } else {
            Err(format!("the driver gave {} results for {operations} operations", ended.len()))
        }
    }

    /// Runs one operation in the driver.
    pub(crate) fn run_one(&mut self, work: Work) -> Result<Ended, String> {
        self.run(work)?.pop().ok_or_else(|| "the driver gave no result".to_owned())
    }

    /// The requests that the server has received so far.
    pub(crate) fn seen(&self) -> Vec<SeenRequest> {
        match &self.server {
            Some(server) => server.seen(),
            None => lock(&self.in_memory).clone(),
        }
    }

    /// The requests that the server has received, after it has finished all of them.
    pub(crate) fn settled(&self) -> Vec<SeenRequest> {
        let begin = Instant::now();
        loop {
            let seen = self.seen();
            if seen.iter().all(|request| request.is_over) || begin.elapsed() > Duration::from_secs(2) {
                return seen;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The server. There is one if the check uses sockets.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("this check is made over sockets only")
    }

    /// Lists the tags of the repository `a`.
    pub(crate) fn list_tags(&self) -> Operation<u32> {
        list_tags(&self.registry)
    }
}

pub(crate) fn list_tags(registry: &Registry) -> Operation<u32> {
    Operation::ListTags { registry: registry.clone(), repository: repository() }
}

/// The repository of all checks.
pub(crate) fn repository() -> Repository {
    "a".parse().expect("it is a repository")
}

/// The body of an answer to a list of tags.
pub(crate) const TAGS: &str = r#"{"name":"a","tags":["v1"]}"#;

/// Options with which no request is repeated and no wait is long.
pub(crate) fn options() -> Options {
    let mut options = Options::default();
    options.attempts = 1;
    options.backoff = Duration::from_millis(1);
    options.backoff_throttled = Duration::from_millis(1);
    options.limits.connect = Duration::from_secs(2);
    options.limits.silence = Duration::from_secs(2);
    options
}

/// Returns an error with a message if a condition is not met.
macro_rules! ensure {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}
pub(crate) use ensure;
