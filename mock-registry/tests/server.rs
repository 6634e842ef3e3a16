//! The port: what a client of plain sockets sees.

use std::sync::{Arc, Mutex};

use longshore_core::{Algorithm, Digest};
use longshore_mock_registry::auth::{Auth, Password, Rights};
use longshore_mock_registry::behaviour::LocationForm;
use longshore_mock_registry::server::{Log, Server, Shared};
use longshore_mock_registry::{Registry, RegistryOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

struct Running {
    address: std::net::SocketAddr,
    shared: Shared,
    log: Lines,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn start() -> Running {
    start_with(RegistryOptions::default()).await
}

async fn start_with(options: RegistryOptions) -> Running {
    let log = Lines::default();
    let server = Server::bind(Server::LOOPBACK, Registry::new(options)).await.unwrap();
    let server = server.with_log(Log::to(log.clone())).with_host("x");
    let (address, shared) = (server.address(), server.shared());
    assert!(address.ip().is_loopback());
    assert_eq!(server.url(), format!("http://{address}"));
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
    Running { address, shared, log, stop, serving }
}

impl Running {
    /// Sends bytes and reads all that comes back.
    async fn talk(&self, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn request(&self, head: &str, body: &[u8]) -> String {
        let head = format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        self.talk(&[head.as_bytes(), body].concat()).await
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap().unwrap();
    }
}

#[test]
fn s7_where_nobody_says_otherwise_only_this_machine_reaches_it() {
    assert!(Server::LOOPBACK.ip().is_loopback());
}

#[tokio::test]
async fn a_big_blob_goes_in_and_out() {
    let running = start().await;
    let content: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    let digest = Digest::of(Algorithm::Sha256, &content);
    let answer = running.request(&format!("POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1"), &content).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");

    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let get = format!("GET /v2/a/blobs/{digest} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert!(answer[body..] == content);

    let answer = running.request(&format!("HEAD /v2/a/blobs/{digest} HTTP/1.1"), b"").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("content-length: 5000000"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"));

    let log = String::from_utf8(running.log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let facts = |line: &serde_json::Value| {
        (line["row"].clone(), line["status"].clone(), line["received"].clone(), line["sent"].clone())
    };
    let expected = [
        ("end-4b".into(), 201.into(), 5_000_000.into(), 0.into()),
        ("end-2".into(), 200.into(), 0.into(), 5_000_000.into()),
        ("end-2".into(), 200.into(), 0.into(), 0.into()),
    ];
    assert_eq!(lines.iter().map(facts).collect::<Vec<_>>(), expected);
    running.stop().await;
}

#[tokio::test]
async fn an_early_answer_arrives_although_the_body_is_big() {
    let running = start().await;
    let answer = running.request("PUT /v2/a/manifests/v1 HTTP/1.1", &vec![b' '; 6 << 20]).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_what_came() {
    let running = start().await;
    let answer = running.request("POST /v2/a/blobs/uploads/ HTTP/1.1", b"").await;
    let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
    {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let head = format!("PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello");
        stream.write_all(head.as_bytes()).await.unwrap();
        while !running.shared.lock().state.uploads.values().any(|upload| upload.len() == 5) {
            tokio::task::yield_now().await;
        }
    }
    while running.shared.lock().state.uploads.values().any(|upload| upload.busy) {
        tokio::task::yield_now().await;
    }
    let answer = running.request(&format!("GET {location} HTTP/1.1"), b"").await;
    assert!(answer.starts_with("HTTP/1.1 204 ") && answer.contains("range: 0-4\r\n"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn stopping_lets_a_running_request_end() {
    let running = start().await;
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = format!(
        "POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhe"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    while running.shared.lock().state.uploads.is_empty() {
        tokio::task::yield_now().await;
    }
    let Running { stop, serving, .. } = running;
    stop.send(()).unwrap();
    tokio::task::yield_now().await;
    assert!(!serving.is_finished());
    stream.write_all(b"llo").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn faults_are_delivered() {
    let faults = "#1: answer-lost; #2: answer-cut 4; #3: answer-cut 0; #4: latency 1us; #5: request-lost; #6: status 503 retry-after 7".parse().unwrap();
    let running = start_with(RegistryOptions { faults, ..RegistryOptions::default() }).await;
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    assert_eq!(running.request(&format!("POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1"), b"hello").await, "");
    let get = format!("GET /v2/a/blobs/{digest} HTTP/1.1");
    let cut = running.request(&get, b"").await;
    assert!(cut.starts_with("HTTP/1.1 200 ") && cut.ends_with("\r\n\r\nhell"), "{cut}");
    let cut = running.request(&get, b"").await;
    assert!(cut.starts_with("HTTP/1.1 200 ") && cut.ends_with("\r\n\r\n"), "{cut}");
    let whole = running.request(&get, b"").await;
    assert!(whole.ends_with("\r\n\r\nhello"), "{whole}");
    assert_eq!(running.request(&get, b"").await, "");
    let busy = running.request(&get, b"").await;
    assert!(busy.starts_with("HTTP/1.1 503 ") && busy.contains("retry-after: 7\r\n"), "{busy}");
    assert_eq!(running.shared.lock().struck.len(), 6);
    running.stop().await;
}

/// Reads the answer to one request at some address, with these headers.
async fn ask(authority: &str, line: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_storage_and_a_token_server_on_ports_of_their_own() {
    let auth = Auth::bearer().user("alice", Password::plain("wonderland"), Rights::all());
    let mut options = RegistryOptions { auth: Some(auth), ..RegistryOptions::default() };
    options.behaviour.read.blob_redirect = true;
    options.behaviour.start.location = LocationForm::Storage;
    let server = Server::bind(Server::LOOPBACK, Registry::new(options)).await.unwrap();
    let server = server.with_storage(Server::LOOPBACK).await.unwrap().with_tokens(Server::LOOPBACK).await.unwrap();
    let (address, shared) = (server.address().to_string(), server.shared());
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
    let (storage, tokens) = {
        let options = shared.lock().options.clone();
        assert_eq!(options.origin.unwrap().to_string(), format!("http://{address}"));
        assert_ne!(options.seed, [0; 32], "tokens would be guessed");
        (options.storage.unwrap(), options.auth.unwrap().tokens.unwrap())
    };

    let answer = ask(&address, "GET /v2/", "", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 401 ") && answer.contains(&format!("Bearer realm=\"{tokens}/token\"")),
        "{answer}"
    );
    let basic = "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\n";
    let answer = ask(&tokens.authority(), "GET /token?scope=repository:a:pull,push", basic, "").await;
    let token = &answer.split("\"token\":\"").nth(1).unwrap()[..64];
    let bearer = format!("Authorization: Bearer {token}\r\n");

    let location = |answer: &str| {
        let location = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
        location.strip_prefix(&storage.to_string()).unwrap_or_else(|| panic!("{location}")).to_owned()
    };
    let answer = ask(&address, "POST /v2/a/blobs/uploads/", &bearer, "").await;
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    let put = format!("PUT {}&digest={digest}", location(&answer));
    assert!(ask(&address, &put, &bearer, "hello").await.starts_with("HTTP/1.1 404 "));
    assert!(ask(&storage.authority(), &put, "", "hello").await.starts_with("HTTP/1.1 201 "));
    let answer = ask(&address, &format!("GET /v2/a/blobs/{digest}"), &bearer, "").await;
    assert!(answer.starts_with("HTTP/1.1 307 "), "{answer}");
    let answer = ask(&storage.authority(), &format!("GET {}", location(&answer)), "", "").await;
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn tls_with_a_certificate_that_is_made_on_the_spot() {
    use longshore_mock_registry::server::Tls;
    use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};

    let tls = Tls::generate(["localhost", "127.0.0.1"]).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(tls.ca().unwrap().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));

    let server = Server::bind(Server::LOOPBACK, Registry::new(RegistryOptions::default())).await.unwrap();
    let server = server.with_tls(tls).with_host("x");
    let (address, shared) = (server.address(), server.shared());
    assert_eq!(server.url(), format!("https://{address}"));
    assert_eq!(shared.lock().options.origin.clone().unwrap().to_string(), server.url());
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));

    // One who never begins TLS keeps nobody else waiting.
    let silent = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = connector.connect(name, TcpStream::connect(address).await.unwrap()).await.unwrap();
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(silent);
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

#[cfg(feature = "tls")]
#[test]
fn certificates_that_are_none() {
    use longshore_mock_registry::server::{Tls, TlsError};
    assert!(matches!(Tls::from_pem(b"no", b"pem"), Err(TlsError::Pem(_))));
    assert!(matches!(Tls::generate(["not a name\u{e9}"]), Err(TlsError::NotMade(_))));
}

/// Time stands still but for waits: what waits for five minutes waits for nothing here.
#[tokio::test(start_paused = true)]
async fn s1_whoever_sends_no_more_is_let_go() {
    let server = start().await;
    for begun in ["GET /v2/ HTTP/1.1\r\nHo", "POST /v2/a/blobs/uploads/?digest="] {
        let digest = Digest::of(Algorithm::Sha256, b"hello");
        let rest = format!("{digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
        let sent = if begun.ends_with('=') { format!("{begun}{rest}") } else { begun.to_owned() };
        let answer = server.talk(sent.as_bytes()).await;
        assert!(!answer.contains(" 201 "), "{answer}");
    }
    server.shared.lock().advance(server.shared.now());
    assert!(server.shared.lock().state.uploads.is_empty());
    // Nothing that stopped is waited for.
    server.stop().await;
}

/// Where all places are taken, whoever asks nothing gives way; whoever is being answered does not.
#[tokio::test]
async fn s1_one_more_connection_takes_the_place_of_an_idle_one() {
    let mut options = RegistryOptions::default();
    options.limits.connections = 2;
    let server = start_with(options).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    let mut busy = TcpStream::connect(server.address).await.unwrap();
    let digest = Digest::of(Algorithm::Sha256, b"hello");
    let post = format!("POST /v2/a/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
    busy.write_all(post.as_bytes()).await.unwrap();
    while server.shared.lock().state.uploads.is_empty() {
        tokio::task::yield_now().await;
    }
    let answer = server.request("GET /v2/ HTTP/1.1", b"").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(idle.read(&mut [0; 9]).await.unwrap_or(0), 0, "the idle one was closed");
    busy.write_all(b"llo").await.unwrap();
    let mut answer = [0; 12];
    busy.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 201");
    drop(busy);
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn s1_a_head_that_drips_is_given_ten_seconds() {
    let server = start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let begin = tokio::time::Instant::now();
    for byte in b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    assert!(answer.is_empty(), "{answer:?}");
    assert!(begin.elapsed().as_secs() >= 10);
    let log = server.log.clone();
    server.stop().await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a head took longer than 10 s"), "{log}");
}

/// What is no request as HTTP wants it is refused, and the log says so.
#[tokio::test]
async fn s10_requests_without_one_host_or_with_bare_line_feeds_are_refused() {
    let server = start().await;
    let end = "Connection: close\r\n\r\n";
    for (sent, status) in [
        (format!("GET /v2/ HTTP/1.1\r\n{end}"), 400),
        (format!("GET /v2/ HTTP/1.1\r\nHost: x\r\nHost: x\r\n{end}"), 400),
        (format!("GET /v2/ HTTP/1.1\r\nHost: x\nX: y\r\n{end}"), 400),
        (format!("GET /v2/ HTTP/1.1\nHost: x\r\n{end}"), 400),
        (format!("GET /v2/ HTTP/1.1\r\nHost: evil.test\r\n{end}"), 421),
        (format!("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.test\r\n{end}"), 403),
        (format!("GET /v2/ HTTP/1.1\r\nHost: x\r\n{end}"), 200),
    ] {
        let answer = server.talk(sent.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{sent:?}: {answer}");
    }
    assert!(server.shared.lock().state.uploads.is_empty());
    let log = server.log.clone();
    server.stop().await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let refused = log.lines().filter(|line| line.contains("\"refused\":")).count();
    assert_eq!((refused, log.lines().count()), (6, 7), "{log}");
    assert_eq!(log.matches("bare LF").count(), 2, "{log}");
}

#[tokio::test]
async fn s10_realms_and_locations_follow_the_own_name_that_was_used() {
    let auth = Auth::bearer().anonymous(Rights::all());
    let mut options = RegistryOptions { auth: Some(auth), ..RegistryOptions::default() };
    options.behaviour.start.location = LocationForm::Absolute;
    let server = start_with(options).await;
    let port = server.address.port();
    for name in ["localhost", "127.0.0.1", "[::1]", "LOCALHOST", "x"] {
        let known = if name == "x" { "127.0.0.1".to_owned() } else { name.to_lowercase() };
        let get = format!("GET /v2/ HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n");
        let answer = server.talk(get.as_bytes()).await;
        assert!(answer.contains(&format!("realm=\"http://{known}:{port}/token\"")), "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_health_path_is_neither_counted_nor_struck() {
    let options = RegistryOptions { faults: "every: answer-lost".parse().unwrap(), ..RegistryOptions::default() };
    let server = start_with(options).await;
    let answer = server.request("GET /healthz HTTP/1.1", b"").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(server.shared.lock().struck.is_empty());
    server.stop().await;
}

/// A head that is too long is refused, and is not kept.
#[tokio::test]
async fn s1_heads_are_bounded() {
    let server = start().await;
    let many: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    let answer = server.talk(format!("GET /v2/ HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let answer =
        server.talk(format!("GET /v2/{} HTTP/1.1\r\nConnection: close\r\n\r\n", "a".repeat(1 << 16)).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 414") || answer.starts_with("HTTP/1.1 404"), "{answer}");
    let long = "a".repeat(1 << 20);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server closes while this is written.
    drop(stream.write_all(format!("GET /v2/ HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n").as_bytes()).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    assert!(!String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 200"));
    server.stop().await;
}
