//! Requests to the control address of the mock registry, as HTTP on a port of this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::OnceLock;
use std::time::Duration;

use longshore_conformance::fuzz::Target;
use longshore_mock_registry::server::{Server, Shared};
use longshore_mock_registry::{Registry, RegistryOptions};
use serde_json::Value;

/// The target that needs a server.
pub static TARGET: Target = Target::new(
    "control_requests",
    "requests to the control address of the mock registry",
    "who lacks its token changes nothing, nor does what is refused; each refusal says why; a reset brings the beginning back",
    control_requests,
)
.script();

/// The most requests of one input.
const MAX_REQUESTS: usize = 16;
const METHODS: [&str; 7] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD"];

/// Requests, one after another, with lines `==` between them. The first line of one is its method and path, and perhaps
/// `stranger`, who lacks the token; the rest is its body.
///
/// # Panics
/// Where the promise of [`TARGET`] does not hold.
pub fn control_requests(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let address = Address::running();
    address.reset();
    for request in text.split("\n==\n").take(MAX_REQUESTS).filter_map(Request::read) {
        let before = address.setup();
        let (status, body) = address.ask(&request);
        judge(&request, status, &body);
        let refused = status >= 400;
        assert!(!refused || before == address.setup(), "{request:?} is refused with {status}, and changes something");
        if request.path == "/faults" && status == 200 && request.method != "HEAD" {
            // What is printed can be set again.
            let faults = json(&body)["faults"].as_str().expect("faults are text").to_owned();
            let again = Request { method: "PUT", path: "/faults", is_stranger: false, body: &faults };
            let (status, body) = address.ask(&again);
            assert!(status == 200 && json(&body)["faults"] == faults.as_str(), "{faults:?} is read as {body}");
        }
    }
    address.reset();
}

fn judge(request: &Request<'_>, status: u16, body: &str) {
    let is_page = request.path == "/";
    assert!(!request.is_stranger || is_page || status == 401, "a stranger's {request:?} is answered with {status}");
    match status {
        200 => {}
        // This program is built without reports as JUnit XML.
        501 => assert_eq!(request.path, "/report.xml"),
        400 | 401 | 404 | 405 | 409 | 413 => {
            let says = request.method == "HEAD" || json(body)["error"].as_str().is_some_and(|why| !why.is_empty());
            assert!(says, "{request:?} is refused with {status}, and nothing says why: {body}");
        }
        _ => panic!("{request:?} is answered with {status}: {body}"),
    }
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{body:?} is no JSON: {error}"))
}

/// One request.
#[derive(Debug)]
struct Request<'a> {
    method: &'a str,
    path: &'a str,
    is_stranger: bool,
    body: &'a str,
}

impl<'a> Request<'a> {
    /// Nothing where the first line is none of HTTP's, or where a file of this machine is asked for.
    fn read(text: &'a str) -> Option<Self> {
        let (line, body) = text.split_once('\n').unwrap_or((text, ""));
        let mut words = line.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        let is_path =
            path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_".contains(&byte));
        let names_file = serde_json::from_str::<Value>(body)
            .is_ok_and(|body| body["profile"].as_str().is_some_and(|name| name.contains(['/', '\\', '.'])));
        let request = Self { method, path, is_stranger: words.next() == Some("stranger"), body };
        (METHODS.contains(&method) && is_path && !names_file).then_some(request)
    }
}

/// A server of this process, and its control address.
struct Address {
    authority: String,
    token: String,
    shared: Shared,
}

impl Address {
    fn running() -> &'static Self {
        static RUNNING: OnceLock<Address> = OnceLock::new();
        RUNNING.get_or_init(|| {
            let (tell, told) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("the system gives a thread and a clock").block_on(async {
                    let mut options = RegistryOptions::default();
                    options.seed = [7; 32];
                    let server =
                        Server::bind(Server::LOOPBACK, Registry::new(options)).await.expect("there is a free port");
                    let server = server.with_control(Server::LOOPBACK).await.expect("there is a free port");
                    let (url, token) = server.control().expect("it was asked for");
                    let authority = url.trim_start_matches("http://").to_owned();
                    tell.send(Self { authority, token, shared: server.shared() }).expect("somebody waits for it");
                    server.serve(std::future::pending()).await;
                });
            });
            told.recv().expect("the server starts")
        })
    }

    /// Everything that the control address can change.
    fn setup(&self) -> String {
        let registry = self.shared.lock();
        format!("{:?} {:?}", registry.options, registry.requests())
    }

    fn reset(&self) {
        let (status, body) = self.ask(&Request { method: "POST", path: "/reset", is_stranger: false, body: "" });
        assert_eq!(status, 200, "{body}");
        static BEGIN: OnceLock<String> = OnceLock::new();
        assert_eq!(*BEGIN.get_or_init(|| self.setup()), self.setup(), "a reset does not bring the beginning back");
    }

    /// Sends a request, and gives the status and the body of its answer.
    fn ask(&self, request: &Request<'_>) -> (u16, String) {
        let Self { authority, token, .. } = self;
        let Request { method, path, is_stranger, body } = request;
        let token = if *is_stranger { "another" } else { token };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let mut answer = String::new();
        let talk = || -> std::io::Result<()> {
            let mut stream = TcpStream::connect(authority)?;
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            stream.write_all(head.as_bytes())?;
            // A refusal may come before the end of the body.
            let _ = stream.write_all(body.as_bytes());
            stream.read_to_string(&mut answer).map(drop)
        };
        let talked = { talk }();
        let (head, body) =
            answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{request:?}: {talked:?}: {answer:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("{head} has no status")), body.to_owned())
    }
}
