//! The control address: what tests in any language steer and read.

use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::report::{CheckStatus, Report};
use longshore_mock_registry::server::Server;
use longshore_mock_registry::{Registry, RegistryOptions};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Running {
    registry: String,
    control: String,
    token: String,
}

impl Running {
    async fn start() -> Self {
        let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await.unwrap();
        Self::serve(server).await
    }

    async fn serve(server: Server) -> Self {
        let server = match server.control() {
            Some(_) => server,
            None => server.with_control(Server::LOOPBACK).await.unwrap(),
        };
        let (url, token) = server.control().unwrap();
        let running = Self { registry: server.address().to_string(), control: url.replace("http://", ""), token };
        tokio::spawn(server.serve(std::future::pending()));
        running
    }

    /// Status and body of a request to the registry.
    async fn ask(&self, line: &str) -> (u16, String) {
        talk(&self.registry, line, "", "").await
    }

    /// Status and body of a request to the control address, with its token.
    async fn steer(&self, line: &str, body: &str) -> (u16, Value) {
        let (status, body) =
            talk(&self.control, line, &format!("Authorization: Bearer {}\r\n", self.token), body).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }
}

async fn talk(address: &str, line: &str, headers: &str, body: &str) -> (u16, String) {
    let (head, body) = exchange(address, line, headers, body).await;
    (head[9..12].parse().unwrap(), body)
}

/// Head and body of an answer.
async fn exchange(address: &str, line: &str, headers: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or(("HTTP/1.1 000", ""));
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn without_its_token_it_tells_only_about_itself() {
    let running = Running::start().await;
    for (line, headers, status) in [
        ("GET /", "", 200),
        ("GET /state", "", 401),
        ("POST /reset", "Authorization: Bearer wrong\r\n", 401),
        ("POST /reset", "Origin: http://evil.test\r\n", 403),
    ] {
        let (got, body) = talk(&running.control, line, headers, "").await;
        assert_eq!(got, status, "{line}: {body}");
    }
    assert!(running.token.len() == 64);
    assert_eq!(running.steer("GET /state", "").await.0, 200);
    assert_eq!(running.steer("PUT /state", "").await.0, 405);
    for (line, methods) in [("PUT /state", "GET"), ("POST /faults", "DELETE, GET, PUT"), ("GET /reset", "POST")] {
        let headers = format!("Authorization: Bearer {}\r\n", running.token);
        let (head, _) = exchange(&running.control, line, &headers, "").await;
        assert!(head.starts_with("HTTP/1.1 405 "), "{line}: {head}");
        assert!(head.lines().any(|line| line == format!("allow: {methods}")), "{line}: {head}");
    }
    assert_eq!(running.steer("GET /nothing", "").await.0, 404);
}

#[tokio::test]
async fn faults_are_set_and_requests_are_read() {
    let running = Running::start().await;
    let (status, answer) = running.steer("PUT /faults", "GET#2: status 503 retry-after 7").await;
    assert_eq!((status, &answer["faults"]), (200, &Value::from("GET#2: status 503 retry-after 7")));
    assert_eq!(running.ask("GET /v2/").await.0, 200);
    assert_eq!(running.ask("GET /v2/").await.0, 503);
    let (_, answer) = running.steer("GET /requests", "").await;
    let requests = answer["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1]["faults"][0], "status 503 retry-after 7");
    assert_eq!((&requests[1]["method"], &requests[1]["status"]), (&Value::from("GET"), &Value::from(503)));
    assert!(requests[0]["headers"].as_array().unwrap().iter().any(|pair| pair[0] == "host"));
    let (status, answer) = running.steer("PUT /faults", "GET#2: nonsense").await;
    assert!(status == 400 && answer["error"].as_str().unwrap().contains("there is no fault"), "{answer}");
    assert_eq!(running.steer("DELETE /faults", "").await.1["faults"], "");
}

#[tokio::test]
async fn the_judge_is_read_and_everything_is_forgotten() {
    let running = Running::start().await;
    assert_eq!(running.ask("POST /v2/a/blobs/uploads").await.0, 404);
    assert_eq!(running.ask("POST /v2/a/blobs/uploads/").await.0, 202);
    let (_, state) = running.steer("GET /state", "").await;
    assert_eq!(state["uploads"].as_object().unwrap().len(), 1);
    let (_, report) = running.steer("GET /report", "").await;
    let report = Report::from_json(&report.to_string()).unwrap();
    let slash = report.checks.iter().find(|check| check.id == "trailing-slash").unwrap();
    assert_eq!((slash.status, slash.evidence[0].request), (CheckStatus::Failed, Some(1)));
    assert!(report.breaks_a_must());
    assert_eq!(running.steer("POST /reset", "").await.0, 200);
    let (_, state) = running.steer("GET /state", "").await;
    assert!(state["uploads"].as_object().unwrap().is_empty() && state["requests"] == 0, "{state}");
    let (_, answer) = running.steer("GET /requests", "").await;
    assert!(answer["requests"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn another_registry_is_played() {
    let running = Running::start().await;
    let (status, answer) = running.steer("PUT /profile", r#"{"profile":"spec","set":["listing.empty=404"]}"#).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = running.steer("PUT /profile", r#"{"profile":"nobody"}"#).await;
    assert!(status == 400 && answer["error"].as_str().unwrap().contains("nobody"), "{answer}");
    assert_eq!(running.steer("PUT /profile", "{}").await.0, 400);
}

#[tokio::test]
async fn a_profile_of_ones_own_is_played_from_its_text_or_its_file() {
    let running = Running::start().await;
    let toml = "title = \"Ours\"\n[[quirk]]\nid = \"answer-headers-vary\"\nevidence = \"user-report\"\nsource = \"us\"\n\
                set.listing.empty = 404\n";
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), toml).unwrap();
    let as_json = |key: &str, text: &str| Value::from_iter([(key.to_owned(), Value::from(text))]).to_string();
    for body in [toml.to_owned(), as_json("toml", toml), as_json("profile", file.path().to_str().unwrap())] {
        assert_eq!(running.steer("PUT /profile", r#"{"profile":"spec"}"#).await.0, 200);
        let (status, answer) = running.steer("PUT /profile", &body).await;
        assert_eq!((status, &answer["title"]), (200, &Value::from("Ours")), "{answer}");
    }
    let (status, answer) = running.steer("PUT /profile", &toml.replace("empty", "emty")).await;
    assert_eq!(status, 400);
    let error = answer["error"].as_str().unwrap();
    assert!(error.contains("the body:6: there is no switch listing.emty; did you mean listing.empty?"), "{error}");
    assert_eq!(running.steer("PUT /profile", r#"{"profile":"/not/there.toml"}"#).await.0, 400);
}

#[tokio::test]
async fn what_was_there_at_the_start_is_there_again_after_a_reset() {
    let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await.unwrap();
    let blob = Digest::of(Algorithm::Sha256, b"hello");
    let add = move |registry: &mut Registry| registry.add_blob(&"a".parse().unwrap(), &blob, &b"hello"[..]);
    let server = server.with_content(add).unwrap().with_control(Server::LOOPBACK).await.unwrap();
    let running = Running::serve(server).await;
    let path = format!("/v2/a/blobs/{blob}");
    assert_eq!(running.ask(&format!("GET {path}")).await, (200, "hello".to_owned()));
    assert_eq!(running.ask(&format!("DELETE {path}")).await.0, 202);
    assert_eq!(running.ask(&format!("GET {path}")).await.0, 404);
    assert_eq!(running.steer("POST /reset", "").await.0, 200);
    assert_eq!(running.ask(&format!("GET {path}")).await, (200, "hello".to_owned()));
}
